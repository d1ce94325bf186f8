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
import type { PackDeps, PackLibrary } from "./library.ts";
import type { Pack } from "./model.ts";
import { expecting, packMarks, readPacks, type PackTables, type RemovalRow } from "./tables.ts";

export interface Reconciler {
  readonly name: string;
  run(): Promise<void>;
}

/** Between two looks at the approved trees: hashing them is dear, and every use verifies anyway. */
export const PACK_WATCH_MS = 5_000;

export function packReconciler(deps: PackDeps & { readonly summaryPath: string }, library: PackLibrary): Reconciler {
  let lookAgainAt = 0;
  /** How the last run left the packs; undefined where it left something to do. */
  let left: string | undefined;
  return {
    name: "packs",
    run: async () => {
      if (deps.clock.monotonic() < lookAgainAt && (await packMarks(deps.store, deps.store)).text === left) return;
      left = undefined;
      for (const pack of await readPacks(deps.store, deps.store)) await library.finishApply(pack);
      await removeFolders(deps, library);
      if (deps.clock.monotonic() >= lookAgainAt) {
        for (const pack of await readPacks(deps.store, deps.store))
          if (pack.state === "approved") await library.verify(pack.pack_id);
        lookAgainAt = deps.clock.monotonic() + PACK_WATCH_MS;
      }
      const marks = await packMarks(deps.store, deps.store);
      await writePendingSummary(deps, await readPacks(deps.store, deps.store));
      left = marks.is_settled ? marks.text : undefined;
    },
  };
}

async function removeFolders(deps: PackDeps, library: PackLibrary): Promise<void> {
  const db = deps.store.builder<PackTables>();
  const packs = await readPacks(deps.store, deps.store);
  for (const row of await deps.store.rows<RemovalRow>(db.selectFrom("pack_removal").selectAll())) {
    // A pack that came back under this folder meanwhile keeps it.
    if (!packs.some((pack) => pack.source_dir === row.source_dir)) await library.removeSource(row.source_dir);
    await deps.store.commit({
      writes: [expecting(db.deleteFrom("pack_removal").where("source_dir", "=", row.source_dir).compile(), "any")],
      events: [],
    });
  }
}

/** The pending export; capability and pip candidates arrive with their own issues. */
export function pendingSummary(packs: readonly Pack[], now: string) {
  const ids = (state: Pack["state"]): readonly string[] =>
    packs.filter((pack) => pack.state === state).map((pack) => pack.pack_id);
  const none = { pending_count: 0, rejected_count: 0, blocked_count: 0, failed_count: 0, installed_count: 0 };
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
    capability: none,
    pip: none,
  };
}

export async function writePendingSummary(
  deps: PackDeps & { readonly summaryPath: string },
  packs: readonly Pack[],
): Promise<void> {
  const summary = pendingSummary(packs, isoFromMicros(deps.clock.now()));
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
