/** A service as a bot names it: its contract, and the file of the pack that answers. */
import type { ServiceSchema } from "./schema.ts";

export type ServiceSpec = {
  /** As a strategy names it: [a-z][a-z0-9_]{0,31}. */
  readonly name: string;
  /** File of the pack that answers. */
  readonly entrypoint: string;
  readonly request: ServiceSchema;
  readonly answer: ServiceSchema;
  readonly timeout_ms: number;
  /** Event time: an older answer is never heard. */
  readonly staleness_us: number;
};
