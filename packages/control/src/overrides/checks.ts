/** Items of the preflight that may be overridden for one bot; no other ever is. */
export const OVERRIDABLE = ["dependencies", "runbook"] as const;
/** Those that are about an artifact, whichever bot uses it: only inside an open break-glass session. */
export const ARTIFACT_OVERRIDABLE = ["supply_chain"] as const;
export type OverridableCheck = (typeof OVERRIDABLE)[number] | (typeof ARTIFACT_OVERRIDABLE)[number];
