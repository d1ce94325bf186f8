/** What a look at the approved packs makes of the candidates. The look reads the disk; the decision is pure. */
import { failureText, type Failure } from "@rumi/kernel";
import { foundAgain, newCandidate, type Candidate } from "../candidates/model.ts";
import type { PackLibrary } from "../packs/library.ts";
import type { PackLimits } from "../packs/limits.ts";
import type { Pack } from "../packs/model.ts";
import { candidateKey, lookForHandlers, type HandlerFacts, type SeenHandler, type SkippedHandler } from "./handler.ts";

type Known = Candidate<HandlerFacts>;
export type LookedPack =
  | { readonly pack_id: string; readonly found: readonly SeenHandler[]; readonly skipped: readonly SkippedHandler[] }
  | { readonly pack_id: string; readonly failure: Failure };
export type Skipped = {
  readonly pack_id: string;
  readonly slug: string | null;
  readonly error_code: string | null;
  readonly reason: string;
};
export type ScanPlan = {
  readonly scanned: number;
  readonly listed: readonly Known[];
  readonly saved: readonly { readonly next: Known; readonly before: Known | undefined }[];
  /** Waited for a decision, and their content is in no approved pack any more. */
  readonly gone: readonly Known[];
  readonly skipped: readonly Skipped[];
};

/** Verifies each approved pack and reads its handlers; the others are told with their state. */
export async function lookAtPacks(
  packs: readonly Pack[],
  library: PackLibrary,
  limits: PackLimits,
): Promise<readonly LookedPack[]> {
  const looked: LookedPack[] = [];
  for (const { pack_id } of packs) {
    const verified = await library.verify(pack_id);
    looked.push(
      verified.ok
        ? { pack_id, ...(await lookForHandlers(verified.value.directory, limits)) }
        : { pack_id, failure: verified.error },
    );
  }
  return looked;
}

export function planScan(known: readonly Known[], looked: readonly LookedPack[], now: number): ScanPlan {
  const saved: { next: Known; before: Known | undefined }[] = [];
  const listed: Known[] = [];
  const skipped: Skipped[] = [];
  const gone: Known[] = [];
  for (const pack of looked) {
    if ("failure" in pack) {
      skipped.push(skip(pack.pack_id, null, pack.failure));
      continue;
    }
    skipped.push(...pack.skipped.map(({ slug, failure }) => skip(pack.pack_id, slug, failure)));
    const keys = new Set<string>();
    for (const { facts } of pack.found) {
      const candidate_key = candidateKey(pack.pack_id, facts);
      keys.add(candidate_key);
      const before = known.find((one) => one.candidate_key === candidate_key);
      const next =
        before === undefined
          ? newCandidate({ candidate_key, pack_id: pack.pack_id, facts })
          : again(before, facts, now);
      listed.push(next);
      if (next !== before) saved.push({ next, before });
      if (before !== undefined && next.state !== "pending")
        skipped.push({ pack_id: pack.pack_id, slug: facts.slug, error_code: null, reason: next.state });
    }
    const stale = (one: Known): boolean =>
      one.pack_id === pack.pack_id && one.state === "pending" && !keys.has(one.candidate_key);
    gone.push(...known.filter(stale));
  }
  const scanned = looked.reduce(
    (sum, pack) => sum + ("found" in pack ? pack.found.length + pack.skipped.length : 0),
    0,
  );
  return { scanned, listed, saved, gone, skipped };
}

/** A known key whose folder is another (its handler.json, a module beside it) waits for a decision again. */
function again(before: Known, facts: HandlerFacts, now: number): Known {
  if (before.facts.folder_digest === facts.folder_digest && before.facts.folder === facts.folder)
    return foundAgain(before, now);
  const state = before.state === "installed" ? "pending" : before.state;
  return { ...foundAgain({ ...before, state }, now), facts, generation: before.generation + 1 };
}

function skip(pack_id: string, slug: string | null, failure: Failure): Skipped {
  return { pack_id, slug, error_code: failure.code, reason: failureText(failure, "en").text };
}
