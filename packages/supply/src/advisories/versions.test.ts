import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ecosystem } from "../locks/component.ts";
import { holds, isListed, laterVersions, type RangeEvent } from "./versions.ts";

/** `introduced 1 fixed 2` as events. */
function range(text: string): { readonly events: readonly RangeEvent[] } {
  const words = text.split(" ");
  return {
    events: words.flatMap((kind, at) =>
      at % 2 === 0 ? [{ kind: kind as RangeEvent["kind"], version: words[at + 1] ?? "" }] : [],
    ),
  };
}

function check(ecosystem: Ecosystem, text: string, expected: Readonly<Record<string, readonly string[]>>): void {
  for (const [held, versions] of Object.entries(expected))
    for (const version of versions)
      expect([text, version, holds(ecosystem, version, range(text))]).toEqual([text, version, held]);
}

describe("[L-51.1] version ranges", () => {
  it("[L-51.1] npm and crates.io: SemVer with pre-releases and build labels at every boundary", () => {
    for (const ecosystem of ["npm", "crates.io"] as const) {
      check(ecosystem, "introduced 1.0.0 fixed 2.0.0", {
        held: ["1.0.0", "1.0.0+build", "1.9.9", "2.0.0-rc.1", "2.0.0-0"],
        free: ["0.9.9", "1.0.0-rc.1", "2.0.0", "2.0.0+build", "2.0.1"],
      });
      check(ecosystem, "introduced 0 fixed 4.17.21", { held: ["0.0.0-0", "4.17.20"], free: ["4.17.21"] });
      check(ecosystem, "introduced 0.0.0-0 last_affected 1.2", { held: ["0.0.0-0", "1.2.0"], free: ["1.2.1"] });
      check(ecosystem, "introduced 1 fixed 2 introduced 2 fixed 3", { held: ["1.0.0", "2.5.0"], free: ["3.0.0"] });
      check(ecosystem, "introduced 2.0.0 last_affected 2.0.0", { held: ["2.0.0"], free: ["1.9.9", "2.0.1"] });
      check(ecosystem, "fixed 1.5.0 introduced 1.0.0 introduced 3.0.0", {
        held: ["1.0.0", "1.4.9", "3.0.0", "99.0.0"],
        free: ["0.1.0", "1.5.0", "2.9.9"],
      });
      check(ecosystem, "introduced 0 limit 2.0.0", { held: ["1.9.9"], free: ["2.0.0"] });
      check(ecosystem, "introduced 0 limit *", { held: ["99.0.0"] });
      check(ecosystem, "introduced 0 limit 1.0.0 limit 3.0.0", { held: ["2.0.0"], free: ["3.0.0"] });
      check(ecosystem, "introduced 1.0.0-alpha.9 fixed 1.0.0-alpha.11", {
        held: ["1.0.0-alpha.10"],
        free: ["1.0.0-alpha.8", "1.0.0-alpha.beta", "1.0.0"],
      });
    }
  });

  it("[L-51.1] PyPI: epochs, pre-, post- and dev-releases, local labels, other spellings", () => {
    check("PyPI", "introduced 1.0 fixed 2.0", {
      held: ["1", "1.0.0", "v1.0", "1.5.post1", "2.0.dev1", "2.0a1", "2.0rc1", "1.0+local", "1!1.0".slice(2)],
      free: ["1.0rc1", "1.0.dev0", "2.0", "2.0.0", "2.0.post1", "1!1.0", "2.0+local"],
    });
    check("PyPI", "introduced 0 last_affected 2.0.0", {
      held: ["0.dev0", "2", "2.0.0+cu118"],
      free: ["2.0.0.post1", "2.0.1"],
    });
    check("PyPI", "introduced 1!0 fixed 1!3", { held: ["1!2.0"], free: ["2.0", "1!3", "2!0"] });
    check("PyPI", "introduced 2.0rc1 fixed 2.0rc2", {
      held: ["2.0rc1", "2.0c1", "2.0.rc1"],
      free: ["2.0b9", "2.0rc2"],
    });
  });

  it("[L-51.1] what cannot be compared is undecidable, never free", () => {
    check("npm", "introduced 0 fixed banana", { undecidable: ["1.0.0"] });
    check("npm", "fixed 1.0.0", { undecidable: ["0.1.0", "2.0.0"] });
    check("PyPI", "introduced 0 fixed 2004d", { undecidable: ["1.0"] });
    check("PyPI", "introduced 0 fixed 1.0", { undecidable: ["2004d-final-or-so"] });
    expect(holds("npm", "1.0.0", { events: [] })).toBe("undecidable");
  });

  it("[L-51.1] listed versions, however they are written", () => {
    expect(isListed("PyPI", "1.0.0", ["0.9", "1.0"])).toBe(true);
    expect(isListed("PyPI", "1.0+cu118", ["1.0"])).toBe(true);
    expect(isListed("PyPI", "1.0.post1", ["1.0"])).toBe(false);
    expect(isListed("PyPI", "2004d", ["2004d"])).toBe(true);
    expect(isListed("npm", "1.0.0", ["v1.0.0"])).toBe(true);
    expect(isListed("npm", "1.0.0", ["1.0.0-rc.1", "nonsense"])).toBe(false);
  });

  it("[L-51.1] later fixes, lowest first", () => {
    expect(laterVersions("npm", "1.0.0", ["10.0.0", "2.0.0", "0.9.0", "2.0.0", "nonsense"])).toEqual([
      "2.0.0",
      "10.0.0",
    ]);
    expect(laterVersions("PyPI", "1.0", ["1.0.post1", "1.0rc1"])).toEqual(["1.0.post1"]);
  });

  it("[L-51.1] any closed stretch [introduced, fixed) holds exactly the versions between", () => {
    const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3));
    const order = (a: readonly number[], b: readonly number[]): number =>
      (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0);
    fc.assert(
      fc.property(version, version, version, fc.constantFrom<Ecosystem>("npm", "crates.io", "PyPI"), (a, b, c, of) => {
        const held = order(c, a) >= 0 && order(c, b) < 0;
        const text = `introduced ${a.join(".")} fixed ${b.join(".")}`;
        fc.pre(order(a, b) < 0);
        expect(holds(of, c.join("."), range(text))).toBe(held ? "held" : "free");
      }),
    );
  });
});
