/**
 * What a pack is to the operator, and what each act makes of it. Pure.
 *
 * Think of two digests: the one seen in the source folder, and the one a person approved. `approved` means
 * that they are the same and that the store holds that tree; any other sight of the source is `modified`.
 *
 * Invariants
 * - Nothing but `approve` leads to `approved`; nothing but `approve` leads out of `modified` to it again
 *   (packages/platform/src/packs/model.test.ts).
 * - A pack whose manifest is refused stays `scanned`, with the reason, and cannot be approved (library.test.ts).
 */
import { err, failure, ok, type Digest, type Failure, type Result } from "@rumi/kernel";
import type { PackManifest } from "./manifest.ts";

export const PACK_STATES = ["scanned", "pending", "approved", "rejected", "modified"] as const;
export type PackState = (typeof PACK_STATES)[number];

/** The pack as it lies in a folder right now. */
export type SeenPack = {
  readonly digest: Digest;
  readonly manifest: PackManifest;
  readonly files: number;
  readonly bytes: number;
};

export type Pack = {
  readonly pack_id: string;
  readonly state: PackState;
  /** Of the source when it was last looked at. */
  readonly seen: SeenPack | null;
  readonly approved: {
    readonly digest: Digest;
    readonly manifest: PackManifest;
    readonly at: number;
    readonly by: string;
  } | null;
  /** Folder name below ecosystem/. */
  readonly source_dir: string;
  /** A staged import that is still to be moved to ecosystem/. */
  readonly applying: string | null;
  /** What the folder that the import replaces is called in user_data/pack_backups/. */
  readonly backup: string | null;
  /** Why it is `scanned`, `rejected` or `modified`. */
  readonly note: string | null;
  readonly generation: number;
};

export type PackChange = {
  readonly next: Pack;
  readonly event: "pack.scanned" | "pack.pending" | "pack.approved" | "pack.rejected" | "pack.modified" | null;
};

/** What a look at the source makes of a pack. */
export function sighted(pack: Pack, seen: Result<SeenPack, Failure>): PackChange {
  if (!seen.ok) {
    const note = `${seen.error.code} ${seen.error.params["problem"] ?? ""}`.trim();
    if (pack.state === "approved")
      return changed(pack, { state: "modified", note: `source: ${note}` }, "pack.modified");
    if (pack.state === "modified" || (pack.state === "scanned" && pack.note === note))
      return { next: pack, event: null };
    return changed(pack, { state: "scanned", seen: null, note }, "pack.scanned");
  }
  const same = pack.seen !== null && pack.seen.digest === seen.value.digest;
  switch (pack.state) {
    case "scanned":
      return changed(pack, { state: "pending", seen: seen.value, note: null }, "pack.pending");
    case "pending":
      return same ? { next: pack, event: null } : changed(pack, { seen: seen.value }, "pack.pending");
    case "rejected":
      return same
        ? { next: pack, event: null }
        : changed(pack, { state: "pending", seen: seen.value, note: null }, "pack.pending");
    case "approved":
      if (pack.approved?.digest === seen.value.digest) return { next: pack, event: null };
      return changed(pack, { state: "modified", seen: seen.value, note: "source" }, "pack.modified");
    case "modified":
      return same ? { next: pack, event: null } : changed(pack, { seen: seen.value }, "pack.modified");
  }
}

export function newPack(pack_id: string, source_dir: string): Pack {
  return {
    pack_id,
    state: "scanned",
    seen: null,
    approved: null,
    source_dir,
    applying: null,
    backup: null,
    note: null,
    generation: 0,
  };
}

/** A person read it and says yes to exactly what lies there. */
export function approved(
  pack: Pack,
  seen: Result<SeenPack, Failure>,
  by: string,
  at: number,
): Result<PackChange, Failure> {
  if (!seen.ok) return seen;
  if (seen.value.manifest.pack_id !== pack.pack_id)
    return err(failure("RUMI-PACK-003", { found: seen.value.manifest.pack_id, expected: pack.pack_id }));
  if (pack.state === "approved" && pack.approved?.digest === seen.value.digest) return ok({ next: pack, event: null });
  const approval = { digest: seen.value.digest, manifest: seen.value.manifest, at, by };
  return ok(changed(pack, { state: "approved", seen: seen.value, approved: approval, note: null }, "pack.approved"));
}

export function rejected(pack: Pack, reason: string | null): Result<PackChange, Failure> {
  if (pack.state === "approved" || pack.state === "rejected") {
    return err(failure("RUMI-PACK-013", { pack_id: pack.pack_id, state: pack.state, act: "reject" }));
  }
  return ok(changed(pack, { state: "rejected", approved: null, note: reason }, "pack.rejected"));
}

/** The store copy or the source is not what was approved. */
export function foundModified(pack: Pack, where: "source" | "store"): PackChange {
  return pack.state === "approved"
    ? changed(pack, { state: "modified", note: where }, "pack.modified")
    : { next: pack, event: null };
}

/** A staged import takes the place of whatever has this id. */
export function applied(
  pack: Pack | undefined,
  staged: { readonly staging_id: string; readonly seen: SeenPack; readonly backup: string },
): Result<PackChange, Failure> {
  const { pack_id, pack_identity } = staged.seen.manifest;
  const current = pack ?? newPack(pack_id, pack_id);
  const known = current.approved?.manifest.pack_identity ?? current.seen?.manifest.pack_identity;
  if (known !== undefined && known !== pack_identity)
    return err(failure("RUMI-PACK-015", { pack_id, found: pack_identity, expected: known }));
  const looked = sighted(current, ok(staged.seen));
  return ok({
    next: { ...looked.next, applying: staged.staging_id, backup: staged.backup, generation: current.generation + 1 },
    event: looked.event,
  });
}

/** What a reference to a strategy is judged by. */
export type Approval = Pick<Pack, "pack_id" | "state" | "note"> & {
  readonly approved: Pick<NonNullable<Pack["approved"]>, "digest" | "manifest"> | null;
};

/** [M-2.1.5, L-N12] Which descriptor an approved pack offers under this reference, at this digest only. */
export function approvedStrategy(
  pack: Approval,
  reference: { readonly strategy_id: string; readonly strategy_version: string; readonly digest: string },
) {
  if (pack.state === "modified")
    return err(failure("RUMI-PACK-007", { pack_id: pack.pack_id, where: pack.note ?? "source" }));
  if (pack.state !== "approved" || pack.approved === null)
    return err(failure("RUMI-PACK-006", { pack_id: pack.pack_id, state: pack.state }));
  if (pack.approved.digest !== reference.digest)
    return err(failure("RUMI-PACK-018", { pack_id: pack.pack_id, digest: reference.digest }));
  const found = pack.approved.manifest.strategies.find(
    (one) => one.strategy_id === reference.strategy_id && one.strategy_version === reference.strategy_version,
  );
  return found === undefined
    ? err(
        failure("RUMI-PACK-017", {
          pack_id: pack.pack_id,
          strategy_id: reference.strategy_id,
          strategy_version: reference.strategy_version,
        }),
      )
    : ok({ descriptor: found, manifest: pack.approved.manifest });
}

function changed(pack: Pack, change: Partial<Pack>, event: PackChange["event"]): PackChange {
  return { next: { ...pack, ...change, generation: pack.generation + 1 }, event };
}
