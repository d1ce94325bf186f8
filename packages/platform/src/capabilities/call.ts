/**
 * One call of a capability: whether its principal may, which handler answers, what came of it.
 *
 * How to think: whoever serves a caller (its socket, its step) says whose call it is; what the caller says of itself is
 * only written down where it differs. A decision counts from the next call on: grant, approval and trust are asked at each.
 * A built-in permission is answered inside the program, any other by the trusted handler in a jail of its own.
 *
 * Invariants (packages/rumi/test/capability-calls.test.ts)
 * - Nothing is carried out without a grant of the principal's whole line, with what is left of its config.
 * - Each call leaves one event before its answer; one that is refused for its frequency leaves none, so that nobody fills
 *   the log by asking.
 * - The answer comes within the caller's time, whatever the handler does.
 */
import {
  failure,
  failureText,
  isoFromMicros,
  millis,
  type Clock,
  type ErrorCode,
  type Failure,
  type Json,
  type JsonObject,
  type Random,
} from "@rumi/kernel";
import type { EventDraft, Metrics } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { packOfPrincipal } from "../grants/model.ts";
import { permit } from "../grants/permit.ts";
import { isBuiltinPermission, type GrantConfig } from "../grants/permissions.ts";
import type { Blocks } from "../flows/blocks.ts";
import type { PackLibrary } from "../packs/library.ts";
import { createSlidingWindow } from "../sliding-window.ts";
import { systemEvent } from "../system-events.ts";
import type { Builtins, CallTrail } from "./builtins.ts";
import { fileOf } from "./handler.ts";
import { overriddenEvent } from "./overridden.ts";
import type { HandlerRegistry, TrustedHandler } from "./registry.ts";

/** Each is reached by a test. */
export const CALL_LIMITS = {
  timeout_seconds: 120,
  default_timeout_seconds: 30,
  /** As JSON. */
  args_bytes: 2_097_152,
  response_bytes: 4_194_304,
  /** Of one pack. */
  calls_per_minute: 6_000,
  /** Of one pack, after which its calls are not even looked at. */
  denials_per_minute: 60,
  error_characters: 2_000,
} as const;
const WINDOW_MS = 60_000;

export const CAPABILITY_ERROR_TYPES = [
  "approval_denied",
  "grant_denied",
  "trust_denied",
  "handler_not_found",
  "execution_error",
  "timeout",
  "socket_not_found",
  "rate_limited",
  "requires_denied",
  "caller_requires_denied",
  "response_too_large",
] as const;
export type CapabilityErrorType = (typeof CAPABILITY_ERROR_TYPES)[number];

export type CapabilityAsk = {
  /** Whose call it is: said by whoever serves the caller, never by the caller. */
  readonly principal: string;
  /** What the caller says it is; another than `principal` is audited and counts for nothing. */
  readonly claimed_principal?: string;
  readonly permission_id: string;
  readonly args: JsonObject;
  readonly timeout_seconds: number;
  /** The caller's own; an act that must not happen twice is done once under it. */
  readonly request_id: string | null;
  readonly trail?: CallTrail;
  /** Nobody waits any more. */
  readonly signal?: AbortSignal;
};
export type CapabilityAnswer =
  | { readonly success: true; readonly output: Json; readonly latency_ms: number }
  | {
      readonly success: false;
      readonly error: string;
      readonly error_type: CapabilityErrorType;
      readonly error_code: ErrorCode;
      readonly latency_ms: number;
    };
export type CallCapability = (ask: CapabilityAsk) => Promise<CapabilityAnswer>;

export type CapabilityCallDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly handlers: HandlerRegistry;
  readonly library: Pick<PackLibrary, "verify">;
  /** A pool of its own: blocks that wait for handlers hold no place that a handler needs. */
  readonly jails: Pick<Blocks, "callHandler">;
  readonly builtins: Builtins;
};

type Outcome =
  | { readonly kind: "output"; readonly output: Json }
  | { readonly kind: "refused"; readonly error_type: CapabilityErrorType; readonly failure: Failure };
/** `handler_id` and the handler's pack, where one was found. */
type Carried = Outcome & { readonly handler?: TrustedHandler };

const DENIALS: ReadonlySet<CapabilityErrorType> = new Set([
  "approval_denied",
  "grant_denied",
  "trust_denied",
  "handler_not_found",
  "requires_denied",
  "caller_requires_denied",
]);

