/** What a running command's row remembers of it: enough to carry it out again after a crash. */
import type { Principal } from "./operation.ts";

/** JSON text of this is the row's `recovery_point`. */
export type StoredRequest = {
  readonly version: 1;
  /** Identifies the process that carries it out. */
  readonly owner: string;
  /** Runs begun so far. */
  readonly attempts: number;
  readonly principal: Principal;
  readonly input: Readonly<Record<string, unknown>>;
  /** Some of the input was secret and is not here. */
  readonly withheld: boolean;
  readonly run_id: string | null;
  /** The training in which it was asked for: it stays a rehearsal, whenever it is carried out. */
  readonly training?: string;
};
