/** What an admission is asked: the contract, the file, the configuration and the box of a start. */
import type { Digest } from "@rumi/kernel";
import type { InstanceSpec } from "../protocol.ts";
import type { LoadStrategyOptions } from "../strategy/load.ts";

export type AdmissionRequest = Pick<
  InstanceSpec,
  "descriptor" | "pack_dir" | "config" | "seed" | "instruments" | "isolation" | "isolation_level" | "limits"
> & {
  readonly pack_digest?: Digest;
  readonly venue: { readonly venue_id: string };
  readonly python?: LoadStrategyOptions["python"];
  readonly jails?: LoadStrategyOptions["jails"];
  readonly native?: LoadStrategyOptions["native"];
  /** Version of the state that would be restored, if there is one. */
  readonly saved_state_version?: number;
  /** The run whose state it would begin with: its newest checkpoint is tried, migration included. */
  readonly from?: { readonly run_dir: string };
  readonly monotonic: () => number;
  /** Key of a report that the control plane keeps; the smoke is left out when it is the key of this very subject. */
  readonly admitted?: Digest;
};
