import { describe, expect, it } from "vitest";
import { describedCommands } from "../program/describe.ts";
import { spoken } from "./spoken.ts";

describe("a next step at the command line", () => {
  const rows: readonly [told: string, typed: string][] = [
    [
      "Read it, then approve it: POST /api/packs/blinker/approve.",
      "Read it, then approve it: 'rumi packs approve blinker'.",
    ],
    [
      "GET /api/packs lists every pack; POST /api/packs/scan looks for new ones.",
      "'rumi packs list' lists every pack; 'rumi packs scan' looks for new ones.",
    ],
    ["Use sha256:… as GET /api/packs/a-b_c/status shows it.", "Use sha256:… as 'rumi packs status a-b_c' shows it."],
    ["GET /api/attestations?bot_id=bot-1 says more.", "'rumi attestations list --bot-id bot-1' says more."],
    ["一覧は GET /api/bots にあります。", "一覧は 'rumi bots list' にあります。"],
    ["GET /api/nothing/of/this/kind stays.", "GET /api/nothing/of/this/kind stays."],
    ["docs/formats/bot-states.md shows it.", "docs/formats/bot-states.md shows it."],
  ];
  for (const [told, typed] of rows)
    it(`says ${JSON.stringify(typed)}`, () => expect(spoken(told, describedCommands())).toBe(typed));
});
