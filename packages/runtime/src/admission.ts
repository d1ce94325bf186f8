/**
 * Admission: what is checked before every start (M-12.1), and the report that is kept.
 *
 * Checks run in order and all are reported; a check that cannot run because an earlier one failed is not in the report.
 * The smoke runs the real strategy, in its real sandbox, through the real machine over synthetic trades: init, events,
 * saved state, a second life from that state, shutdown. Any fault, malformed output or bad metadata refuses it.
 */
import { ABI_VERSION, parseDescriptor, type StrategyDescriptor, validateConfig } from "@rumi/abi";
import { type ClientOrderId, type Failure, seededRandom } from "@rumi/kernel";
import { allocateColumns, createSimulatedVenue, type MarketFeed } from "@rumi/venues";
import type { MachineEntry } from "./instance/entry.ts";
import { gateContextOf } from "./instance/gate-context.ts";
import { InstanceMachine } from "./instance/machine.ts";
import type { InstanceSpec } from "./protocol.ts";
import { loadStrategy, type LoadStrategyOptions, readEntrypoint } from "./strategy/load.ts";
import type { IsolationInForce, Strategy } from "./strategy/strategy.ts";
import { WasmStrategy } from "./strategy/wasm.ts";

export const ADMISSION_LIMITS = { smoke_events: 200, smoke_events_process: 20, smoke_ms: 5_000 } as const;

export type AdmissionRequest = Pick<
  InstanceSpec,
  "descriptor" | "pack_dir" | "config" | "seed" | "instruments" | "isolation" | "limits"
> & {
  readonly venue: { readonly venue_id: string };
  readonly python?: LoadStrategyOptions["python"];
  /** Version of the state that would be restored, if there is one. */
  readonly saved_state_version?: number;
  readonly monotonic: () => number;
};

export type AdmissionCheck = {
  readonly check:
    | "descriptor"
    | "lane"
    | "capabilities"
    | "config"
    | "binary_hash"
    | "isolation"
    | "abi_version"
    | "state_schema"
    | "smoke";
  readonly passed: boolean;
  readonly reason_code: string | null;
  readonly detail: string;
};
export type AdmissionReport = {
  readonly admitted: boolean;
  readonly checks: readonly AdmissionCheck[];
  readonly isolation: IsolationInForce | null;
  /** The first refusal with its code, where another room gave one. */ readonly failure: Failure | null;
};

export function admit(request: AdmissionRequest): AdmissionReport {
  const checks: AdmissionCheck[] = [];
  let first: Failure | null = null;
  const note = (
    check: AdmissionCheck["check"],
    problem: { readonly reason_code: string; readonly detail: string; readonly failure?: Failure } | null,
  ): boolean => {
    checks.push({
      check,
      passed: problem === null,
      reason_code: problem?.reason_code ?? null,
      detail: problem?.detail ?? "",
    });
    first ??= problem?.failure ?? null;
    return problem === null;
  };
  const failed = (
    of: Failure,
  ): { readonly reason_code: string; readonly detail: string; readonly failure: Failure } => ({
    reason_code: of.reasonCode ?? of.code,
    detail: JSON.stringify(of.params),
    failure: of,
  });
  const report = (isolation: IsolationInForce | null): AdmissionReport => ({
    admitted: checks.every((check) => check.passed),
    checks,
    isolation,
    failure: first,
  });

  const parsed = parseDescriptor(request.descriptor);
  if (!note("descriptor", parsed.ok ? null : failed(parsed.error)) || !parsed.ok) return report(null);
  const descriptor = parsed.value;
  note(
    "lane",
    descriptor.capabilities.lane === "ll" && descriptor.capabilities.external_services.length > 0
      ? { reason_code: "M.LANE.EXTERNAL_ON_LL", detail: "the low-latency lane forbids external services" }
      : null,
  );
  note("capabilities", capabilityProblem(request, descriptor));
  const config = validateConfig(descriptor.config_schema, request.config);
  note("config", config.ok ? null : failed(config.error));
  const entrypoint = readEntrypoint(request.pack_dir, descriptor);
  note("binary_hash", entrypoint.ok ? null : failed(entrypoint.error));
  if (checks.some((check) => !check.passed) || !config.ok) return report(null);

  const opened = loadStrategy({
    descriptor,
    pack_dir: request.pack_dir,
    isolation: request.isolation,
    ...(request.python === undefined ? {} : { python: request.python }),
  });
  if (!note("isolation", opened.ok ? null : failed(opened.error)) || !opened.ok) return report(null);
  const strategy = opened.value;
  try {
    const version = strategy instanceof WasmStrategy ? strategy.abiVersion() : ABI_VERSION;
    if (
      !note(
        "abi_version",
        version === ABI_VERSION
          ? null
          : { reason_code: "M.ABI.VERSION", detail: `the strategy speaks ${version}; this host speaks ${ABI_VERSION}` },
      )
    )
      return report(strategy.isolation);
    const broken = smoke({ ...request, descriptor, config: config.value }, strategy);
    note("smoke", broken === null ? null : { reason_code: broken, detail: "synthetic events broke the contract" });
    const saved = request.saved_state_version ?? descriptor.state_schema_version;
    note(
      "state_schema",
      saved > descriptor.state_schema_version
        ? {
            reason_code: "M.STATE.INCOMPATIBLE",
            detail: `saved state has version ${saved}, the strategy ${descriptor.state_schema_version}`,
          }
        : null,
    );
    return report(strategy.isolation);
  } finally {
    strategy.close();
  }
}

