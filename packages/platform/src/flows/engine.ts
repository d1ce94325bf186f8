/**
 * Carries out runs that were admitted, and tells whoever waits what came of them.
 *
 * How to think: the row of a run is the wish; `carry` makes it so and may be asked any number of times. A program that begins
 * carries every row that is still running; what its blocks gave before is on record (run.ts).
 *
 * Invariants (engine.test.ts "[R-14.1]"): a run ends once, with its audit event; after a kill at any step it goes on behind
 * the last block that is on record; a run whose time is up ends so, also when it was up while no program ran.
 */
import {
  failure,
  err,
  millis,
  ok,
  type Clock,
  type Failure,
  type JsonObject,
  type Random,
  type Result,
} from "@rumi/kernel";
import { causeChain, type Logger, type Metrics } from "@rumi/operations";
import type { LedgerEvent } from "@rumi/ledger";
import type { Store, Write } from "@rumi/store";
import type { Blocks } from "./blocks.ts";
import { forgetApprovals } from "./approvals.ts";
import { compute, isComputed, type Computed, type Computing, type Counted } from "./at-once.ts";
import type { FlowClosure } from "./closure.ts";
import { endOf } from "./ending.ts";
import { eventOf } from "./events.ts";
import { FLOW_LIMITS } from "./limits.ts";
import type { CallStepOf } from "./steps/calls.ts";
import { stepEvents, stepWrites } from "./steps/record.ts";
import { retrace, type Traced } from "./retrace.ts";
import { walkRun, type RunEnd, type RunPorts } from "./run.ts";
import {
  endRun,
  forgetRuns,
  readDefinition,
  readRun,
  readSteps,
  recordStep,
  runningIds,
  type AskedRun,
  type FlowRun,
  type RecordedStep,
  type RunAnswer,
} from "./tables.ts";
import { ask, expireApprovals, waitsFor, wakeRuns, type ApprovalView } from "./waiting.ts";

export type EngineDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly blocks: Pick<Blocks, "close">;
  /** Calls what a step names (steps/calls.ts). */
  readonly callStep: CallStepOf;
  /** Runs at once. */
  readonly max_concurrent: number;
  /** Of a whole answer: its result is cut to fit. */
  readonly max_response_bytes: number;
};

export type FlowAnswer = {
  readonly flow_id: string;
  readonly result: JsonObject;
  /** Seconds from the wish to its end. */
  readonly execution_time: number;
  readonly truncated?: true;
  /** It waits for a person; sent again with its key it answers with what came of it. */
  readonly state?: "waiting";
  readonly run_id?: string;
  readonly approval?: ApprovalView;
};
/** What carrying a run came to. */
type Carried = RunAnswer | "interrupted" | Waiting;
type Waiting = { readonly kind: "waiting"; readonly answer: FlowAnswer };

/** A run that was just admitted, as its row and its definition say it. */
export type Admitted = { readonly run: AskedRun; readonly closure: FlowClosure };

export interface FlowEngine {
  /** Carries every run that nobody carries: what an earlier program left, and what was admitted without a caller. */
  resume(): Promise<void>;
  /** Carries a run to its end, unless somebody does already, and tells it. */
  carry(run_id: string, admitted?: Admitted): Promise<Result<FlowAnswer, Failure>>;
  /** What comes of a run whose steps only compute; undefined for any other. */
  compute(asked: Computing): Promise<Computed | undefined>;
  /** Counts a computed run once it is durable, and tells it. */
  told(computed: Computed): Result<FlowAnswer, Failure>;
  /** Ends what a run calls now, if it is carried here: its end is durable already. */
  halt(run_id: string): Promise<void>;
  /** What each step of a run came to so far. */
  trace(run: FlowRun, closure: FlowClosure, records: readonly RecordedStep[]): Promise<Traced>;
  readonly isOpen: () => boolean;
  /** Takes no more; runs stay as they are for the next program. */
  close(): Promise<void>;
}

const DURATIONS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000, 60_000] as const;
const FORGET_EVERY_MS = 3_600_000;
const DAY_US = 86_400_000_000;

