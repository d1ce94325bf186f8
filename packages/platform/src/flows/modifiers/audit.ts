/** What became of each modifier, told to the audit log when it is another than before; at the start of a program always. */
import type { Clock, Random } from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { overriddenEvent } from "../../capabilities/overridden.ts";
import { systemEvent } from "../../system-events.ts";
import type { ModifierEntry } from "./catalogue.ts";

export type ModifierAudit = (modifiers: readonly ModifierEntry[]) => Promise<void>;

export function createModifierAudit(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}): ModifierAudit {
  const { store, clock, random } = deps;
  let told = new Map<string, string>();
  return async (modifiers) => {
    const now = new Map(modifiers.map((one) => [one.modifier.modifier_id, `${one.digest} ${one.skip_reason ?? ""}`]));
    const changed = modifiers.filter(
      ({ modifier }) => told.get(modifier.modifier_id) !== now.get(modifier.modifier_id),
    );
    if (changed.length > 0) {
      const by = { clock, random, actor: "system:flows" };
      const events = changed.flatMap((one) => draftsOf(one).map((draft) => systemEvent(by, draft)));
      const committed = await store.commit({ writes: [], events });
      if (!committed.ok) throw new Error(`modifiers of flows could not be audited: ${committed.error.kind}`);
    }
    told = now;
  };
}

function draftsOf({ modifier, skip_reason, owner_pack }: ModifierEntry): readonly EventDraft[] {
  const { modifier_id, target_flow_id, phase, action, target_step_id, step, claimed_principal } = modifier;
  const overridden =
    claimed_principal === null || owner_pack === null || skip_reason !== null
      ? []
      : [overriddenEvent({ owner_pack, claimed_principal, used_principal: owner_pack })];
  const applied: EventDraft = {
    action: "modifier.applied",
    resource_type: "flow",
    resource_id: target_flow_id,
    outcome: skip_reason === null ? "SUCCESS" : "REJECTED",
    details: {
      flow_id: target_flow_id,
      modifier_id,
      owner_pack,
      phase,
      modifier_action: action,
      target_step_id,
      step_id: step?.id ?? null,
      rejection_reason: skip_reason === null ? null : skip_reason.slice(0, 1_024),
    },
  };
  return [...overridden, applied];
}