export function createCapabilityCalls(deps: CapabilityCallDeps): CallCapability {
  const { clock, metrics } = deps;
  const [calls, denials] = [createSlidingWindow(clock, WINDOW_MS), createSlidingWindow(clock, WINDOW_MS)];
  const counted = metrics.counter("capability.calls", "Calls of capabilities, by what came of them.");
  return async (ask) => {
    const began = clock.monotonic();
    const pack_id = packOfPrincipal(ask.principal);
    const answered = (outcome: Outcome): CapabilityAnswer => {
      counted.add({ result: outcome.kind === "output" ? "success" : outcome.error_type });
      const latency_ms = Math.round((clock.monotonic() - began) * 1_000) / 1_000;
      if (outcome.kind === "output") return { success: true, output: outcome.output, latency_ms };
      const { text, next } = failureText(outcome.failure, "en");
      const error = `${text} ${next}`.slice(0, CALL_LIMITS.error_characters);
      return {
        success: false,
        error,
        error_type: outcome.error_type,
        error_code: outcome.failure.code,
        latency_ms,
      };
    };
    const limit =
      calls.recent(pack_id) >= CALL_LIMITS.calls_per_minute
        ? `${CALL_LIMITS.calls_per_minute} calls`
        : denials.recent(pack_id) >= CALL_LIMITS.denials_per_minute
          ? `${CALL_LIMITS.denials_per_minute} denied calls`
          : undefined;
    if (limit !== undefined) return answered(refused(failure("RUMI-CAP-014", { pack_id, limit })));
    calls.count(pack_id);
    const carried = await carryOut(ask, pack_id, deps);
    if (carried.kind === "refused" && DENIALS.has(carried.error_type)) denials.count(pack_id);
    const duration_ms = clock.monotonic() - began;
    const committed = await deps.store.commit({
      writes: [],
      events: eventsOf(ask, pack_id, carried, duration_ms, deps),
    });
    if (committed.ok) return answered(carried);
    return answered(failed(ask, `it could not be audited: ${committed.error.kind}`));
  };
}

async function carryOut(ask: CapabilityAsk, pack_id: string, deps: CapabilityCallDeps): Promise<Carried> {
  const { store, handlers, library } = deps;
  const { principal, permission_id } = ask;
  if (Buffer.byteLength(JSON.stringify(ask.args)) > CALL_LIMITS.args_bytes)
    return failed(ask, `its args are larger than ${CALL_LIMITS.args_bytes} bytes`);
  const permitted = await permit(store, store, { principal_id: principal, permission_id });
  if (!permitted.ok) return refused(permitted.error);
  const config = permitted.value;
  if (isBuiltinPermission(permission_id)) {
    const builtin = deps.builtins[permission_id];
    if (builtin === undefined) return refused(failure("RUMI-CAP-001", { what: permission_id }));
    return withinTime(ask, deps.clock, async (signal) => {
      const { args, request_id, trail, timeout_seconds } = ask;
      const done = await builtin({ principal, pack_id, config, args, request_id, trail, timeout_seconds, signal });
      return done.ok ? { kind: "output", output: done.value } : refused(done.error);
    });
  }
  const found = await handlers.find(store, permission_id);
  if (!found.ok) return refused(found.error);
  const handler = found.value;
  const verified = await library.verify(handler.pack_id);
  if (!verified.ok) return { ...refused(verified.error), handler };
  const lacks = await lacking(handler, principal, deps);
  if (lacks !== undefined) return { ...refused(lacks), handler };
  const outcome = await withinTime(ask, deps.clock, (signal) =>
    inJail(handler, { ask, pack_id, config, signal }, deps),
  );
  return { ...outcome, handler };
}

/** What the handler asks of its own pack or of its caller, and is not held now. */
async function lacking(
  { handler_id, pack_id, requires = [], caller_requires = [] }: TrustedHandler,
  principal_id: string,
  { store }: CapabilityCallDeps,
): Promise<Failure | undefined> {
  for (const permission_id of requires)
    if (!(await permit(store, store, { principal_id: pack_id, permission_id })).ok)
      return failure("RUMI-CAP-016", { handler_id, permission_id, pack_id });
  for (const permission_id of caller_requires)
    if (!(await permit(store, store, { principal_id, permission_id })).ok)
      return failure("RUMI-CAP-017", { handler_id, permission_id, principal_id });
  return undefined;
}

async function inJail(
  handler: TrustedHandler,
  of: {
    readonly ask: CapabilityAsk;
    readonly pack_id: string;
    readonly config: GrantConfig;
    readonly signal: AbortSignal;
  },
  { jails, clock }: CapabilityCallDeps,
): Promise<Outcome> {
  const { ask, pack_id, config, signal } = of;
  const { candidate_key, folder_digest, directory, entries, entrypoint } = handler;
  const outcome = await jails.callHandler({
    code: { key: `handler:${handler.pack_id}:${handler.slug}`, digest: folder_digest, directory, entries },
    file: fileOf(entrypoint),
    function: entrypoint.slice(entrypoint.lastIndexOf(":") + 1),
    context: {
      principal_id: ask.principal,
      owner_pack: pack_id,
      permission_id: ask.permission_id,
      handler_id: handler.handler_id,
      candidate_key,
      grant_config: config,
      request_id: ask.request_id,
      ts: isoFromMicros(clock.now()),
    },
    args: ask.args,
    timeout_ms: ask.timeout_seconds * 1_000,
    signal,
  });
  if (outcome.kind === "output") return outcome;
  if (outcome.why === "timeout") return late(ask);
  if (outcome.why === "too_large") return tooLarge(ask);
  return failed(ask, outcome.problem);
}

