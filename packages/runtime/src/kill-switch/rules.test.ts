import { expect, it } from "vitest";
import { packKillWord, unpackKillWord, UNTOLD } from "./kill-word.ts";
import { isStricter, KILL_LEVELS, KILL_SCOPES, type KillRule, strictestKill } from "./rules.ts";

const TARGET = { bot_id: "a", strategy_id: "s", venue: "V", group_id: "g" };
const OWN = { all: "", venue: "V", group_id: "g", bot_id: "a", strategy_id: "s" } as const;
const every: readonly KillRule[] = KILL_SCOPES.flatMap((scope) =>
  KILL_LEVELS.map((level) => ({ scope, id: OWN[scope], level })),
);

it("[G-5.3] of all rules that match, the strictest holds, whatever their scope and order; others do not count", () => {
  for (const a of every)
    for (const b of every) {
      const strict = isStricter(b.level, a.level) ? b.level : a.level;
      for (const rules of [
        [a, b],
        [b, a],
      ])
        expect([a, b, strictestKill(rules, TARGET)?.level ?? "ALLOW"]).toEqual([a, b, strict]);
      const foreign = { ...b, scope: b.scope === "all" ? ("bot_id" as const) : b.scope, id: "another" };
      expect(strictestKill([a, foreign], TARGET)?.level ?? "ALLOW").toBe(a.level);
    }
});

it("[G-5.3] adding a rule never makes milder what holds", () => {
  for (const a of every)
    for (const b of every) {
      const before = strictestKill([a], TARGET)?.level ?? "ALLOW";
      expect(isStricter(before, strictestKill([a, b], TARGET)?.level ?? "ALLOW")).toBe(false);
    }
});

it("a bot without a group is matched by no group's rule", () => {
  const { group_id: _, ...alone } = TARGET;
  expect(strictestKill([{ scope: "group_id", id: "g", level: "BLOCK" }], alone)).toBeNull();
});

it("every word goes through shared memory and comes back as it was; a slot's first word is nobody's", () => {
  for (const level of KILL_LEVELS)
    for (const scope of [null, ...KILL_SCOPES])
      for (const generation of [0, 1, 4_294_967_296]) {
        const word = { level, scope, generation };
        expect(unpackKillWord(BigInt.asIntN(64, packKillWord(word)))).toEqual(word);
      }
  expect(unpackKillWord(0n)).toEqual(UNTOLD);
});
