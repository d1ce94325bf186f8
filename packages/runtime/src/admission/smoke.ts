/**
 * The dynamic smoke (M-12.1): the real strategy, in its real sandbox, through the real machine over synthetic rows of
 * every market kind it subscribes to; then one frame of everything else it may be told (executions, safety, timers,
 * signals, configuration); saved state, a second life from that state, shutdown.
 *
 * Any fault, malformed output or missing metadata refuses it. Nothing it puts out goes anywhere.
 */
import type { StrategyDescriptor } from "@rumi/abi";
import type { ClientOrderId } from "@rumi/kernel";
import { createSimulatedVenue } from "@rumi/venues";
import type { MachineEntry } from "../instance/entry.ts";
import { gateContextOf } from "../instance/gate-context.ts";
import { InstanceMachine } from "../instance/machine.ts";
import type { MachineOptions } from "../instance/machine-options.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { AdmissionRequest } from "./request.ts";
import { CONTRACT, probe, PROBE_RUN, type SmokeProblem } from "./probe.ts";
import { syntheticFeed } from "./synthetic.ts";

export const ADMISSION_LIMITS = { smoke_events: 200, smoke_events_process: 20, smoke_ms: 5_000 } as const;

/** `null`, or the first thing that a well-behaved strategy does not do. */
export function smoke(
  request: AdmissionRequest & { readonly descriptor: StrategyDescriptor },
  strategy: Strategy,
): SmokeProblem | null {
  const { descriptor, instruments } = request;
  const rows =
    strategy.isolation.level === "L2" ? ADMISSION_LIMITS.smoke_events : ADMISSION_LIMITS.smoke_events_process;
  const feed = syntheticFeed(instruments, descriptor.capabilities.subscribe, rows);
  const spent = stopwatch(request.monotonic, strategy);
  const entries: MachineEntry[] = [];
  const problem = (reason_code: string, detail: string): SmokeProblem => ({ reason_code, detail });
  const open = (): InstanceMachine | null =>
    admissionMachine(request, strategy, feed, (entry) => void entries.push(entry));
  const life = open();
  if (life === null) return problem("M.ADMISSION.INSTRUMENTS", "the instruments cannot be simulated");
  const refused = life.init();
  if (refused !== null) return problem(refused.reason_code, `on_init: ${refused.detail}`);
  while (life.cursor < feed.length) {
    if (spent() > ADMISSION_LIMITS.smoke_ms) {
      const got = `${life.cursor} of ${feed.length} events in ${ADMISSION_LIMITS.smoke_ms} ms`;
      // What it broke on the way is why, and says more.
      return firstBreach(life, entries) ?? problem("M.ADMISSION.TOO_SLOW", got);
    }
    if (life.run(Math.min(feed.length, life.cursor + 16)) === 0) break;
    life.takeCheckpointWish();
    life.dispatch();
  }
  const broken = firstBreach(life, entries) ?? probe({ strategy, descriptor, instruments, life });
  if (broken !== null) return broken;
  const saved = life.saveStrategy();
  if (saved === null) return firstBreach(life, entries) ?? problem("M.STATE.NOT_SAVED", "save_state put out no state");
  if (saved.version !== descriptor.state_schema_version)
    return problem(
      "M.STATE.SCHEMA_VERSION",
      `it saves version ${saved.version}; its descriptor says ${descriptor.state_schema_version}`,
    );
  const state = life.save();
  const again = strategy.reset();
  if (again !== null) return problem(again.reason_code, `a second life: ${again.detail}`);
  const second = open();
  const restored = second?.restore(state, saved.state) ?? null;
  if (restored !== null) return problem(restored.reason_code, `on_init with saved state: ${restored.detail}`);
  second?.shutdown("stop");
  return null;
}

/** Milliseconds of the strategy's own: a process that a busy machine keeps waiting is not slow; each event has its deadline besides. */
function stopwatch(monotonic: () => number, strategy: Pick<Strategy, "cpu">): () => number {
  const began = monotonic();
  const before = strategy.cpu?.() ?? null;
  return () => {
    const now = before === null ? null : (strategy.cpu?.() ?? null);
    return before === null || now === null || now.pid !== before.pid ? monotonic() - began : now.ms - before.ms;
  };
}

/** A machine of the real strategy that leads nowhere; `null` when its instruments cannot be simulated. */
export function admissionMachine(
  request: AdmissionRequest & { readonly descriptor: StrategyDescriptor },
  strategy: Strategy,
  feed: MachineOptions["feed"],
  record: MachineOptions["record"],
): InstanceMachine | null {
  const { descriptor, instruments } = request;
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
        run_id: PROBE_RUN,
      },
      traceId: "ad000000000000010000000000000000",
      mode: "backtest",
      seed: request.seed,
      instruments,
      feed,
      strategy,
      venue: venue.value,
      tellsRefused: true,
      gate: gateContextOf({ ...request, mode: "shadow" }),
      subscribe: descriptor.capabilities.subscribe,
      stateBytesMax: descriptor.resources.state_bytes,
      stateSchemaVersion: descriptor.state_schema_version,
      logBytesPerSecond: descriptor.resources.log_bytes_per_second,
      logBytesPerRun: descriptor.resources.log_bytes_per_run,
      record,
      orderId: (key) => `admission${key}` as ClientOrderId,
    },
    request.config,
  );
}

function firstBreach(machine: InstanceMachine, entries: readonly MachineEntry[]): SmokeProblem | null {
  const fault = entries.find((entry) => entry.kind === "input" && entry.input["input"] === "fault");
  if (fault?.kind === "input") {
    const { reason_code, callback, detail } = fault.input;
    return {
      reason_code: typeof reason_code === "string" ? reason_code : "M.SMOKE.FAULT",
      detail: [callback, detail].filter((word) => typeof word === "string").join(": "),
    };
  }
  const reason = Object.keys(machine.counters.discarded).find((one) => CONTRACT.test(one));
  if (reason !== undefined) return { reason_code: reason, detail: "output that breaks the contract" };
  const { state, reason_code } = machine.health;
  return state === "halted" ? { reason_code: reason_code ?? "M.SMOKE.FAULT", detail: "it was halted" } : null;
}
