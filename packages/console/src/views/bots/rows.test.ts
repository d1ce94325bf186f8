import { describe, expect, it } from "vitest";
import type { Bot } from "../../answers/answers.ts";
import { keepingSame, withBots } from "../../live/fleet.ts";
import { matching, NO_FILTER, rowsOf, valuesOf } from "./rows.ts";

const bot = (bot_id: string, state: Bot["state"] = "IDLE", venue = "SIM", labels: Bot["labels"] = {}): Bot => ({
  bot_id,
  display_name: `Bot ${bot_id}`,
  state,
  version: "1.0.0",
  generation: 1,
  labels,
  spec: {
    strategy: { pack_id: "p", strategy_id: "ema", strategy_version: "1.0.0", digest: "d" },
    venue,
    instruments: ["X"],
    config: {},
    capital: "1",
    isolation: "L2",
  },
  status: { mode: null, run_id: null, reason: "R", since: "2026-01-01T00:00:00Z" },
  created_at: "2026-01-01T00:00:00Z",
  created_by: "user:root",
});
const ids = (bots: readonly Bot[]): readonly string[] => bots.map(({ bot_id }) => bot_id);

describe("the table of bots", () => {
  const all = [bot("a"), bot("b", "ERROR"), bot("c", "IDLE", "OUT", { team: "Blue" })];
  it("is filtered by words in id, name and labels, by state and by venue", () => {
    expect(ids(matching(all, NO_FILTER))).toEqual(["a", "b", "c"]);
    expect(ids(matching(all, { ...NO_FILTER, words: "BOT c" }))).toEqual(["c"]);
    expect(ids(matching(all, { ...NO_FILTER, words: "team=blue" }))).toEqual(["c"]);
    expect(ids(matching(all, { ...NO_FILTER, state: "ERROR" }))).toEqual(["b"]);
    expect(ids(matching(all, { ...NO_FILTER, state: "IDLE", venue: "SIM" }))).toEqual(["a"]);
    expect(valuesOf(all, ({ spec }) => spec.venue)).toEqual(["OUT", "SIM"]);
  });
  it("is grouped under heads that count, and a folded group keeps its head alone", () => {
    const rows = rowsOf(all, "venue", new Set(["SIM"]));
    expect(rows.map((row) => (row.kind === "group" ? `${row.name} ${row.bots.length}` : row.bot.bot_id))).toEqual([
      "OUT 1",
      "c",
      "SIM 2",
    ]);
  });
});

describe("a large fleet", () => {
  it("takes what changed into its place, and keeps what did not as it was", () => {
    const [a, c] = [bot("a"), bot("c")];
    expect(ids(withBots([a, c], [bot("b")]))).toEqual(["a", "b", "c"]);
    const now = withBots([a, c], [bot("c", "ERROR")]);
    expect([now[0] === a, now[1]?.state]).toEqual([true, "ERROR"]);
    const again = keepingSame([a, c], [bot("a"), bot("c", "PAUSED"), bot("d")]);
    expect([again[0] === a, again[1] === c, ids(again)]).toEqual([true, false, ["a", "c", "d"]]);
  });
});
