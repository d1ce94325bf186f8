/** Which lists of libraries the approved packs bring. The look reads the disk; the plan is pure. */
import { join } from "node:path";
import { failureText, sha256Hex, type Failure } from "@rumi/kernel";
import { foundAgain, newCandidate, type Candidate } from "../candidates/model.ts";
import { exists, readPlain } from "../packs/files.ts";
import type { PackLibrary } from "../packs/library.ts";
import type { Pack } from "../packs/model.ts";
import { LOCK_FILES, parseLock, PIP_LIMITS, type Locked } from "./lock.ts";

export type PipFacts = {
  /** Of the lock, below the pack's root. */
  readonly path: string;
  /** Of the lock, hexadecimal. */
  readonly sha256: string;
  readonly packages: readonly Locked[];
  /** What was installed: where from, and the digest of the whole environment. */
  readonly installed: {
    readonly index_url: string;
    readonly allow_sdist: boolean;
    readonly environment: string;
  } | null;
};
export type PipCandidate = Candidate<PipFacts>;
type SeenLock = Pick<PipFacts, "path" | "sha256" | "packages">;
export type LookedLocks = {
  readonly pack_id: string;
  readonly found: readonly SeenLock[];
  readonly skipped: readonly { readonly path: string | null; readonly failure: Failure }[];
};
export type PipPlan = {
  readonly scanned: number;
  readonly listed: readonly PipCandidate[];
  readonly saved: readonly { readonly next: PipCandidate; readonly before: PipCandidate | undefined }[];
  /** Waited for a decision, and are in no approved pack any more. */
  readonly gone: readonly PipCandidate[];
  readonly skipped: readonly {
    readonly pack_id: string;
    readonly path: string | null;
    readonly error_code: string | null;
    readonly reason: string;
  }[];
};

export function pipKey(pack_id: string, { path, sha256 }: Pick<PipFacts, "path" | "sha256">): string {
  return `${pack_id}:${path}:${sha256}`;
}

/** Verifies each approved pack and reads its locks; the others are told with their state. */
export async function lookAtLocks(
  packs: readonly Pack[],
  library: Pick<PackLibrary, "verify">,
): Promise<readonly LookedLocks[]> {
  const looked: LookedLocks[] = [];
  for (const { pack_id } of packs) {
    const verified = await library.verify(pack_id);
    if (!verified.ok) {
      looked.push({ pack_id, found: [], skipped: [{ path: null, failure: verified.error }] });
      continue;
    }
    const found: SeenLock[] = [];
    const skipped: { path: string; failure: Failure }[] = [];
    for (const path of LOCK_FILES) {
      const file = join(verified.value.directory, path);
      const bytes = (await exists(file)) ? await readPlain(file) : undefined;
      if (bytes === undefined) continue;
      const parsed = parseLock(path, bytes.subarray(0, PIP_LIMITS.lock_bytes + 1).toString("utf8"));
      if (parsed.ok && bytes.length <= PIP_LIMITS.lock_bytes)
        found.push({ path, sha256: sha256Hex(bytes), packages: parsed.value });
      else skipped.push({ path, failure: parsed.ok ? tooLarge(path) : parsed.error });
    }
    looked.push({ pack_id, found, skipped });
  }
  return looked;
}

export function planPipScan(
  {
    known,
    looked,
    broken,
  }: {
    readonly known: readonly PipCandidate[];
    readonly looked: readonly LookedLocks[];
    /** Environments that are not what was installed: their candidates wait for a decision again. */
    readonly broken: ReadonlySet<string>;
  },
  now: number,
): PipPlan {
  const listed: PipCandidate[] = [];
  const saved: { next: PipCandidate; before: PipCandidate | undefined }[] = [];
  const gone: PipCandidate[] = [];
  const skipped: PipPlan["skipped"][number][] = [];
  for (const { pack_id, found, skipped: passed } of looked) {
    for (const { path, failure } of passed)
      skipped.push({ pack_id, path, error_code: failure.code, reason: failureText(failure, "en").text });
    for (const seen of found) {
      const candidate_key = pipKey(pack_id, seen);
      const before = known.find((one) => one.candidate_key === candidate_key);
      const next =
        before === undefined
          ? newCandidate<PipFacts>({ candidate_key, pack_id, facts: { ...seen, installed: null } })
          : again(before, broken, now);
      listed.push(next);
      if (next !== before) saved.push({ next, before });
      if (before !== undefined && next.state !== "pending")
        skipped.push({ pack_id, path: seen.path, error_code: null, reason: next.state });
    }
    const isRead = !passed.some(({ path }) => path === null);
    if (isRead)
      gone.push(
        ...known.filter(
          (one) =>
            one.pack_id === pack_id &&
            one.state === "pending" &&
            !listed.includes(one) &&
            !saved.some(({ before }) => before === one),
        ),
      );
  }
  const scanned = looked.reduce(
    (sum, { found, skipped: passed }) => sum + found.length + passed.filter(({ path }) => path !== null).length,
    0,
  );
  return { scanned, listed, saved, gone, skipped };
}

function again(before: PipCandidate, broken: ReadonlySet<string>, now: number): PipCandidate {
  return before.state === "installed" && broken.has(before.facts.installed?.environment ?? "")
    ? { ...before, state: "pending", note: "its environment was altered", generation: before.generation + 1 }
    : foundAgain(before, now);
}

const tooLarge = (path: string): Failure => ({
  code: "RUMI-PIP-002",
  params: { path, line: 1, problem: `it is larger than ${PIP_LIMITS.lock_bytes} bytes` },
});
