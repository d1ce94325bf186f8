/** A command before its first stage. */
import type { RegisteredOperation } from "../registry.ts";
import type { CommandRequest, Run } from "./run.ts";

const NOBODY = { id: "nobody", roles: [] } as const;
const NO_READER = { rows: () => Promise.reject(new Error("read outside the snapshot")) };

export function newRun(operation: RegisteredOperation, request: CommandRequest): Run {
  return {
    operation,
    request,
    principal: request.principal ?? NOBODY,
    input: {},
    dry_run: false,
    training: null,
    command_id: "",
    key_is_new: false,
    fingerprint: "",
    confirmation: null,
    frame: {
      actor: NOBODY.id,
      reason: null,
      approval_id: null,
      expires_at: null,
      trace_id: request.trace_id,
      run_id: null,
      request_id: null,
      fingerprint: null,
    },
    target: { resource_type: "operation", resource_id: operation.definition.name },
    recovery_point: null,
    unclaimed: null,
    attempts: 0,
    holdsRunning: false,
    judged_as: null,
    reader: NO_READER,
    facts: undefined,
    risk: "increase",
    forbidden: null,
    fences: [],
    decision: null,
  };
}
