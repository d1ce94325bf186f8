/** Items of the preflight that may be overridden; no other ever is. */
export const OVERRIDABLE = ["dependencies", "runbook"] as const;
export type OverridableCheck = (typeof OVERRIDABLE)[number];
