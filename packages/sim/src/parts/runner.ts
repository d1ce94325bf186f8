/** One runner process: the production runner with its lanes in this thread, over virtual time, line, disk and venue. */
import { ok, type Failure, type Result } from "@rumi/kernel";
import { GATEWAY_LIMITS, lanesHere, LiveSide, type MakeThread, Runner, SYSTEM, type Surroundings } from "@rumi/runtime";
import { type Sender, type SimExecution, SimMarket, type VenueEvents, type VenueFaults } from "../venue/adapters.ts";
import type { Exchange } from "../venue/exchange.ts";
import { SimStrategy } from "../strategy.ts";
import { between } from "../world/chance.ts";
import type { SimProcess } from "../world/process.ts";
import { dialing, type Listener, type WireFaults } from "../world/wire.ts";

export type SimRunner = { readonly runner_id: string; readonly process: SimProcess; readonly runner: Runner };

export type RunnerParts = {
  readonly process: SimProcess;
  readonly runner_id: string;
  readonly pid: number;
  readonly listener: () => Listener | undefined;
  readonly wire: WireFaults;
  readonly exchange: Exchange;
  readonly venue: VenueFaults;
  readonly venueEvents: VenueEvents;
  readonly isDiskFull: () => boolean;
  /** For seeded bugs. */
  readonly bug: {
    readonly thread?: (make: MakeThread) => MakeThread;
    readonly execution: (...parts: ConstructorParameters<typeof SimExecution>) => SimExecution;
  };
};

class NoSpace extends Error {
  readonly code = "ENOSPC";
}

export function startRunner(parts: RunnerParts): SimRunner {
  const { process, runner_id, exchange, bug } = parts;
  const around: Surroundings = {
    ...SYSTEM,
    timers: process.timers,
    wallNow: () => process.wall_us(),
    monotonic: () => process.world.now_us / 1_000,
    monotonicNs: () => BigInt(process.world.now_us) * 1_000n,
    // Virtual time has no processors: what a real one spends would be another number in every life.
    accountOf: () => () => null,
    idle_ms: 100,
    // The faults are ours, and what they do is judged by the checkers.
    log: () => undefined,
    datasync: (_fd, done) =>
      void process.world.schedule(between(process.random, 100, 2_000), process, () =>
        done(parts.isDiskFull() ? new NoSpace("no space left on device") : null),
      ),
    admit: () => ({ admitted: true, key: "" as never, checks: [], isolation: null, failure: null }),
    loadStrategy: () => ok(new SimStrategy()),
    openLive: ({ spec, live: _live, environment: _environment, lower, ...clocks }): Result<LiveSide, Failure> => {
      const { bot_id, strategy_id, instance_id, run_id, epoch } = spec;
      const sender: Sender = { runner: process, bot_id, strategy_id, instance_id, run_id, epoch };
      return LiveSide.open({
        ...clocks,
        spec,
        limits: { ...GATEWAY_LIMITS, ...lower },
        execution: bug.execution(sender, exchange, parts.venueEvents, parts.venue),
        market: new SimMarket(process, exchange, parts.venue),
      });
    },
  };
  const makeThread = lanesHere(around);
  const runner = new Runner({
    runner_id,
    socket_path: "",
    key: new Uint8Array(32),
    lane_url: new URL("sim:lane"),
    python: null,
    isolation: [{ level: "L2", mechanism: "wasm-fuel", available: true, reason: null }],
    random: process.random,
    wallNow: around.wallNow,
    log: (line) => process.world.note(process.name, line),
    onEnd: () => {
      process.world.note(process.name, "ends in order");
      process.kill();
    },
    simulated: {
      around,
      makeThread: bug.thread?.(makeThread) ?? makeThread,
      openLine: dialing(process, { runner_id, pid: parts.pid }, parts.listener, parts.wire),
    },
  });
  return { runner_id, process, runner };
}
