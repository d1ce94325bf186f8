/** Every act on a pack in every state that it can be in: which of them leads to `approved`. */
import { err, failure, ok, type Digest, type Result } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import {
  applied,
  approved,
  foundModified,
  newPack,
  rejected,
  sighted,
  type Pack,
  type PackChange,
  type SeenPack,
} from "./model.ts";

const seenAs = (letter: string): SeenPack => ({
  digest: `sha256:${letter.repeat(64)}` as Digest,
  manifest: { pack_id: "p", pack_identity: "local:p", version: "1.0.0", vocabulary: { types: ["a"] }, strategies: [] },
  files: 1,
  bytes: 1,
});
const SIGHTS = [ok(seenAs("a")), ok(seenAs("b")), err(failure("RUMI-PACK-010", { path: "p", problem: "it is none" }))];

const of = (change: Result<PackChange, unknown>): readonly Pack[] => (change.ok ? [change.value.next] : []);
/** What the system and people may do with a pack, but for approving it. */
const otherwise = (pack: Pack): readonly Pack[] => [
  ...SIGHTS.map((sight) => sighted(pack, sight).next),
  ...of(rejected(pack, "no")),
  foundModified(pack, "source").next,
  foundModified(pack, "store").next,
  ...["a", "b"].flatMap((letter) => of(applied(pack, { staging_id: "s", seen: seenAs(letter), backup: "b" }))),
];
const approvals = (pack: Pack): readonly Pack[] => SIGHTS.flatMap((sight) => of(approved(pack, sight, "user:root", 1)));

/** All that a pack can become, whatever is done in whatever order. */
function reachable(): readonly Pack[] {
  const known = new Map<string, Pack>();
  const waiting: Pack[] = [newPack("p", "p")];
  for (let pack = waiting.pop(); pack !== undefined; pack = waiting.pop()) {
    const key = JSON.stringify({ ...pack, generation: 0 });
    if (known.has(key)) continue;
    known.set(key, pack);
    waiting.push(...otherwise(pack), ...approvals(pack));
  }
  return [...known.values()];
}

describe("[R-5.1] approval", () => {
  const all = reachable();

  it("is reached by approving alone, from every state, and from `modified` again by nothing else", () => {
    expect(new Set(all.map(({ state }) => state))).toEqual(
      new Set(["scanned", "pending", "approved", "rejected", "modified"]),
    );
    for (const pack of all)
      for (const next of otherwise(pack))
        if (next.state === "approved") {
          expect(pack.state, "it was before").toBe("approved");
          expect(next.approved, "and of the same bytes").toEqual(pack.approved);
          expect(next.seen?.digest).toBe(next.approved?.digest);
        }
    for (const pack of all)
      expect(approvals(pack).map(({ state, approved: by }) => [state, by?.digest])).toEqual([
        ["approved", seenAs("a").digest],
        ["approved", seenAs("b").digest],
      ]);
  });

  it("is not had by a pack whose manifest is refused: that stays `scanned`, with the reason", () => {
    const [, , broken] = SIGHTS;
    if (broken === undefined) throw new Error("it is there");
    const { next } = sighted(newPack("p", "p"), broken);
    expect(next).toMatchObject({ state: "scanned", seen: null, note: "RUMI-PACK-010 it is none" });
    expect(approved(next, broken, "user:root", 1)).toMatchObject({ ok: false, error: { code: "RUMI-PACK-010" } });
  });
});
