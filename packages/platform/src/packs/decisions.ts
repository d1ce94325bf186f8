/** What the operations of packs share: what goes in, what an operator sees of a pack, and the decision that a change is. */
import type { Micros } from "@rumi/kernel";
import type { Decision } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { packEvent } from "./library.ts";
import type { Pack, PackChange } from "./model.ts";
import type { VerifiedProvenance } from "./provenance.ts";
import { savePack } from "./tables.ts";

export const closed = { additionalProperties: false } as const;
export const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
export const NO_DANGER = () => ({ kind: "none" }) as const;

export type WriteContext = { readonly now: Micros; readonly store: Pick<Store, "builder" | "dialect"> };

export function decisionOf(
  before: Pack | undefined,
  change: PackChange,
  context: WriteContext,
  extra: Readonly<Record<string, unknown>> = {},
): Decision {
  const event = packEvent(change);
  return {
    writes: change.next === before ? [] : [savePack(context.store, change.next, before, context.now)],
    events: event === undefined ? [] : [event],
    outbox: [],
    data: { ...packView(change.next), ...extra },
  };
}

/** What an operator sees of a pack. */
export function packView(pack: Pack) {
  const manifest = pack.seen?.manifest ?? pack.approved?.manifest;
  return {
    pack_id: pack.pack_id,
    status: pack.state,
    state: pack.state,
    display_name: manifest?.display_name ?? null,
    version: manifest?.version ?? null,
    pack_identity: manifest?.pack_identity ?? null,
    digest: pack.seen?.digest ?? null,
    approved_digest: pack.approved?.digest ?? null,
    approved_by: pack.approved?.by ?? null,
    approved_at: pack.approved?.at ?? null,
    source_dir: `ecosystem/${pack.source_dir}`,
    note: pack.note,
    strategies: (manifest?.strategies ?? []).map(({ strategy_id, strategy_version, runtime_kind }) => ({
      strategy_id,
      strategy_version,
      runtime_kind,
    })),
    generation: pack.generation,
  };
}

/** What an operator sees of where a pack comes from. */
export function provenanceView({ provenance, keyid, sha256 }: VerifiedProvenance) {
  return { ...provenance, keyid, sha256 };
}

/** What the log keeps of it: its digest, which pins every other word. */
export function provenanceDetails(known: VerifiedProvenance | null) {
  return known === null ? {} : { provenance_sha256: known.sha256, code_run_id: known.provenance.run.run_id };
}
