/** What the log keeps of a pack's requests: what leaves before it leaves, what came of it, and what was held back. */
import { failureText, type Clock, type Random } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import { systemEvent } from "../system-events.ts";
import type { EgressProblem } from "./answer.ts";
import { portOf, type EgressCall } from "./request.ts";

export type EgressTrail = {
  readonly pack_id: string;
  readonly call: EgressCall;
  /** Where it was sent on, in their order. */
  readonly hops: readonly URL[];
  readonly duration_ms: number;
};
type By = { readonly clock: Clock; readonly random: Random };

const SHOWN_CHARACTERS = 1_024;

/** Without its query: what is asked for may be secret, whom it was asked of is not. */
export function shownUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`.slice(0, SHOWN_CHARACTERS);
}

export function sentEvent(by: By, of: Pick<EgressTrail, "pack_id" | "call">): LedgerEvent {
  return eventOf(by, of, { action: "network.sent", outcome: "SUCCESS", more: {} });
}

export function answeredEvent(
  by: By,
  of: EgressTrail,
  came: { readonly status: number; readonly bytes_read: number },
): LedgerEvent {
  const more = { status: came.status, bytes_read: came.bytes_read, ...measured(of) };
  return eventOf(by, of, { action: "network.requested", outcome: "SUCCESS", more });
}

export function unansweredEvent(by: By, of: EgressTrail, problem: EgressProblem): LedgerEvent {
  const outcome = problem.error_type.endsWith("_denied") ? "REJECTED" : "FAILURE";
  const more = { ...measured(of), ...wrong(problem) };
  return eventOf(by, of, { action: "network.requested", outcome, more });
}

/** The same refusal where security looks for it. */
export function deniedEvent(by: By, { pack_id, call, hops }: EgressTrail, problem: EgressProblem): LedgerEvent {
  const url = hops.at(-1) ?? call.url;
  return systemEvent(
    { ...by, actor: `pack:${pack_id}` },
    {
      action: "permission.denied",
      resource_type: "network_grant",
      resource_id: pack_id,
      outcome: "REJECTED",
      details: {
        permission_type: "network_grant",
        principal_id: pack_id,
        owner_pack: pack_id,
        config: { domain: url.hostname, port: portOf(url), protocol: url.protocol.slice(0, -1) },
        ...wrong(problem),
      },
    },
  );
}

function wrong({ failure, error_type }: EgressProblem) {
  const text = failureText(failure, "en").text.slice(0, SHOWN_CHARACTERS);
  return { error: text, error_type, ...(error_type.endsWith("_denied") ? { rejection_reason: text } : {}) };
}

function measured({ hops, duration_ms }: EgressTrail) {
  return { duration_ms, ...(hops.length === 0 ? {} : { redirect_hops: hops.map(shownUrl) }) };
}

function eventOf(
  by: By,
  { pack_id, call }: Pick<EgressTrail, "pack_id" | "call">,
  of: {
    readonly action: "network.sent" | "network.requested";
    readonly outcome: LedgerEvent["outcome"];
    readonly more: object;
  },
): LedgerEvent {
  const { url, method } = call;
  return systemEvent(
    { ...by, actor: `pack:${pack_id}` },
    {
      action: of.action,
      resource_type: "pack",
      resource_id: pack_id,
      outcome: of.outcome,
      details: {
        owner_pack: pack_id,
        method,
        domain: url.hostname.slice(0, 253),
        port: portOf(url),
        ...of.more,
      },
    },
  );
}
