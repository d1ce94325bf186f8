/**
 * What each step of a run came to: its walk, walked again from what is on record.
 *
 * How to think: a walk is a function of the definitions, the inputs and what blocks and people gave, and all of these are
 * written down. So nobody has to note states of steps while a run goes on: where the walk meets a call or a question that has
 * no outcome on record, the run is there now, or ended there. Nothing is called and nobody is asked.
 *
 * Invariants (retrace.test.ts): a run that ended is told as it ended, step by step; one that goes on or waits is told up to the
 * step where it is; nothing is written.
 */
import { failureText, millis, type Clock } from "@rumi/kernel";
import type { FlowClosure } from "./closure.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { walkRun, type RunPorts } from "./run.ts";
import type { FlowRun, RecordedStep } from "./tables.ts";

export const STEP_STATES = ["running", "waiting", "done", "failed", "skipped"] as const;
export type StepState = (typeof STEP_STATES)[number];
export type TracedStep = {
  /** `a`, or `a/b` for the step b of the flow that a runs. */
  readonly path: string;
  readonly state: StepState;
  readonly error: string | null;
  /** Of what was called or asked; null where a step only computes. */
  readonly duration_us: number | null;
};
export type Traced = {
  readonly steps: readonly TracedStep[];
  /** Not all of it: there are more steps than are told, or walking them takes too long. */
  readonly truncated: boolean;
};

export async function retrace(
  run: Pick<FlowRun, "flow_id" | "inputs" | "state" | "answer">,
  closure: FlowClosure,
  records: readonly RecordedStep[],
  clock: Clock,
): Promise<Traced> {
  const recorded = new Map(records.map((one) => [one.path, one]));
  const steps = new Map<string, TracedStep>();
  const until = clock.monotonic() + FLOW_LIMITS.retrace_ms;
  const isOver = (): boolean => steps.size >= FLOW_LIMITS.traced_steps || clock.monotonic() > until;
  let truncated = false;
  let isThere = false;
  const tell = (path: string, state: StepState, error: string | null = null): void => {
    const duration_us = recorded.get(path)?.duration_us ?? null;
    steps.set(path, { path, state, error: recorded.get(path)?.error ?? error, duration_us });
  };
  const ports: RunPorts = {
    recorded: (path) => recorded.get(path),
    record: () => undefined,
    call: (_step, _input, { path }) => {
      isThere = true;
      tell(path, run.answer === null ? "running" : "failed", problemOf(run));
      return Promise.resolve({ kind: "failed", problem: "", error_code: null });
    },
    ask: (_step, path) => {
      tell(path, run.answer === null ? "waiting" : "failed", problemOf(run));
      return Promise.resolve(null);
    },
    stopped: () => {
      truncated ||= !isThere && isOver();
      return isThere || truncated ? "interrupted" : undefined;
    },
    breathe: () => clock.sleep(millis(0)),
    counted: () => undefined,
    now_us: () => 0,
    came: (path, { kind, problem }) => {
      // Where the run is, or ended, its own step said so; a step around it is what the run is.
      if (kind !== "ended") tell(path, STATE_OF[kind], problem);
      else if (!steps.has(path) && !truncated) tell(path, endState(run), problem);
    },
  };
  await walkRun(closure, run.flow_id, run.inputs, ports);
  return { steps: [...steps.values()], truncated };
}

const STATE_OF = { written: "done", skipped: "skipped", failed: "failed" } as const;

function endState({ answer, state }: Pick<FlowRun, "answer" | "state">): StepState {
  return answer !== null ? "failed" : state === "waiting" ? "waiting" : "running";
}

function problemOf({ answer }: Pick<FlowRun, "answer">): string | null {
  return answer?.kind === "failed" ? failureText(answer.failure, "en").text : null;
}
