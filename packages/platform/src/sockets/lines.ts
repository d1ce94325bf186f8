/**
 * What a pack may say over its two sockets, read strictly, and what it is told.
 *
 * Invariant (sockets.test.ts): a message that names another principal is carried out as the socket's own, and audited once
 * for each of the first claims of a minute.
 */
import type { JsonObject } from "@rumi/kernel";
import type { Clock, Random } from "@rumi/kernel";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Store } from "@rumi/store";
import { CALL_LIMITS, type CallCapability } from "../capabilities/call.ts";
import { overriddenEvent } from "../capabilities/overridden.ts";
import type { EgressProxy } from "../egress/proxy.ts";
import { createSlidingWindow } from "../sliding-window.ts";
import { RUNTIME_OPS } from "../runtime/lines.ts";
import { systemEvent } from "../system-events.ts";
import type { Serve, Served } from "./listen.ts";

export const CLAIMS_LOGGED_PER_MINUTE = 60;

const closed = { additionalProperties: false } as const;
const CHECK = Type.Object(
  {
    op: Type.Literal("network_check"),
    domain: Type.String({ minLength: 1, maxLength: 255 }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  },
  closed,
);
const CALL = Type.Object(
  {
    op: Type.Literal("capability_call"),
    permission_id: Type.String({ minLength: 1, maxLength: 256 }),
    args: Type.Record(Type.String(), Type.Unknown()),
    timeout_seconds: Type.Number({ exclusiveMinimum: 0, maximum: CALL_LIMITS.timeout_seconds }),
    request_id: Type.Union([Type.String({ minLength: 1, maxLength: 128 }), Type.Null()]),
    principal_id: Type.Optional(Type.String({ maxLength: 256 })),
  },
  closed,
);

type EgressLine = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly proxy: EgressProxy;
};

/** To the network. */
export function egressLine(pack_id: string, { store, clock, random, proxy }: EgressLine): Serve {
  const claims = createSlidingWindow(clock, 60_000);
  const note = async (claimed_principal: unknown): Promise<void> => {
    if (typeof claimed_principal !== "string" || claimed_principal === pack_id) return;
    if (claims.recent(pack_id) >= CLAIMS_LOGGED_PER_MINUTE) return;
    claims.count(pack_id);
    const draft = overriddenEvent({ owner_pack: pack_id, claimed_principal, used_principal: pack_id });
    const event = systemEvent({ clock, random, actor: `pack:${pack_id}` }, draft);
    const committed = await store.commit({ writes: [], events: [event] });
    if (!committed.ok) throw new Error(`a claim could not be audited: ${committed.error.kind}`);
  };
  return async ({ head: given, body }, signal) => {
    const { principal_id, ...head } = given;
    await note(principal_id);
    if (head["op"] !== "network_check") {
      const reply = await proxy.request(pack_id, head, body, signal);
      return { head: reply.answer, body: reply.body };
    }
    const problem = problemOf(CHECK, head);
    if (problem !== undefined) return refused(problem, "invalid_request");
    const { domain, port } = head as Static<typeof CHECK>;
    return { head: { domain, port, ...(await proxy.check(pack_id, domain, port)) } };
  };
}

/** To what the program does for it. */
export function capabilityLine(principal_id: string, call: CallCapability, runtime: Serve): Serve {
  return async (message, signal) => {
    const { head } = message;
    if (RUNTIME_OPS.includes(String(head["op"]))) return runtime(message, signal);
    const problem = problemOf(CALL, head);
    if (problem !== undefined) return refused(problem, "execution_error");
    const { permission_id, args, timeout_seconds, request_id, principal_id: claim } = head as Static<typeof CALL>;
    const claimed = claim === undefined ? {} : { claimed_principal: claim };
    const asked = { permission_id, args: args as JsonObject, timeout_seconds, request_id, signal };
    const answer = await call({ principal: principal_id, ...claimed, ...asked });
    const { success, latency_ms } = answer;
    return answer.success
      ? { head: { success, output: answer.output, error: null, error_type: null, latency_ms } }
      : { head: { success, output: null, error: answer.error, error_type: answer.error_type, latency_ms } };
  };
}

function problemOf(schema: typeof CHECK | typeof CALL, head: unknown): string | undefined {
  const [first] = Value.Errors(schema, head);
  return first === undefined ? undefined : `${first.path === "" ? "it" : first.path.slice(1)}: ${first.message}`;
}

function refused(error: string, error_type: string): Served {
  return { head: { success: false, error, error_type } };
}
