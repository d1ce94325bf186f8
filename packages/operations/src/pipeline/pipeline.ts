/**
 * The one way in: commands, reads and observations.
 *
 * Invariants
 * - Stages run in the order of order.ts and in no other (order.test.ts).
 * - A command acts once, however often it is sent and whenever the program dies (idempotency.test.ts,
 *   recovery.test.ts).
 * - Nothing changes that is not in the audit log (order.test.ts, refusals.test.ts).
 */
import { type Failure, type Result, NO_SECRETS, err, failure, ok, uuidv7 } from "@rumi/kernel";
import { type Answer, refused } from "../answer.ts";
import { auditEvent, PIPELINE_EVENTS } from "../audit.ts";
import { feedOfEvents, feedOfItems } from "../feed.ts";
import { PIPELINE_LIMITS } from "../limits.ts";
import { causeChain } from "../logging.ts";
import { SECONDS_BOUNDS } from "../metrics.ts";
import type { Principal } from "../operation.ts";
import { enqueue } from "../outbox.ts";
import type { RegisteredObservation, RegisteredOperation, RegisteredQuery } from "../registry.ts";
import { type Summary, createSummaries, OTHER_SUBJECTS } from "../summaries.ts";
import { type RawInput, queryInput, RECEIVED } from "../validate/raw-input.ts";
import { unwritableProblem } from "../validate/writable.ts";
import { admit, outcomeLabel } from "./engine.ts";
import { auditFailure } from "./audit-failure.ts";
import { examine } from "./examine.ts";
import { newRun } from "./new-run.ts";
import { outlookOn } from "./outlook.ts";
import { type Recovery, recover } from "./recover.ts";
import type { CommandRequest, PipelineContext, PipelineSettings } from "./run.ts";
import { permissionRefusal } from "./stages/authorise.ts";
import { guardrailBlocks } from "./stages/guardrails.ts";
import { createTurns } from "./turns.ts";

export type QueryRequest = {
  readonly raw: RawInput;
  readonly principal: Principal | null;
  readonly trace_id: string;
};
export type ObservationRequest = {
  readonly input: unknown;
  readonly source: string;
  readonly trace_id: string;
};

export interface Pipeline {
  execute(operation: RegisteredOperation, request: CommandRequest): Promise<Answer>;
  /**
   * What roles and policies say against an operation before anything of its body was read. Carrying it out asks again, and
   * keeps what was refused.
   */
  forbidden(operation: RegisteredOperation, principal: Principal): Promise<Failure | undefined>;
  query(query: RegisteredQuery, request: QueryRequest): Promise<Answer>;
  /** What runners and probes report; `source` is the authenticated reporter, e.g. `runner:<id>`. */
  observe(observation: RegisteredObservation, request: ObservationRequest): Promise<Result<unknown, Failure>>;
  recover(): Promise<Recovery>;
  /** Counts a failed authentication for the summary of the minute. */
  noteAuthenticationFailure(remote: string, error_code: string): void;
  /** Commits summaries whose minute is over; call it every second or so, and with `all` at the end. */
  flushSummaries(which: "due" | "all"): Promise<void>;
  readonly settings: PipelineSettings;
}

export function createPipeline(settings: PipelineSettings): Pipeline {
  const now = (): ReturnType<PipelineContext["now"]> => settings.clock.now();
  const context: PipelineContext = {
    ...settings,
    scrubber: settings.scrubber ?? NO_SECRETS,
    owner: uuidv7(now(), settings.random),
    running: new Map(),
    turns: createTurns(),
    summaries: createSummaries(settings.clock),
    now,
    newId: () => uuidv7(now(), settings.random),
    examine: (reader, command) => examine(reader, command, context),
  };
  const commands = settings.metrics.counter("rumi_commands_total", "Commands by operation and outcome.");
  guardrailBlocks(settings.metrics);
  const seconds = settings.metrics.histogram(
    "rumi_command_duration_seconds",
    "From accepted request to durable answer.",
    SECONDS_BOUNDS,
  );
  return {
    settings,
    execute: async (operation, request) => {
      const started = settings.clock.monotonic();
      const answer = await admit(newRun(operation, request), context).catch((error: unknown) =>
        internal(error, request.trace_id, context),
      );
      const labels = { operation: operation.definition.name };
      commands.add({ ...labels, outcome: outcomeLabel(answer) });
      seconds.observe((settings.clock.monotonic() - started) / 1_000, labels);
      return settled(operation, answer, request, context);
    },
    forbidden: async ({ definition }, principal) => {
      const target = definition.target({ [RECEIVED]: definition.upload?.unread ?? {} });
      return permissionRefusal(definition, principal, target, context);
    },
    query: (query, request) => read(query, request, context),
    observe: (observation, request) => observe(observation, request, context),
    recover: () => recover(context),
    noteAuthenticationFailure: (remote, error_code) =>
      context.summaries.note(PIPELINE_EVENTS.authenticationFailed, remote, error_code),
    flushSummaries: (which) =>
      commitSummaries(which === "due" ? context.summaries.due() : context.summaries.all(), context),
  };
}

/** The facts of a request that is no command. */
const NOBODYS_FRAME = {
  reason: null,
  approval_id: null,
  expires_at: null,
  run_id: null,
  request_id: null,
  fingerprint: null,
} as const;

function plainRefusal(why: Failure): Answer {
  return { ...refused(why), command_id: null, duplicate_suppressed: false };
}

