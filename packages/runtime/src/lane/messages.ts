/** What a lane's thread and the runner's main thread say to each other (structured clone; both sides are ours). */
import type { JsonObject, Result } from "@rumi/kernel";
import type { CallWatch, JailWatch } from "@rumi/sandbox";
import type { ComputeResult } from "../compute/side.ts";
import type { BoxFact } from "../isolation/choice.ts";
import type { MachineInput } from "../instance/input.ts";
import type { InstanceSpec, InstanceStatus, SegmentClosed } from "../protocol.ts";
import type { PythonHome } from "../strategy/process.ts";

export type LaneData = {
  /** Per slot the monotonic nanosecond until which an instance may emit, 0 closes the fence; then per slot its kill word. */
  readonly fence: SharedArrayBuffer;
  /** One word that counts up while the thread lives. */
  readonly beat: SharedArrayBuffer;
  readonly watch: JailWatch;
  /** Which call the lane is in, for strategies in its own thread. */
  readonly calls: CallWatch;
  /** For tests of the dual fence (M-5.2.7): leave one fence out. */
  readonly without?: "fuel";
  readonly python: PythonHome | null;
  /** What this machine can box a process in. */
  readonly jails: readonly BoxFact[];
  /** A Compute lane stands behind everything else. */
  readonly lane: "ll" | "compute";
};

export type ToLane =
  | {
      readonly type: "start";
      readonly request: number;
      readonly spec: InstanceSpec;
      readonly slot: number;
      /** Of an instance with a Compute side, and of that side. */
      readonly progress?: { readonly role: "lead" | "side"; readonly rows: SharedArrayBuffer };
    }
  | {
      readonly type: "command";
      readonly request: number;
      readonly run_id: string;
      readonly command: "stop" | "pause" | "continue" | "suspend" | "handover" | "inspect" | "heed";
      readonly reason: string;
    }
  | { readonly type: "input"; readonly request: number; readonly run_id: string; readonly input: MachineInput };

export type FailureBody = NonNullable<InstanceStatus["failure"]>;
/** What a lane answers to a question. */
export type LaneReply = Result<InstanceStatus, FailureBody>;
export type FromLane =
  | { readonly type: "reply"; readonly request: number; readonly ok: true; readonly status: InstanceStatus }
  | {
      readonly type: "reply";
      readonly request: number;
      readonly ok: false;
      readonly failure: FailureBody;
      readonly details: JsonObject;
    }
  /** A status as JSON: a text is copied at once, where an object would be taken apart in the lane's own time. */
  | { readonly type: "status"; readonly text: string }
  /** The newest of its tag that a Compute side found. */
  | { readonly type: "result"; readonly run_id: string; readonly result: ComputeResult }
  | { readonly type: "durable"; readonly run_id: string; readonly seq: number }
  | { readonly type: "segment"; readonly segment: SegmentClosed };
