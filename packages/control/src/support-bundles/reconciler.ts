/**
 * Makes the bundles that were asked for and takes the oldest archives off the shelf.
 *
 * The archive is durable before its row says READY and the audit log names its manifest; a crash between the two makes it
 * once more, under the same id.
 */
import { failure, failureText, type Clock } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import type { Store } from "@rumi/store";
import { CONTROL_LIMITS } from "../limits.ts";
import type { Recorder } from "../runners/recorder.ts";
import type { FailureNote } from "../shared/fields.ts";
import { feed } from "../shared/sql.ts";
import { bundleFacts } from "./facts.ts";
import { bundleOf, type Bundle } from "./model.ts";
import { redactor } from "./redactor.ts";
import type { BundleSources } from "./shelf.ts";
import { readBundles, updateBundle, type BundleRow } from "./tables.ts";

const SYSTEM = "system:support_bundles";

export type BundleDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly sources: BundleSources;
  readonly recorder: Pick<Recorder, "commit">;
  readonly logger: Pick<Logger, "error">;
};

export function bundleReconciler(deps: BundleDeps): Reconciler {
  return {
    name: "support bundles",
    run: async () => {
      const waiting = await readBundles(deps.store, deps.store, "REQUESTED");
      for (const row of waiting) await make(deps, row);
      if (waiting.length > 0) await clearShelf(deps);
    },
  };
}

async function make(deps: BundleDeps, row: BundleRow): Promise<void> {
  try {
    const made = await bundleFor(deps, row);
    deps.sources.shelf.put(row.bundle_id, made.archive);
    await commitReady(deps, row, made);
  } catch (error) {
    deps.logger.error("a support bundle could not be made", { bundle_id: row.bundle_id, error });
    const problem = error instanceof Error ? error.message : String(error);
    await commitFailed(deps, row, problem.slice(0, 500));
  }
}

async function bundleFor({ store, clock, sources }: BundleDeps, row: BundleRow): Promise<Bundle> {
  const facts = await store.snapshot((reader) => bundleFacts(reader, store, row.bot_id, clock.now()));
  return bundleOf({
    bundle_id: row.bundle_id,
    ...(row.description === null ? {} : { description: row.description }),
    created_at: clock.now(),
    texts: { ...(await sources.texts()), ...facts.texts },
    redact: redactor([...sources.secrets(), ...facts.secrets]),
  });
}

async function commitReady({ store, clock, recorder }: BundleDeps, row: BundleRow, made: Bundle): Promise<void> {
  const { bundle_id, trace_id, reason } = row;
  const change = {
    state: "READY",
    ready_at: clock.now(),
    manifest: JSON.stringify(made.manifest),
    manifest_sha256: made.manifest_sha256,
    archive_sha256: made.archive_sha256,
    archive_bytes: made.archive.length,
  } as const;
  await recorder.commit(
    SYSTEM,
    [updateBundle(store, row, change), told(store, bundle_id, "READY", clock.now())],
    [
      {
        action: "support_bundle.created",
        resource_type: "support_bundle",
        resource_id: bundle_id,
        outcome: "SUCCESS",
        details: {
          manifest_sha256: made.manifest_sha256,
          files: made.manifest.files.length,
          bytes: made.archive.length,
        },
      },
    ],
    { trace_id, reason },
  );
}

async function commitFailed({ store, clock, recorder }: BundleDeps, row: BundleRow, problem: string): Promise<void> {
  const { text, next } = failureText(failure("RUMI-CMD-051", { bundle_id: row.bundle_id, problem }), "en");
  const note: FailureNote = {
    error_code: "RUMI-CMD-051",
    reason_code: "G.BUNDLE.FAILED",
    error: text,
    suggestion: next,
  };
  const change = { state: "FAILED", failure: JSON.stringify(note) } as const;
  await recorder.commit(
    SYSTEM,
    [updateBundle(store, row, change), told(store, row.bundle_id, "FAILED", clock.now())],
    [],
  );
}

const told = (store: Store, bundle_id: string, state: string, now: number) =>
  feed(store, "support_bundle", bundle_id, { bundle_id, state }, now);

/** The newest stay; of the others the manifest stays, and the log's word of it. */
async function clearShelf({ store, sources, recorder }: BundleDeps): Promise<void> {
  const ready = await readBundles(store, store, "READY");
  for (const row of ready.slice(0, Math.max(0, ready.length - CONTROL_LIMITS.bundles_kept))) {
    if (await recorder.commit(SYSTEM, [updateBundle(store, row, { state: "REMOVED" })], []))
      sources.shelf.remove(row.bundle_id);
  }
}