/** What came of the effect, where the operation's caller waits for it; a rehearsal has none. */
async function settled(
  { definition }: RegisteredOperation,
  answer: Answer,
  request: CommandRequest,
  context: PipelineContext,
): Promise<Answer> {
  if (definition.settle === undefined || answer.kind === "refused" || answer.training === true) return answer;
  const { command_id, duplicate_suppressed } = answer;
  try {
    const came = await definition.settle(answer.data);
    if (came.ok)
      return { ...answer, data: came.value, status: definition.settled_status?.(came.value) ?? answer.status };
    const extras = definition.error_extras?.(request.raw.params) ?? {};
    return { ...refused(came.error, extras), command_id, duplicate_suppressed };
  } catch (error) {
    return { ...internal(error, request.trace_id, context), command_id, duplicate_suppressed };
  }
}

function internal(error: unknown, trace_id: string, { logger }: PipelineContext): Answer {
  logger.error("a request failed inside", { correlation_id: trace_id, causes: causeChain(error) });
  return plainRefusal(failure("RUMI-SYS-001", { trace_id }));
}

async function read(
  { definition, schema, validate }: RegisteredQuery,
  request: QueryRequest,
  context: PipelineContext,
): Promise<Answer> {
  const { principal } = request;
  if (principal === null) return plainRefusal(failure("RUMI-AUTH-001"));
  const joined = queryInput(request.raw, schema);
  if (!joined.ok) return plainRefusal(joined.error);
  const valid = validate(joined.value);
  if (!valid.ok) return plainRefusal(valid.error);
  const problem = unwritableProblem(valid.value);
  if (problem !== undefined) return plainRefusal(failure("RUMI-VAL-002", problem));
  const target = { resource_type: "query", resource_id: definition.name };
  const forbidden = await permissionRefusal(definition, principal, target, context);
  if (forbidden !== undefined) return plainRefusal(forbidden);
  try {
    const found = await context.store.snapshot((reader) =>
      definition.read(reader, valid.value as never, {
        store: context.store,
        now: context.now(),
        principal,
        outlook: (command, passage) => outlookOn(reader, command, passage, context),
      }),
    );
    if (!found.ok) return plainRefusal(found.error);
    const kept = await keepServed(definition, found.value, principal, request.trace_id, context);
    if (!kept.ok) return plainRefusal(kept.error);
    return { kind: "done", status: 200, data: found.value, command_id: null, duplicate_suppressed: false };
  } catch (error) {
    return internal(error, request.trace_id, context);
  }
}

/** Where having been served is evidence of its own, it is durable before the answer goes out. */
async function keepServed(
  { name, leaves }: RegisteredQuery["definition"],
  data: unknown,
  principal: Principal,
  trace_id: string,
  context: PipelineContext,
): Promise<Result<null, Failure>> {
  if (leaves === undefined) return ok(null);
  const { store, newId } = context;
  const now = context.now();
  const { writes, events } = leaves(data as never, { store, now, principal });
  if (writes.length + events.length === 0) return ok(null);
  const frame = { ...NOBODYS_FRAME, actor: principal.id, trace_id };
  const committed = await store.commit({
    writes,
    events: events.map((draft) => auditEvent(draft, frame, newId(), now)),
  });
  if (committed.ok) return ok(null);
  return err(auditFailure(committed.error.kind === "failed" ? committed.error.failure : undefined, name));
}

async function observe(
  { definition, validate }: RegisteredObservation,
  request: ObservationRequest,
  context: PipelineContext,
): Promise<Result<unknown, Failure>> {
  const { store } = context;
  const valid = validate(structuredClone(request.input));
  if (!valid.ok) return valid;
  const problem = unwritableProblem(valid.value);
  if (problem !== undefined) return err(failure("RUMI-VAL-002", problem));
  const input = valid.value as never;
  const frame = { ...NOBODYS_FRAME, actor: request.source, trace_id: request.trace_id };
  for (let attempt = 1; attempt <= PIPELINE_LIMITS.conflict_attempts; attempt += 1) {
    const now = context.now();
    const facts = await store.snapshot((reader) => definition.load(reader, input, { store, now }));
    const decision = definition.decide(facts, input, {
      now,
      source: request.source,
      command_id: "",
      trace_id: request.trace_id,
      fingerprint: "",
      reason: null,
      approval_id: null,
      newId: context.newId,
      store,
    });
    const events = decision.events.map((draft) => auditEvent(draft, frame, context.newId(), now));
    const writes = [
      ...decision.writes,
      ...decision.outbox.map((item) => enqueue(store, item, now)),
      ...feedOfEvents(context, events),
      ...feedOfItems(context, decision.feed, now),
    ];
    if (writes.length + events.length === 0) return ok(decision.data);
    const committed = await store.commit({ writes, events });
    if (committed.ok) return ok(decision.data);
    if (committed.error.kind === "failed") return err(committed.error.failure);
  }
  return err(
    failure(
      "RUMI-CMD-009",
      { operation: definition.name, attempts: PIPELINE_LIMITS.conflict_attempts },
      { reasonCode: "CONTENDED" },
    ),
  );
}

async function commitSummaries(summaries: readonly Summary[], context: PipelineContext): Promise<void> {
  if (summaries.length === 0) return;
  const now = context.now();
  const events = summaries.map(({ action, subject, count, error_codes }) => {
    const known = action === PIPELINE_EVENTS.requestInvalid;
    // Those who shared a line are no actor.
    const actor = known && subject !== OTHER_SUBJECTS ? subject : "system:server";
    const frame = { ...NOBODYS_FRAME, actor, trace_id: context.newId() };
    return auditEvent(
      {
        action,
        resource_type: known ? "principal" : "address",
        resource_id: subject,
        outcome: "REJECTED",
        details: { count, error_codes },
      },
      frame,
      context.newId(),
      now,
    );
  });
  const committed = await context.store.commit({ writes: [], events });
  if (!committed.ok)
    context.logger.error("a summary of refused requests could not be audited", {
      summaries: events.length,
    });
}