export function createFlowEngine(deps: EngineDeps): FlowEngine {
  const { store, clock, logger } = deps;
  const live = new Map<string, Promise<Carried>>();
  const halts = new Map<string, AbortController>();
  const stopping = new AbortController();
  let forgetAt = 0;
  const forget = async (): Promise<void> => {
    forgetAt = clock.monotonic() + FORGET_EVERY_MS;
    const before = clock.now() - FLOW_LIMITS.kept_days * DAY_US;
    const committed = await store.commit({
      writes: [forgetApprovals(store, before), ...forgetRuns(store, before)],
      events: [],
    });
    if (!committed.ok) logger.warning("old runs of flows could not be removed", { problem: committed.error.kind });
  };
  const begin = (run_id: string, admitted?: Admitted): Promise<Carried> => {
    const halt = new AbortController();
    const signal = AbortSignal.any([stopping.signal, halt.signal]);
    const running = carryOut(run_id, signal, deps, admitted).finally(() => {
      // A run that waited may go on before whoever carried it until then has ended.
      if (live.get(run_id) !== running) return;
      live.delete(run_id);
      halts.delete(run_id);
    });
    live.set(run_id, running);
    halts.set(run_id, halt);
    return running;
  };
  return {
    isOpen: () => !stopping.signal.aborted,
    resume: async () => {
      if (stopping.signal.aborted) return;
      if (clock.monotonic() >= forgetAt) await forget();
      await expireApprovals(deps);
      await wakeRuns(deps);
      const left = (await runningIds(store, store)).filter((run_id) => !live.has(run_id));
      for (const run_id of left)
        begin(run_id).catch((error: unknown) =>
          logger.error("a run of a flow could not be gone on with", { run_id, causes: causeChain(error) }),
        );
    },
    carry: async (run_id, admitted) => {
      const known = live.get(run_id);
      if (known === undefined && stopping.signal.aborted) return err(unavailable("the program stops"));
      const answer = await (known ?? begin(run_id, admitted));
      if (answer === "interrupted") return err(unavailable("the program stops; the run goes on at its next start"));
      return answer.kind === "waiting" ? ok(answer.answer) : toldOf(answer);
    },
    compute: async (asked) =>
      isComputed(asked.closure, asked.flow_id) ? compute(asked, clock, deps.max_response_bytes) : undefined,
    told: ({ answer, counted, event }) => {
      for (const { handler, ended } of counted) countStep(deps, handler, ended);
      countRun(deps, String(event.details["flow_id"]));
      return toldOf(answer);
    },
    halt: async (run_id) => {
      halts.get(run_id)?.abort();
      await Promise.allSettled([live.get(run_id)]);
    },
    trace: (run, closure, records) => retrace(run, closure, records, clock),
    close: async () => {
      stopping.abort();
      await deps.blocks.close();
      await Promise.allSettled(live.values());
    },
  };
}

export const unavailable = (problem: string): Failure => failure("RUMI-FLOW-006", { problem });

function toldOf(answer: RunAnswer): Result<FlowAnswer, Failure> {
  if (answer.kind === "failed") return err(answer.failure);
  const { flow_id, result, execution_time, truncated } = answer;
  return ok({ flow_id, result, execution_time, ...(truncated ? { truncated } : {}) });
}

/** What a run did that is not durable yet. */
type Unwritten = {
  writes: Write[];
  events: LedgerEvent[];
  /** The step that was recorded last. */
  behind?: string;
};

async function carryOut(
  run_id: string,
  stopping: AbortSignal,
  deps: EngineDeps,
  admitted: Admitted | undefined,
): Promise<Carried> {
  const { store } = deps;
  const known = admitted === undefined ? await readRun(store, store, run_id) : undefined;
  const run = admitted === undefined ? known : { ...admitted.run, waited_us: 0 };
  if (run === undefined) return { kind: "failed", failure: failure("RUMI-SYS-011", { what: "run", id: run_id }) };
  if (known?.answer != null) return known.answer;
  if (known?.state === "waiting") return waiting(known, deps);
  const unwritten: Unwritten = { writes: [], events: [] };
  const ended = await walked(run, admitted?.closure, unwritten, stopping, deps).catch((error: unknown): RunEnd => {
    if (stopping.aborted) return { kind: "interrupted" };
    deps.logger.error("a run of a flow failed inside", { run_id, flow_id: run.flow_id, causes: causeChain(error) });
    const inside = failure("RUMI-FLOW-002", {
      flow_id: run.flow_id,
      problem: "something inside failed; the program's log says what",
    });
    return { kind: "failed", failure: inside, steps: 0, at: null };
  });
  if (ended.kind === "waiting") return waiting(run, deps);
  if (ended.kind !== "interrupted") return finish(run, ended, unwritten, deps);
  await written(run, unwritten, deps).catch((error: unknown) =>
    deps.logger.warning("what a run of a flow did last is done again", { run_id, causes: causeChain(error) }),
  );
  return (await readRun(store, store, run_id))?.answer ?? "interrupted";
}

async function waiting({ run_id, flow_id, requested_at }: AskedRun, { store, clock }: EngineDeps): Promise<Waiting> {
  const execution_time = Math.round(Math.max(0, clock.now() - requested_at) / 1_000) / 1_000;
  const approval = await waitsFor(store, run_id);
  return { kind: "waiting", answer: { flow_id, result: {}, execution_time, state: "waiting", run_id, approval } };
}

function clear(unwritten: Unwritten): void {
  unwritten.writes = [];
  unwritten.events = [];
  delete unwritten.behind;
}

/** Makes durable what is not yet. */
async function written(run: AskedRun, unwritten: Unwritten, { store }: EngineDeps): Promise<void> {
  const { writes, events } = unwritten;
  if (writes.length === 0) return;
  clear(unwritten);
  const committed = await store.commit({ writes, events });
  if (!committed.ok) throw new Error(`steps of run ${run.run_id} could not be recorded: ${committed.error.kind}`);
}

