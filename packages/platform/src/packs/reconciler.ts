/**
 * Brings the disk to what the tables say: staged imports into place, uninstalled folders away, the pending
 * summary up to date; and looks at approved packs so that a change is noticed without a start.
 *
 * Level-triggered: each run reads what there is and may be repeated at any time. It is nudged by every commit of the home,
 * so a run first asks whether a pack is another than the last one left it, and reads manifests and files only then or when
 * the time of a look has come (library.test.ts).
 */
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { isoFromMicros } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import type { PackDeps, PackLibrary } from "./library.ts";
import type { Pack } from "./model.ts";
import { expecting, packMarks, readPacks, type PackTables, type RemovalRow } from "./tables.ts";

export interface Reconciler {
  readonly name: string;
  run(): Promise<void>;
}

/** Between two looks at the approved trees: hashing them is dear, and every use verifies anyway. */
export const PACK_WATCH_MS = 5_000;

/** How many candidates of a kind are in each state. */
export type CandidateCounts = Readonly<
  Record<"pending_count" | "rejected_count" | "blocked_count" | "failed_count" | "installed_count", number>
>;
type CountCandidates = (reader: Reader) => Promise<CandidateCounts>;

export type SummaryDeps = PackDeps & {
  readonly summaryPath: string;
  /** Whoever keeps candidates counts them for the summary; none where nothing is given. */
  readonly candidates?: { readonly capability?: CountCandidates; readonly pip?: CountCandidates };
};

export function packReconciler(deps: SummaryDeps, library: PackLibrary): Reconciler {
  let lookAgainAt = 0;
  /** How the last run left the packs; undefined where it left something to do. */
  let left: string | undefined;
  let is_swept = false;
  return {
    name: "packs",
    run: async () => {
      if (!is_swept) await library.sweep();
      is_swept = true;
      const counts = await candidateCounts(deps);
      const now = `${(await packMarks(deps.store, deps.store)).text}${JSON.stringify(counts)}`;
      if (deps.clock.monotonic() < lookAgainAt && now === left) return;
      left = undefined;
      for (const pack of await readPacks(deps.store, deps.store)) await library.finishApply(pack);
      await removeFolders(deps, library);
      if (deps.clock.monotonic() >= lookAgainAt) {
        for (const pack of await readPacks(deps.store, deps.store))
          if (pack.state === "approved") await library.verify(pack.pack_id);
        lookAgainAt = deps.clock.monotonic() + PACK_WATCH_MS;
      }
      const marks = await packMarks(deps.store, deps.store);
      await writePendingSummary(deps, await readPacks(deps.store, deps.store), counts);
      left = marks.is_settled ? `${marks.text}${JSON.stringify(counts)}` : undefined;
    },
  };
}

async function removeFolders(deps: PackDeps, library: PackLibrary): Promise<void> {
  const db = deps.store.builder<PackTables>();
  const rows = await deps.store.rows<RemovalRow>(db.selectFrom("pack_removal").selectAll());
  const packs = await readPacks(deps.store, deps.store); // read after the rows: an uninstall between the two is the next run's
  for (const row of rows) {
    // A pack that came back under this folder meanwhile keeps it.
    if (!packs.some((pack) => pack.source_dir === row.source_dir)) await library.removeSource(row.source_dir);
    await deps.store.commit({
      writes: [expecting(db.deleteFrom("pack_removal").where("source_dir", "=", row.source_dir).compile(), "any")],
      events: [],
    });
  }
}

type Candidates = { readonly capability: CandidateCounts; readonly pip: CandidateCounts };

const NO_CANDIDATES: CandidateCounts = {
  pending_count: 0,
  rejected_count: 0,
  blocked_count: 0,
  failed_count: 0,
  installed_count: 0,
};

async function candidateCounts({ store, candidates = {} }: SummaryDeps): Promise<Candidates> {
  return {
    capability: (await candidates.capability?.(store)) ?? NO_CANDIDATES,
    pip: (await candidates.pip?.(store)) ?? NO_CANDIDATES,
  };
}

/** The pending export: as many and the same as the lists of the API say. */
export function pendingSummary(packs: readonly Pack[], now: string, { capability, pip }: Candidates) {
  const ids = (state: Pack["state"]): readonly string[] =>
    packs.filter((pack) => pack.state === state).map((pack) => pack.pack_id);
  const [pending_ids, modified_ids, blocked_ids] = [ids("pending"), ids("modified"), ids("rejected")];
  return {
    ts: now,
    version: "1.0",
    packs: {
      pending_count: pending_ids.length,
      pending_ids,
      modified_count: modified_ids.length,
      modified_ids,
      blocked_count: blocked_ids.length,
      blocked_ids,
    },
    capability,
    pip,
  };
}

export async function writePendingSummary(
  deps: SummaryDeps,
  packs: readonly Pack[],
  candidates: Candidates,
): Promise<void> {
  const summary = pendingSummary(packs, isoFromMicros(deps.clock.now()), candidates);
  const before = await readFile(deps.summaryPath, "utf8").then(
    (text) => JSON.parse(text) as unknown,
    () => undefined,
  );
  if (JSON.stringify({ ...(before as object | undefined), ts: "" }) === JSON.stringify({ ...summary, ts: "" })) return;
  await mkdir(dirname(deps.summaryPath), { recursive: true });
  const file = await open(`${deps.summaryPath}.new`, "w", 0o644);
  try {
    await file.writeFile(`${JSON.stringify(summary, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${deps.summaryPath}.new`, deps.summaryPath);
}
