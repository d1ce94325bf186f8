/** From a specification to the outside it names: adapters, key, gateway, tape. The only place that knows their kinds. */
import { readFileSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { VenueSimExecution, VenueSimMarket, type ApiKey } from "@rumi/venues";
import type { InstanceSpec, KeyReference, LiveVenueSpec } from "../protocol.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import { LiveSide, type LiveOptions } from "./live-side.ts";
import { tapeLimitsOf } from "../tape/limits.ts";

export type OpenLiveOptions = Pick<LiveOptions, "mayEmit" | "monotonic" | "wallNow" | "timers" | "datasync"> & {
  readonly spec: InstanceSpec;
  readonly live: LiveVenueSpec;
  readonly environment: NodeJS.ProcessEnv;
  /** Tests lower them. */
  readonly lower?: Partial<GatewayLimits>;
};

/** Errors RUMI-MKT-022 and RUMI-STR-045. */
export function openLive({ spec, live, environment, lower, ...clocks }: OpenLiveOptions): Result<LiveSide, Failure> {
  const key = readVenueKey(live.key, environment);
  if (!key.ok) return key;
  const limits = { ...GATEWAY_LIMITS, ...lower, requests_per_second: live.requests_per_second };
  const http = {
    url: live.url,
    key: key.value,
    recv_window_ms: limits.recv_window_ms,
    timeout_ms: limits.answer_ms,
    wallNow_us: clocks.wallNow,
    instruments: spec.instruments,
  };
  return LiveSide.open({
    ...clocks,
    spec,
    limits,
    tape: tapeLimitsOf(live),
    execution: new VenueSimExecution(http),
    market: new VenueSimMarket({ ...http, stale_after_ms: live.stale_after_ms }),
  });
}

/** `{"key_id": …, "secret": …}`; what is wrong is said, what is in it never. Error RUMI-MKT-022. */
export function readVenueKey(reference: KeyReference, environment: NodeJS.ProcessEnv): Result<ApiKey, Failure> {
  const isFile = "file" in reference;
  const source = isFile ? reference.file : `the environment's ${reference.env}`;
  const refuse = (problem: string): Result<ApiKey, Failure> =>
    err(failure("RUMI-MKT-022", { source, problem }, { reasonCode: "M.VENUE.KEY_UNREADABLE" }));
  let text: string | undefined;
  if (isFile) {
    if (!isAbsolute(reference.file)) return refuse("its path is not absolute");
    try {
      if ((statSync(reference.file).mode & 0o077) !== 0) return refuse("others may read it");
      text = readFileSync(reference.file, "utf8");
    } catch (problem) {
      return refuse((problem as NodeJS.ErrnoException).code ?? "it cannot be read");
    }
  } else text = environment[reference.env];
  if (text === undefined) return refuse("it is not set");
  const parsed = parseKey(text);
  return parsed === undefined ? refuse("it is not {key_id, secret}") : ok(parsed);
}

function parseKey(text: string): ApiKey | undefined {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    const { key_id, secret } = value ?? {};
    const isKey = typeof key_id === "string" && key_id !== "" && typeof secret === "string" && secret !== "";
    return isKey ? { key_id, secret } : undefined;
  } catch {
    return undefined;
  }
}