type CarriedRun = AskedRun & Pick<FlowRun, "waited_us">;

async function walked(
  run: CarriedRun,
  given: FlowClosure | undefined,
  unwritten: Unwritten,
  stopping: AbortSignal,
  deps: EngineDeps,
): Promise<RunEnd> {
  const { store, clock, metrics } = deps;
  const closure = given ?? (await readDefinition(store, store, run.definition));
  if (closure === undefined) throw new Error(`the definition ${run.definition} of run ${run.run_id} is gone`);
  const steps = given === undefined ? await readSteps(store, store, [run.run_id]) : [];
  const recorded = new Map(steps.map((step) => [step.path, step]));
  const late = failure("RUMI-FLOW-004", { flow_id: run.flow_id, seconds: run.timeout_seconds });
  const ending = new AbortController();
  const left_ms = Math.max(
    0,
    (run.requested_at + run.waited_us + run.timeout_seconds * 1_000_000 - clock.now()) / 1_000,
  );
  const settled = new AbortController();
  const end = (): void => ending.abort();
  stopping.addEventListener("abort", end);
  if (left_ms === 0) end();
  else void clock.sleep(millis(left_ms), settled.signal).then(() => (settled.signal.aborted ? undefined : end()));
  const by = { ...deps, actor: run.actor };
  const counted: Counted[] = [];
  const durations = metrics.histogram("python_file_call.duration_ms", "Calls of Python blocks.", DURATIONS_MS);
  const ports: RunPorts = {
    recorded: (path) => recorded.get(path),
    record: (step, one) => {
      const at = clock.now();
      durations.observe(one.duration_us / 1_000);
      unwritten.events.push(...stepEvents(run.flow_id, step, one).map((draft) => eventOf(run, by, draft)));
      unwritten.behind = one.path;
      unwritten.writes.push(
        recordStep(store, run.run_id, one, at),
        ...stepWrites(store, run.flow_id, step, { error: one.error, at }),
      );
    },
    call: async (step, input, place) => {
      await written(run, unwritten, deps);
      return deps.callStep({ step, input, place, run, signal: ending.signal });
    },
    ask: async (step, path, question, details) => {
      const asked = await ask(run, { step, path, question, details }, unwritten, deps);
      if (asked === null) clear(unwritten);
      return asked;
    },
    stopped: () => (stopping.aborted ? "interrupted" : ending.signal.aborted ? late : undefined),
    breathe: async () => {
      await written(run, unwritten, deps);
      await clock.sleep(millis(0));
    },
    counted: ({ type }, ended) => void counted.push({ handler: type, ended }),
    now_us: () => clock.monotonic() * 1_000,
  };
  try {
    const ended = await walkRun(closure, run.flow_id, run.inputs, ports);
    // What is walked again is counted then.
    if (ended.kind === "done" || ended.kind === "failed")
      for (const { handler, ended: how } of counted) countStep(deps, handler, how);
    return ended;
  } finally {
    settled.abort();
    stopping.removeEventListener("abort", end);
  }
}

async function finish(
  run: AskedRun,
  ended: Extract<RunEnd, { kind: "done" | "failed" }>,
  unwritten: Unwritten,
  deps: EngineDeps,
): Promise<RunAnswer> {
  const { store, clock, max_response_bytes } = deps;
  const { answer, event, at } = endOf(run, ended, clock.now(), max_response_bytes);
  // On SQLite, where commits have an order, both go into one group; either way the end stands only behind what it did last.
  const { behind } = unwritten;
  const before = written(run, unwritten, deps);
  if (store.dialect === "postgres") await before;
  const end = store.commit({
    writes: [endRun(store, run.run_id, answer, at, behind)],
    events: [
      eventOf(run, { ...deps, actor: run.actor }, { ...event, resource_type: "flow", resource_id: run.flow_id }),
    ],
  });
  const [committed] = await Promise.all([end, before]);
  // It was stopped at the last moment, and has its end.
  const stopped = committed.ok ? null : ((await readRun(store, store, run.run_id))?.answer ?? null);
  if (stopped !== null) return stopped;
  if (!committed.ok) throw new Error(`the end of run ${run.run_id} could not be written: ${committed.error.kind}`);
  countRun(deps, run.flow_id);
  return answer;
}

function countStep({ metrics }: EngineDeps, handler: string, ended: "success" | "error"): void {
  const counter =
    ended === "success"
      ? metrics.counter("flow.step.success", "Steps of flows that succeeded.")
      : metrics.counter("flow.step.error", "Steps of flows that failed.");
  counter.add({ handler });
}

function countRun({ metrics }: EngineDeps, flow_id: string): void {
  metrics.counter("flow.execution.complete", "Runs of flows that ended.").add({ flow_id });
}
