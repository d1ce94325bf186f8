/**
 * Runs whose steps all compute: what comes of them is known before anything of them is written, so the wish, its end and
 * their events are one commit.
 *
 * Invariants (at-once.test.ts): only a run that touches nothing outside is computed so, and only one of fewer steps than a
 * run takes before it lets others have the thread; it has the answer, rows and events of any other run.
 */
import { failure, invariant, millis, type Clock, type JsonObject, type Micros } from "@rumi/kernel";
import type { FlowClosure } from "./closure.ts";
import { endOf, type RunEnding } from "./ending.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { walkRun, type RunPorts } from "./run.ts";

/** Step types that are a function of their flow's variables. */
const COMPUTING: ReadonlySet<string> = new Set(["set", "if", "flow"]);
const known = new WeakMap<FlowClosure, Map<string, boolean>>();

/** Whether a run of it is computed within one turn: no step of it does anything outside, and there are few enough. */
export function isComputed(closure: FlowClosure, flow_id: string): boolean {
  const ofClosure = known.get(closure) ?? new Map<string, boolean>();
  const before = ofClosure.get(flow_id);
  if (before !== undefined) return before;
  const steps = stepsOf(closure, flow_id, new Map());
  const isOne = steps !== undefined && steps < FLOW_LIMITS.steps_at_once;
  known.set(closure, ofClosure.set(flow_id, isOne));
  return isOne;
}

/** Steps of a run at the most; undefined where one of them does more than compute. A closure has no cycles. */
function stepsOf(closure: FlowClosure, flow_id: string, seen: Map<string, number>): number | undefined {
  const before = seen.get(flow_id);
  if (before !== undefined) return before;
  let steps = 0;
  for (const step of closure.flows[flow_id]?.steps ?? []) {
    if (!COMPUTING.has(step.type)) return undefined;
    const below = step.type === "flow" ? stepsOf(closure, step.flow_id, seen) : 0;
    if (below === undefined) return undefined;
    steps += 1 + below;
  }
  seen.set(flow_id, steps);
  return steps;
}

export type Counted = { readonly handler: string; readonly ended: "success" | "error" };
export type Computed = RunEnding & { readonly requested_at: Micros; readonly counted: readonly Counted[] };
export type Computing = {
  readonly closure: FlowClosure;
  readonly flow_id: string;
  readonly inputs: JsonObject;
  readonly timeout_seconds: number;
};

export async function compute(
  { closure, flow_id, inputs, timeout_seconds }: Computing,
  clock: Clock,
  max_response_bytes: number,
): Promise<Computed> {
  const requested_at = clock.now();
  const until = millis(clock.monotonic() + timeout_seconds * 1_000);
  const counted: Counted[] = [];
  const never = (): never => {
    throw new Error(`a computed run of ${flow_id} does something outside`);
  };
  const ports: RunPorts = {
    recorded: () => undefined,
    record: never,
    call: never,
    ask: never,
    stopped: () =>
      clock.monotonic() >= until ? failure("RUMI-FLOW-004", { flow_id, seconds: timeout_seconds }) : undefined,
    breathe: () => Promise.resolve(),
    counted: ({ type }, ended) => void counted.push({ handler: type, ended }),
    now_us: () => 0,
  };
  const ended = await walkRun(closure, flow_id, inputs, ports);
  invariant(ended.kind === "done" || ended.kind === "failed", "nothing interrupts what is computed");
  return { ...endOf({ flow_id, requested_at }, ended, clock.now(), max_response_bytes), requested_at, counted };
}