/** Whatever `act` does, an answer comes in time; then nobody waits for it any more, and it is told so. */
async function withinTime(
  ask: CapabilityAsk,
  clock: Clock,
  act: (signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  const ending = new AbortController();
  const settled = new AbortController();
  const end = (): void => ending.abort();
  ask.signal?.addEventListener("abort", end);
  if (ask.signal?.aborted === true) end();
  const time = clock.sleep(millis(ask.timeout_seconds * 1_000), settled.signal).then(() => late(ask));
  try {
    const outcome = await Promise.race([act(ending.signal), time]);
    if (outcome.kind !== "output") return outcome;
    return Buffer.byteLength(JSON.stringify(outcome.output)) > CALL_LIMITS.response_bytes ? tooLarge(ask) : outcome;
  } finally {
    end();
    settled.abort();
    ask.signal?.removeEventListener("abort", end);
  }
}

/** What each code is called by whoever called; any other is an execution error. */
const TYPES: Partial<Record<ErrorCode, CapabilityErrorType>> = {
  "RUMI-PACK-005": "approval_denied",
  "RUMI-PACK-006": "approval_denied",
  "RUMI-PACK-007": "approval_denied",
  "RUMI-CAP-010": "grant_denied",
  "RUMI-CAP-013": "grant_denied",
  "RUMI-DATA-003": "grant_denied",
  "RUMI-DATA-006": "response_too_large",
  "RUMI-CAP-006": "trust_denied",
  "RUMI-CAP-016": "requires_denied",
  "RUMI-CAP-017": "caller_requires_denied",
  "RUMI-CAP-001": "handler_not_found",
  "RUMI-CAP-014": "rate_limited",
  "RUMI-SEC-004": "rate_limited",
  "RUMI-FLOW-005": "rate_limited",
};

function refused(of: Failure): Extract<Outcome, { kind: "refused" }> {
  return { kind: "refused", error_type: TYPES[of.code] ?? "execution_error", failure: of };
}

const failed = ({ permission_id }: CapabilityAsk, problem: string): Outcome =>
  refused(failure("RUMI-CAP-002", { permission_id, problem: problem.slice(0, 1_500) }));

const late = ({ permission_id, timeout_seconds }: CapabilityAsk): Outcome => ({
  kind: "refused",
  error_type: "timeout",
  failure: failure("RUMI-CAP-002", { permission_id, problem: `it gave no answer within ${timeout_seconds} s` }),
});

const tooLarge = ({ permission_id }: CapabilityAsk): Outcome => ({
  kind: "refused",
  error_type: "response_too_large",
  failure: failure("RUMI-CAP-002", {
    permission_id,
    problem: `its answer is larger than ${CALL_LIMITS.response_bytes} bytes`,
  }),
});

function eventsOf(
  ask: CapabilityAsk,
  pack_id: string,
  carried: Carried,
  duration_ms: number,
  { clock, random }: CapabilityCallDeps,
): readonly ReturnType<typeof systemEvent>[] {
  const { principal, permission_id, claimed_principal, trail } = ask;
  const owner_pack = pack_id.slice(0, 64);
  const by = { clock, random, actor: `pack:${owner_pack}` };
  const told = (draft: EventDraft): ReturnType<typeof systemEvent> =>
    systemEvent(by, draft, { ...trail, ...(ask.request_id === null ? {} : { request_id: ask.request_id }) });
  const overridden =
    claimed_principal === undefined || claimed_principal === principal
      ? []
      : [told(overriddenEvent({ owner_pack, claimed_principal, used_principal: principal }))];
  const isDenied = carried.kind === "refused" && DENIALS.has(carried.error_type);
  const wrong =
    carried.kind === "output"
      ? {}
      : { error: failureText(carried.failure, "en").text.slice(0, 2_000), error_type: carried.error_type };
  const details = {
    permission_type: "capability_grant",
    permission_id,
    principal_id: principal,
    owner_pack,
    execution_mode: isBuiltinPermission(permission_id) ? "built_in" : "jail",
    duration_ms,
    ...(carried.handler === undefined ? {} : { handler_id: carried.handler.handler_id }),
    ...wrong,
  };
  const draft: EventDraft = {
    action: isDenied ? "permission.denied" : "capability.executed",
    resource_type: "capability",
    resource_id: `${principal}:${permission_id}`,
    outcome: isDenied ? "REJECTED" : carried.kind === "output" ? "SUCCESS" : "FAILURE",
    details,
  };
  return [...overridden, told(draft)];
}
