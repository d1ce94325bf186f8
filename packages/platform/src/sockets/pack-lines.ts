/** Whose code it is: the network is its pack's, capabilities are its principal's, the pack's own or a child of it. */
export type LineOwner = { readonly pack_id: string; readonly principal_id: string };
/** What a pack's code is given; null where it cannot be served here. */
export type PackLines = {
  readonly egress: string | null;
  readonly capability: string | null;
  /** Host groups that may use them. */
  readonly groups: readonly number[];
};