function capabilityProblem(
  { instruments, venue }: AdmissionRequest,
  { capabilities }: StrategyDescriptor,
): { readonly reason_code: string; readonly detail: string } | null {
  if (!capabilities.venues.includes("*") && !capabilities.venues.includes(venue.venue_id))
    return { reason_code: "M.CAPABILITY.VENUE_NOT_ALLOWED", detail: venue.venue_id };
  const foreign = instruments.find(
    (one) => !capabilities.instruments.includes("*") && !capabilities.instruments.includes(one.instrument_id),
  );
  return foreign === undefined
    ? null
    : { reason_code: "M.CAPABILITY.INSTRUMENT_NOT_ALLOWED", detail: foreign.instrument_id };
}

/** `null`, or the reason code of the first thing that a well-behaved strategy does not do. */
function smoke(request: AdmissionRequest, strategy: Strategy): string | null {
  const { descriptor, instruments } = request;
  const feed = syntheticTrades(
    request,
    strategy.isolation.level === "L2" ? ADMISSION_LIMITS.smoke_events : ADMISSION_LIMITS.smoke_events_process,
  );
  const until = request.monotonic() + ADMISSION_LIMITS.smoke_ms;
  const entries: MachineEntry[] = [];
  const open = (): InstanceMachine | null => {
    const venue = createSimulatedVenue({
      instruments,
      maker_fee_ppm: 0,
      taker_fee_ppm: 0,
      latency_us: 0,
      latency_jitter_us: 0,
      seed: "admission",
    });
    if (!venue.ok) return null;
    return new InstanceMachine(
      {
        identity: {
          bot_id: "admission",
          strategy_id: descriptor.strategy_id,
          strategy_version: descriptor.strategy_version,
          instance_id: "admission",
          run_id: "00000000-0000-7000-8000-000000000002",
        },
        traceId: "ad000000000000010000000000000000",
        mode: "backtest",
        seed: request.seed,
        instruments,
        feed,
        strategy,
        venue: venue.value,
        gate: gateContextOf({ ...request, mode: "shadow" }),
        subscribe: descriptor.capabilities.subscribe,
        stateBytesMax: descriptor.resources.state_bytes,
        stateSchemaVersion: descriptor.state_schema_version,
        logBytesPerSecond: descriptor.resources.log_bytes_per_second,
        logBytesPerRun: descriptor.resources.log_bytes_per_run,
        record: (entry) => void entries.push(entry),
        orderId: (key) => `admission${key}` as ClientOrderId,
      },
      request.config,
    );
  };
  const life = open();
  if (life === null) return "M.ADMISSION.INSTRUMENTS";
  const refused = life.init();
  if (refused !== null) return refused.reason_code;
  while (life.cursor < feed.length) {
    if (request.monotonic() > until) return "M.ADMISSION.TOO_SLOW";
    if (life.run(Math.min(feed.length, life.cursor + 16)) === 0) break;
    life.takeCheckpointWish();
    life.dispatch();
  }
  const broken = firstBreach(life, entries);
  if (broken !== null) return broken;
  const saved = life.saveStrategy();
  if (saved === null) return firstBreach(life, entries) ?? "M.STATE.NOT_SAVED";
  if (saved.version !== descriptor.state_schema_version) return "M.STATE.SCHEMA_VERSION";
  const state = life.save();
  const again = strategy.reset();
  if (again !== null) return again.reason_code;
  const second = open();
  const restored = second?.restore(state, saved.state) ?? null;
  if (restored !== null) return restored.reason_code;
  second?.shutdown("stop");
  return null;
}

const CONTRACT = /^M\.(ABI|OUTPUT|TELEMETRY|INTENT\.(MISSING|FOREIGN|MALFORMED|DUPLICATE))/;

function firstBreach(machine: InstanceMachine, entries: readonly MachineEntry[]): string | null {
  const fault = entries.find((entry) => entry.kind === "input" && entry.input["input"] === "fault");
  if (fault?.kind === "input")
    return typeof fault.input["reason_code"] === "string" ? fault.input["reason_code"] : "M.SMOKE.FAULT";
  return Object.keys(machine.counters.discarded).find((reason) => CONTRACT.test(reason)) ?? null;
}

/** A quiet walk around 1,000 ticks, every instrument in turn; the same for every strategy. */
function syntheticTrades({ instruments }: AdmissionRequest, rows: number): MarketFeed {
  const feed = allocateColumns(rows);
  const random = seededRandom("rumi-admission-1");
  for (let row = 0; row < rows; row += 1) {
    const of = instruments[row % Math.max(1, instruments.length)];
    feed.instrument[row] = row % Math.max(1, instruments.length);
    feed.event_time_us[row] = 1_700_000_000_000_000 + row * 250_000;
    feed.received_time_us[row] = 1_700_000_000_000_000 + row * 250_000;
    feed.price[row] = (of?.tick_size ?? 1) * (1_000 + random.below(40));
    feed.quantity[row] = Math.max(of?.min_quantity ?? 1, of?.lot_size ?? 1);
    feed.aggressor[row] = 1 + random.below(2);
    feed.trade_id[row] = row + 1;
  }
  return feed;
}
