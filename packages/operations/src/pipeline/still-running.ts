import { failure } from "@rumi/kernel";
import { PIPELINE_LIMITS } from "../limits.ts";
import type { StageEnd } from "./run.ts";

/** The same command is under way, here or in another process: wait, nothing acts twice. */
export function stillRunning(command_id: string): StageEnd {
  const seconds = PIPELINE_LIMITS.retry_after_seconds;
  return {
    kind: "turn_away",
    failure: failure("RUMI-CMD-001", { command_id, seconds }, { reasonCode: "COMMAND_RUNNING" }),
    retry_after_seconds: seconds,
  };
}
