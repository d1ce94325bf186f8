/** Where files of flows and modifiers may come from. */

/** In order of strength. */
export const FLOW_SOURCES = ["flows", "shared", "pack", "local_pack", "legacy"] as const;
export type FlowSource = (typeof FLOW_SOURCES)[number];
