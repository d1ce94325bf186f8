/** Whether the request is exactly a request of this operation; refusals are counted, not kept as commands. */
import { type Failure, type Scrubber, failure, invariant, microsFromIso } from "@rumi/kernel";
import { PIPELINE_EVENTS } from "../../audit.ts";
import { PIPELINE_LIMITS } from "../../limits.ts";
import { commandInput } from "../../validate/raw-input.ts";
import { ownSecrets } from "../../scrubbing.ts";
import { unwritableProblem } from "../../validate/writable.ts";
import { type PipelineContext, type Run, type Stage, type StageEnd, turnAway } from "../run.ts";

export const validate: Stage = {
  name: "validate",
  run: (run, context) => {
    const end = check(run, context);
    if (end?.kind === "turn_away")
      context.summaries.note(PIPELINE_EVENTS.requestInvalid, run.principal.id, end.failure.code);
    return end;
  },
};

function check(run: Run, context: PipelineContext): StageEnd | undefined {
  const { operation, request } = run;
  const joined = commandInput(request.raw, operation.schema);
  if (!joined.ok) return turnAway(joined.error);
  return takeInput(run, joined.value, context);
}

/** Makes the input of the run of what was sent, where it is exactly a request of its operation and the log can carry it. */
export function takeInput(
  run: Run,
  sent: Record<string, unknown>,
  { scrubber }: Pick<PipelineContext, "scrubber">,
): StageEnd | undefined {
  const { operation } = run;
  const valid = operation.validate(sent);
  if (!valid.ok) return turnAway(reasonAsked(valid.error, sent));
  const problem = unwritableProblem(valid.value);
  if (problem !== undefined) return turnAway(failure("RUMI-VAL-002", problem));
  const { dry_run, ...rest } = valid.value;
  run.dry_run = operation.definition.preview !== undefined && dry_run === true;
  run.input = operation.ownsDryRun ? rest : valid.value;
  const repeated = ownSecretElsewhere(run);
  if (repeated !== undefined) return repeated;
  run.input = withoutSecrets(run.input, scrubber);
  const { actor } = run.input;
  if (typeof actor === "string" && Object.hasOwn(operation.schema.properties, "actor") && actor !== run.principal.id) {
    return turnAway(
      failure("RUMI-VAL-002", {
        field: "$.actor",
        problem: "it is not the authenticated principal",
      }),
    );
  }
  run.target = operation.definition.target(run.input);
  run.frame = frameOf(run);
  return unloggable(run);
}

/** What a request's own secret fields hold must not stand in its other ones, which are kept. */
function ownSecretElsewhere({ input, operation: { definition } }: Run): StageEnd | undefined {
  const own = ownSecrets(definition, input);
  const [found] = Object.entries(input).find(
    ([name, value]) => definition.secret_fields?.includes(name) !== true && own.value(value) !== value,
  ) ?? [undefined];
  if (found === undefined) return undefined;
  return turnAway(failure("RUMI-VAL-002", { field: `$.${found}`, problem: "it holds what a secret field holds" }));
}

/** Anybody's words, which are kept and shown wherever their command or what came of it is. */
const FREE_WORDS = ["reason", "description", "notes", "display_name"] as const;

function withoutSecrets(input: Readonly<Record<string, unknown>>, scrubber: Scrubber): Run["input"] {
  const clean = FREE_WORDS.flatMap((name) => {
    const words = input[name];
    return typeof words === "string" ? [[name, scrubber.text(words)] as const] : [];
  });
  return clean.length === 0 ? input : { ...input, ...Object.fromEntries(clean) };
}

/** The contract has a word of its own for the one field that every command of a person must carry. */
function reasonAsked(why: Failure, input: unknown): Failure {
  const { reason } = input as { readonly reason?: unknown };
  // One that is there and too long, or no text, has another fault.
  const isGiven = reason !== undefined && reason !== null && !(typeof reason === "string" && reason.trim() === "");
  return why.params["field"] === "$.reason" && !isGiven ? { ...why, reasonCode: "REASON_REQUIRED" } : why;
}

const tooLong = (field: string, text: string | null, characters: number): StageEnd | undefined =>
  text !== null && text.length > characters
    ? turnAway(failure("RUMI-VAL-012", { field, problem: `it is longer than ${characters} characters` }))
    : undefined;

/** What the operation's schema may allow and no audit event can carry. */
function unloggable({ frame, target, operation: { definition } }: Run): StageEnd | undefined {
  invariant(
    /^[a-z][a-z0-9_]{0,63}$/.test(target.resource_type),
    `${definition.name} has the resource type ${target.resource_type}`,
  );
  if (frame.expires_at !== null && microsFromIso(frame.expires_at) === undefined) {
    return turnAway(
      failure("RUMI-VAL-002", {
        field: "$.expires_at",
        problem: "it is no instant such as 2026-02-24T12:00:00.000000Z",
      }),
    );
  }
  return (
    tooLong("$.reason", frame.reason, 4_096) ??
    tooLong("$.trace_id", frame.trace_id, 128) ??
    tooLong("$.run_id", frame.run_id, 128) ??
    tooLong("$.command_id", frame.request_id, PIPELINE_LIMITS.idempotency_key_characters) ??
    tooLong("$", target.resource_id, 1_024)
  );
}

function frameOf({ principal, input, request, training }: Run): Run["frame"] {
  const text = (name: string): string | null => (typeof input[name] === "string" ? input[name] : null);
  return {
    actor: principal.id,
    reason: text("reason"),
    approval_id: null,
    expires_at: text("expires_at"),
    trace_id: text("trace_id") ?? request.trace_id,
    run_id: text("run_id"),
    request_id: text("command_id"),
    fingerprint: null,
    ...(training === null ? {} : { training: true }),
  };
}
