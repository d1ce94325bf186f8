/** What the server needs from the parts above it; the composition root hands it in. */
import type { Random, Clock, Scrubber } from "@rumi/kernel";
import type { Authenticator, FailureLimiter, Logger, Metrics, Pipeline } from "@rumi/operations";

export interface HealthSource {
  status(): Promise<"UP" | "DEGRADED" | "UNKNOWN" | "DOWN">;
}

/** The audit log in the layout of C2SP tlog-tiles. */
export interface LogSource {
  /** The newest signed note; null while the log is empty. */
  checkpoint(): Promise<string | null>;
  /** `path` is what follows `/tlog/tile/`, e.g. `0/x001/067` or `entries/000.p/5`; null where there is none. */
  tile(path: string): Promise<Uint8Array | null>;
  /** The verifier key line. */
  vkey(): string;
}

/** Paths that packs serve beside the program's own (the declared operation `routes.call` carries them out). */
export interface PackRoutePort {
  match(
    method: string,
    path: string,
  ): { readonly kind: "route" | "none" } | { readonly kind: "methods"; readonly allowed: readonly string[] };
  /** Told once which paths are the program's own. */
  know(isOurs: (path: string) => boolean): void;
}

export type RunbookOf = (code: string, reason_code: string | undefined) => string | undefined;

export type ServerSettings = {
  readonly pipeline: Pipeline;
  readonly authenticator: Authenticator;
  readonly limiter: FailureLimiter;
  readonly health: HealthSource;
  readonly log: LogSource | null;
  /** None where nothing is given. */
  readonly packRoutes?: PackRoutePort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Takes known secrets out of every answer and every live change; without it none are known. */
  readonly scrubber?: Scrubber;
  readonly metrics: Metrics;
  /** Done before each answer of /metrics: what is only known elsewhere is published then. */
  readonly beforeScrape?: () => Promise<void>;
  readonly bind_address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Exact origins, e.g. `http://localhost:3000`. */
  readonly cors_origins: readonly string[];
  readonly body_limit_bytes: number;
  /** The built console; null or an absent folder serves a page that says how to build it. */
  readonly console_folder: string | null;
  /** The page that helps with a refusal, `docs/runbooks/….md`; none where it is left out. */
  readonly runbookOf?: RunbookOf;
  readonly version: string;
};
