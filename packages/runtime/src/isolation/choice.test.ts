/** Which box is taken, over every kind, level and strictness. */
import { RUNTIME_KINDS } from "@rumi/abi";
import { describe, expect, it } from "vitest";
import { type BoxFact, chooseBox, ISOLATION_LEVELS, type IsolationWish, LEVELS_OF } from "./choice.ts";

const fact = (mechanism: string, level: string, state: "strict" | "weak" | "absent"): BoxFact => ({
  mechanism,
  level,
  available: state !== "absent",
  strict: state === "strict",
  reason: state === "absent" ? `${mechanism} is not here` : null,
});
const FULL = [fact("bubblewrap", "L1", "strict"), fact("self-jail", "L1", "strict"), fact("runc", "L3", "strict")];
const say = (...of: Parameters<typeof chooseBox>): string => {
  const box = chooseBox(...of);
  if (!box.ok) return `needs ${box.error.needs}: ${box.error.problem}`;
  return `${box.value.level} ${box.value.mechanism}${box.value.instead_of === null ? "" : ` instead of ${box.value.instead_of}`}`;
};

describe("[M-5.1.1] the box of a strategy", () => {
  it.each<[string, Parameters<typeof chooseBox>, string | RegExp]>([
    ["python by itself", ["python", { isolation: "strict" }, FULL], "L1 bubblewrap"],
    ["python in a container", ["python", { isolation: "strict", isolation_level: "L3" }, FULL], "L3 runc"],
    ["native in a container", ["rust_native", { isolation: "strict", isolation_level: "L3" }, FULL], "L3 runc"],
    ["Wasm by itself", ["rust_wasm", { isolation: "strict" }, []], "L2 wasm-fuel"],
    ["TypeScript by itself", ["typescript", { isolation: "strict", isolation_level: "L2" }, []], "L2 wasm-fuel"],
    ["Wasm without fuel", ["rust_wasm", { isolation: "any", isolation_level: "L0" }, []], "L0 wasm-watchdog"],
    [
      "Wasm without fuel, strict",
      ["rust_wasm", { isolation: "strict", isolation_level: "L0" }, []],
      /^needs .*L0.*only the watchdog/,
    ],
    [
      "a jail for Wasm, strict",
      ["rust_wasm", { isolation: "strict", isolation_level: "L1" }, FULL],
      /^needs .*rust_wasm strategy runs at L2 or L0/,
    ],
    [
      "a jail for Wasm, lenient",
      ["rust_wasm", { isolation: "any", isolation_level: "L1" }, FULL],
      "L2 wasm-fuel instead of L1",
    ],
    [
      "no container, strict",
      ["python", { isolation: "strict", isolation_level: "L3" }, [...FULL.slice(0, 2), fact("runc", "L3", "absent")]],
      /^needs a container .*runc is not here/,
    ],
    [
      "no container, lenient",
      ["python", { isolation: "any", isolation_level: "L3" }, FULL.slice(0, 2)],
      "L1 bubblewrap instead of L3",
    ],
    [
      "a weak jail, strict",
      ["python", { isolation: "strict" }, [fact("self-jail", "L1", "weak")]],
      /^needs a process jail .*self-jail: weaker here/,
    ],
    ["a weak jail, lenient", ["python", { isolation: "any" }, [fact("self-jail", "L1", "weak")]], "L1 self-jail"],
    [
      "a container before a weak jail",
      ["python", { isolation: "any" }, [fact("self-jail", "L1", "weak"), fact("runc", "L3", "strict")]],
      "L3 runc",
    ],
    [
      "native never jails itself",
      ["rust_native", { isolation: "any" }, [fact("self-jail", "L1", "strict")]],
      /^needs .*there is no such mechanism/,
    ],
    ["nothing at all", ["python", { isolation: "any" }, []], /^needs .*there is no such mechanism/],
  ])("%s", (_, of, answer) => {
    if (typeof answer === "string") expect(say(...of)).toBe(answer);
    else expect(say(...of)).toMatch(answer);
  });

  it("strict gets the level it asked for or none, whatever the machine has; nobody gets L0 unasked", () => {
    const states = ["strict", "weak", "absent"] as const;
    for (const kind of RUNTIME_KINDS)
      for (const isolation of ["any", "strict"] as const)
        for (const isolation_level of [undefined, ...ISOLATION_LEVELS])
          for (const a of states)
            for (const b of states)
              for (const c of states) {
                const wish: IsolationWish = { isolation, isolation_level };
                const facts = [fact("bubblewrap", "L1", a), fact("self-jail", "L1", b), fact("runc", "L3", c)];
                const box = chooseBox(kind, wish, facts);
                if (!box.ok) continue;
                expect(LEVELS_OF[kind]).toContain(box.value.level);
                if (box.value.level === "L0") expect(wish).toEqual({ isolation: "any", isolation_level: "L0" });
                if (isolation === "any") continue;
                expect(box.value.level).toBe(isolation_level ?? box.value.level);
                expect(box.value.instead_of).toBe(null);
                const used = facts.find(({ mechanism }) => mechanism === box.value.mechanism);
                if (used !== undefined) expect(used).toMatchObject({ available: true, strict: true });
              }
  });
});
