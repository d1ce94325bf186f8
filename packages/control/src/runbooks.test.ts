import { existsSync, readFileSync } from "node:fs";
import { ERROR_CATALOGUE } from "@rumi/kernel";
import { expect, it } from "vitest";
import { RUNBOOKS, runbookOf } from "./runbooks.ts";

const root = new URL("../../../", import.meta.url);

it("[G-12] every refusal of bots and packs has a runbook that exists and says what to look at and do", () => {
  for (const code of Object.keys(ERROR_CATALOGUE).filter((one) => /^RUMI-(BOT|PACK)-/.test(one)))
    expect([code, runbookOf(code, undefined)]).toEqual([code, expect.any(String)]);
  for (const page of new Set(Object.values(RUNBOOKS))) {
    expect(existsSync(new URL(page, root)), page).toBe(true);
    const text = readFileSync(new URL(page, root), "utf8");
    for (const part of ["# ", "**What it means.**", "**Look.**", "**Do.**"]) expect(text, page).toContain(part);
  }
});
