/** A caller, or a file, says that it is somebody else: it is not, and somebody may want to know. */
import type { EventDraft } from "@rumi/operations";

export function overriddenEvent(of: {
  readonly owner_pack: string;
  readonly claimed_principal: string;
  readonly used_principal: string;
}): EventDraft {
  return {
    action: "principal_id_overridden",
    resource_type: "pack",
    resource_id: of.owner_pack,
    outcome: "REJECTED",
    details: { ...of, claimed_principal: of.claimed_principal.slice(0, 256) },
  };
}
