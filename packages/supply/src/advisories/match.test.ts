import { describe, expect, it } from "vitest";
import type { JsonValue } from "../json.ts";
import type { Component, Ecosystem } from "../locks/component.ts";
import { pypiName, purlOf } from "../locks/purl.ts";
import { ShelfMaker } from "./match.ts";
import { readAdvisory } from "./osv.ts";
import { baseScore, ratingOf } from "./severity.ts";

const V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const component = (ecosystem: Ecosystem, name: string, version: string): Component => ({
  ecosystem,
  name: ecosystem === "PyPI" ? pypiName(name) : name,
  version,
  purl: purlOf(ecosystem, name, version),
  origin: "registry",
  hashes: [],
});
const record = (id: string, more: Readonly<Record<string, JsonValue>> = {}): Readonly<Record<string, JsonValue>> => ({
  id,
  modified: "2026-01-01T00:00:00Z",
  affected: [affected("npm", "a", { introduced: "0" }, { fixed: "2.0.0" })],
  ...more,
});
const affected = (ecosystem: string, name: string, ...events: readonly JsonValue[]): { [key: string]: JsonValue } => ({
  package: { ecosystem, name },
  ranges: [{ type: "SEMVER", events }],
});
function shelf(...records: readonly JsonValue[]) {
  const maker = new ShelfMaker();
  for (const one of records) {
    const read = readAdvisory(one);
    if (typeof read === "string") throw new Error(read);
    maker.add(read);
  }
  return maker.make();
}
const found = (of: ReturnType<typeof shelf>, ...components: readonly Component[]) =>
  of.match(components).map(({ advisory_id, severity, applies_by }) => [advisory_id, severity, applies_by]);
const A1 = component("npm", "a", "1.0.0");

describe("[L-51.1] matching", () => {
  it("[L-51.1] by ecosystem and name: scopes are part of it, PyPI's spelling is not, other ecosystems never", () => {
    const all = shelf(
      record("X-1"),
      record("X-2", { affected: [affected("npm", "@s/a", { introduced: "0" })] }),
      record("X-3", { affected: [affected("PyPI", "Foo_Bar.baz", { introduced: "0" })] }),
      record("X-4", { affected: [affected("crates.io", "a", { introduced: "0" })] }),
      record("X-5", {
        affected: [affected("Go", "a", { introduced: "0" }), affected("npm:x", "b", { introduced: "0" })],
      }),
    );
    expect(found(all, A1)).toEqual([["X-1", "unknown", "range"]]);
    expect(found(all, component("npm", "@s/a", "1.0.0"))).toEqual([["X-2", "unknown", "range"]]);
    expect(found(all, component("PyPI", "foo-bar-BAZ", "1"))).toEqual([["X-3", "unknown", "range"]]);
    expect(found(all, component("crates.io", "a", "1.0.0"))).toEqual([["X-4", "unknown", "range"]]);
    expect(found(all, component("npm", "b", "1.0.0"))).toEqual([["X-5", "unknown", "range"]]);
    expect(found(all, component("PyPI", "a", "1"), component("npm", "constructor", "1.0.0"))).toEqual([]);
    expect(found(all, { ...A1, origin: "local" })).toEqual([]);
    expect(found(all, { ...A1, origin: "bundled" })).toHaveLength(1);
  });

  it("[L-51.1] a withdrawn advisory finds nothing, and the newer of two records with one id counts", () => {
    const withdrawn = { withdrawn: "2026-02-01T00:00:00Z", modified: "2026-02-01T00:00:00.5Z" };
    for (const records of [
      [record("X-1"), record("X-1", withdrawn)],
      [record("X-1", withdrawn), record("X-1")],
    ]) {
      const all = shelf(...records);
      expect(found(all, A1)).toEqual([]);
      expect([all.count, all.withdrawn, all.newest]).toEqual([1, 1, "2026-02-01T00:00:00.500000Z"]);
    }
    expect(shelf(record("X-1", { modified: "0001-01-01T00:00:00Z" })).newest).toBe("0001-01-01T00:00:00.000000Z");
    const back = record("X-1", { modified: "2026-03-01T00:00:00.123456789Z" });
    expect(found(shelf(record("X-1", withdrawn), back), A1)).toHaveLength(1);
  });

  it("[L-51.1] aliases count once, with the worst severity, all names and all fixes", () => {
    const rated = { severity: [{ type: "CVSS_V3", score: V3 }] };
    const all = shelf(
      record("GHSA-1", { aliases: ["CVE-1"], ...rated }),
      record("PYSEC-1", {
        aliases: ["CVE-1", "CVE-2"],
        affected: [affected("npm", "a", { introduced: "0" }, { fixed: "1.5.0" })],
      }),
      record("X-9", { aliases: ["CVE-2"] }),
      record("Y-1"),
    );
    const [first, second, ...rest] = all.match([A1]);
    expect(first).toMatchObject({
      advisory_id: "GHSA-1",
      aliases: ["CVE-1", "CVE-2", "PYSEC-1", "X-9"],
      severity: "critical",
      score: 9.8,
      fixed_in: ["1.5.0", "2.0.0"],
      withdrawn: false,
    });
    expect([second?.advisory_id, rest]).toEqual(["Y-1", []]);
    // Two that a third one ties together, whatever the order.
    const tied = shelf(
      record("A", { aliases: ["1"] }),
      record("B", { aliases: ["2"] }),
      record("C", { aliases: ["1", "2"] }),
    );
    expect(tied.match([A1])).toMatchObject([{ advisory_id: "A", aliases: ["1", "2", "B", "C"] }]);
  });

  it("[L-51.1] listed versions, git ranges, unknown ranges and none at all", () => {
    const of = (one: Readonly<Record<string, JsonValue>>) =>
      shelf(record("X-1", { affected: [{ package: { ecosystem: "npm", name: "a" }, ...one }] }));
    const git = { type: "GIT", repo: "https://example.org/a", events: [{ introduced: "0" }] };
    expect(found(of({ versions: ["1.0.0"] }), A1)).toEqual([["X-1", "unknown", "version"]]);
    expect(found(of({ versions: ["1.0.1"] }), A1)).toEqual([]);
    expect(found(of({ ranges: [git] }), A1)).toEqual([]);
    expect(of({ ranges: [git, git] }).git_ranges).toBe(2);
    expect(found(of({ ranges: [git], versions: ["1.0.0"] }), A1)).toHaveLength(1);
    expect(found(of({ ranges: [{ ...git, type: "NEW" }] }), A1)).toEqual([["X-1", "unknown", "undecidable"]]);
    expect(found(of({}), A1)).toEqual([["X-1", "unknown", "undecidable"]]);
    expect(found(shelf(record("X-1", { affected: null })), A1)).toEqual([]);
  });

  it("[L-51.1] a record that is not as the format says is refused", () => {
    const wrong: readonly JsonValue[] = [
      [],
      null,
      record(""),
      record("-x y"),
      { ...record("X"), modified: "yesterday" },
      { ...record("X"), modified: "2026-02-30T00:00:00Z" },
      record("X", { withdrawn: "soon" }),
      record("X", { withdrawn: false }),
      record("X", { affected: {} }),
      record("X", { affected: [1] }),
      record("X", { aliases: [1] }),
      record("X", { affected: [{ package: "a" }] }),
      record("X", { affected: [{ package: { name: "a" } }] }),
      record("X", { affected: [affected("npm", "a", "x")] }),
      record("X", { affected: [affected("npm", "a", {})] }),
      record("X", { affected: [affected("npm", "a", { introduced: 0 })] }),
      record("X", { affected: [{ package: { ecosystem: "npm", name: "a" }, ranges: [1] }] }),
      record("X", { affected: [{ package: { ecosystem: "npm", name: "a" }, ranges: [{ events: [] }] }] }),
      record("X", { affected: [{ package: { ecosystem: "npm", name: "a" }, versions: [1] }] }),
    ];
    for (const one of wrong) expect([one, typeof readAdvisory(one)]).toEqual([one, "string"]);
  });
});

