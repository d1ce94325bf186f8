/** Which command this is: its key and its fingerprint. The row itself decides, in the next stage. */
import { failure } from "@rumi/kernel";
import { requestFingerprint } from "../../fingerprint.ts";
import { PIPELINE_LIMITS } from "../../limits.ts";
import { ownSecrets } from "../../scrubbing.ts";
import { type PipelineContext, type Run, type Stage, type StageEnd, turnAway } from "../run.ts";

export const dedupe: Stage = {
  name: "dedupe",
  run: (run, context) => {
    if (run.dry_run) return undefined; // changes nothing, so it needs no key
    const refusal = findKey(run, context);
    if (refusal !== undefined) return refusal;
    if ([context.scrubber, ownSecrets(run.operation.definition, run.input)].some((one) => one.isIn(run.command_id))) {
      run.command_id = ""; // neither the answer nor the audit event of the refusal names it
      return turnAway(failure("RUMI-VAL-002", { field: "Idempotency-Key", problem: "a secret is in it" }));
    }
    run.fingerprint = requestFingerprint(context.fingerprintKey, run.operation, run.input);
    run.frame = { ...run.frame, request_id: run.command_id, fingerprint: run.fingerprint };
    return undefined;
  },
};

function findKey(run: Run, context: PipelineContext): StageEnd | undefined {
  const sent = run.request.idempotencyKey;
  if (sent !== null && (sent.length > PIPELINE_LIMITS.idempotency_key_characters || !/^[\x21-\x7e]+$/.test(sent))) {
    return turnAway(
      failure("RUMI-VAL-002", {
        field: "Idempotency-Key",
        problem: `it must be 1 to ${PIPELINE_LIMITS.idempotency_key_characters} visible ASCII characters`,
      }),
    );
  }
  const inBody = run.operation.definition.key === "header" ? undefined : run.input["command_id"];
  if (typeof inBody !== "string") {
    run.command_id = sent ?? context.newId();
    run.key_is_new = sent === null;
    return undefined;
  }
  run.command_id = inBody;
  if (sent === null || sent === run.command_id) return undefined;
  return turnAway(failure("RUMI-VAL-002", { field: "Idempotency-Key", problem: "it differs from command_id" }));
}