describe("[L-51.1] severity", () => {
  it("[L-51.1] base scores of CVSS 2, 3 and 4; what cannot be read is no score", () => {
    const rows: readonly (readonly [string, number | undefined])[] = [
      [V3, 9.8],
      ["CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.8],
      [`${V3}/E:U/RL:O`, 9.8],
      ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3],
      ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", 9.3],
      ["AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5],
      ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0],
      ["CVSS:3.1/AV:N/AC:L", undefined],
      ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H", undefined],
      ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H", undefined],
      ["AV:N/AC:L/Au:N/C:P/I:P", undefined],
      ["CVSS:3.1/AV:N/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/XX:Q", undefined],
      ["CVSS:9.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", undefined],
      ["CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", undefined],
      ["high", undefined],
      ["", undefined],
      [`CVSS:3.1${"/AV:N".repeat(10_000)}`, undefined],
    ];
    for (const [vector, score] of rows) expect([vector, baseScore(vector)]).toEqual([vector, score]);
  });

  it("[L-51.1] the worst vector, else the database's word, else unknown: never low because nobody said", () => {
    const low = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
    expect(ratingOf("X", [low, V3], ["LOW"])).toEqual({ severity: "critical", score: 9.8 });
    expect(ratingOf("X", [low], ["CRITICAL"])).toEqual({ severity: "low", score: 1.8 });
    expect(ratingOf("X", ["garbage"], ["moderate", "HIGH"])).toEqual({ severity: "high", score: null });
    expect(ratingOf("X", [], ["MODERATE"])).toEqual({ severity: "medium", score: null });
    expect(ratingOf("X", [], [])).toEqual({ severity: "unknown", score: null });
    expect(ratingOf("X", [], ["constructor", "weird"])).toEqual({ severity: "unknown", score: null });
    expect(ratingOf("MAL-2026-1", [], [])).toEqual({ severity: "critical", score: null });
  });

  it("[L-51.1] a package's own rating and its database's word are read where they stand", () => {
    const rated = (more: Readonly<Record<string, JsonValue>>, own: Readonly<Record<string, JsonValue>> = {}) =>
      found(
        shelf(record("X", { ...more, affected: [{ ...affected("npm", "a", { introduced: "0" }), ...own }] })),
        A1,
      )[0]?.[1];
    expect(rated({ database_specific: { severity: "HIGH" } })).toBe("high");
    expect(rated({}, { ecosystem_specific: { severity: "MODERATE" } })).toBe("medium");
    expect(rated({}, { severity: [{ type: "CVSS_V3", score: V3 }] })).toBe("critical");
    expect(rated({ severity: [{ type: "Ubuntu", score: "medium" }] })).toBe("unknown");
  });
});
