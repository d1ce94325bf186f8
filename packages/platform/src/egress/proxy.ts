/**
 * Passes on what a pack may send: each hop is judged by the decision that `POST /api/network/check` asks, its name is looked
 * up once, and the connection goes to the addresses that were judged.
 *
 * How to think: whose request it is was settled before it came here, by the socket. A grant is read at every hop, so taking
 * it away counts from the next hop on. What leaves is in the log before it leaves.
 *
 * Invariants (egress.test.ts)
 * - What the check refuses is refused, with its reason; no name is looked up that no grant covers.
 * - An address that was not judged is never connected to, whatever the name resolves to later.
 * - A pack that is refused again and again fills no log: behind {@link EGRESS_LIMITS} it is refused unheard.
 */
import { err, failure, ok, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import type { Metrics } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { decideEgress, type EgressCheck, type EgressDecision } from "../network/model.ts";
import { readStanding } from "../network/standing.ts";
import { createSlidingWindow, type SlidingWindow } from "../sliding-window.ts";
import { unanswered, type EgressAnswer, type EgressProblem } from "./answer.ts";
import { answeredEvent, deniedEvent, sentEvent, shownUrl, unansweredEvent, type EgressTrail } from "./audit.ts";
import { deadline } from "./deadline.ts";
import { exchange, timedOut, type Dial, type Exchanged } from "./exchange.ts";
import { EGRESS_LIMITS } from "./limits.ts";
import { parseCall, portOf, redirected, type EgressCall } from "./request.ts";

export type EgressDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /** Every address of a name, or null where none is known in time. */
  readonly resolve: (domain: string) => Promise<readonly string[] | null>;
  readonly dial: Dial;
  /** Counted here, read by the check. */
  readonly requests: SlidingWindow;
  readonly max_response_bytes: number;
  readonly tls_ca?: string;
};
export type EgressReply = { readonly answer: EgressAnswer; readonly body: Uint8Array };
/** What a pack may know before it asks; counts nothing. */
export type EgressOutlook = {
  readonly allowed: boolean;
  readonly denied_by: EgressCheck | null;
  readonly reason: string | null;
};

export interface EgressProxy {
  request(pack_id: string, head: unknown, body: Uint8Array, signal: AbortSignal): Promise<EgressReply>;
  check(pack_id: string, domain: string, port: number): Promise<EgressOutlook>;
}

const NOTHING = new Uint8Array(0);
const DURATIONS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 30_000, 120_000] as const;

export function createEgressProxy(deps: EgressDeps): EgressProxy {
  const { clock, metrics } = deps;
  const denials = createSlidingWindow(clock, 60_000);
  const counted = metrics.counter("egress.requests", "Requests of packs, by what came of them.");
  const durations = metrics.histogram("egress.duration_ms", "Requests of packs that were sent.", DURATIONS_MS);
  const read = metrics.counter("egress.response_bytes", "Bytes of answers that packs were given.");
  const refused = (pack_id: string, problem: EgressProblem): EgressReply => {
    counted.add({ pack_id, result: problem.error_type });
    return { answer: unanswered(problem), body: NOTHING };
  };
  return {
    check: async (pack_id, domain, port) => {
      const asked = { protocol: "https", domain, port, recent: deps.requests.recent(pack_id) };
      const decision = await judged(pack_id, asked, deps);
      return { denied_by: null, reason: null, ...decision };
    },
    request: async (pack_id, head, body, signal) => {
      const call = parseCall(head, body);
      if (!call.ok) return refused(pack_id, { failure: call.error, error_type: "invalid_request" });
      if (denials.recent(pack_id) >= EGRESS_LIMITS.refusals_logged_per_minute)
        return refused(pack_id, deniedProblem(pack_id, call.value.url, tooOften));
      const began = clock.monotonic();
      const hops: URL[] = [];
      const time = deadline(clock, call.value.timeout_ms);
      const came = await followed(pack_id, call.value, { hops, signal: AbortSignal.any([signal, time.signal]) }, deps);
      time.over();
      const latency_ms = Math.round((clock.monotonic() - began) * 1_000) / 1_000;
      const trail: EgressTrail = { pack_id, call: call.value, hops, duration_ms: latency_ms };
      if (came.kind === "problem") {
        const isDenied = came.problem.error_type.endsWith("_denied");
        if (isDenied) denials.count(pack_id);
        const events = [unansweredEvent(deps, trail, came.problem)];
        if (isDenied) events.push(deniedEvent(deps, trail, came.problem));
        const unwritten = await written(events, deps);
        return refused(pack_id, unwritten ?? came.problem);
      }
      const { status, headers, body: bytes } = came.exchanged;
      const unwritten = await written([answeredEvent(deps, trail, { status, bytes_read: bytes.length })], deps);
      if (unwritten !== undefined) return refused(pack_id, unwritten);
      counted.add({ pack_id, result: "answered" });
      durations.observe(latency_ms);
      read.add({ pack_id }, bytes.length);
      const answer: EgressAnswer = {
        success: true,
        status_code: status,
        headers,
        latency_ms,
        redirect_hops: hops.length,
        bytes_read: bytes.length,
        final_url: (hops.at(-1) ?? call.value.url).href,
      };
      return { answer, body: bytes };
    },
  };
}

type Came =
  | { readonly kind: "answered"; readonly exchanged: Exchanged }
  | { readonly kind: "problem"; readonly problem: EgressProblem };
const stopped = (problem: EgressProblem): Came => ({ kind: "problem", problem });

/** From hop to hop, each judged as if it were the first; only the first counts, and `hops` tells the others. */
async function followed(
  pack_id: string,
  first: EgressCall,
  way: { readonly hops: URL[]; readonly signal: AbortSignal },
  deps: EgressDeps,
): Promise<Came> {
  let call = first;
  for (;;) {
    const addresses = await addressesOf(pack_id, call, way, deps);
    if (!addresses.ok) return stopped(addresses.error);
    if (call === first) {
      const unwritten = await written([sentEvent(deps, { pack_id, call })], deps);
      if (unwritten !== undefined) return stopped(unwritten);
    }
    if (way.signal.aborted) return stopped(timedOut(first));
    const { dial, clock, max_response_bytes, tls_ca } = deps;
    const done = await exchange(call, {
      addresses: addresses.value,
      dial,
      clock,
      signal: way.signal,
      max_response_bytes,
      ...(tls_ca === undefined ? {} : { tls_ca }),
    });
    if (!done.ok) return stopped(done.error);
    const next = redirected(call, done.value.status, done.value.location);
    if (next === undefined) return { kind: "answered", exchanged: done.value };
    if (!next.ok) return stopped({ failure: next.error, error_type: "invalid_request" });
    if (way.hops.length >= EGRESS_LIMITS.redirects)
      return stopped({
        failure: failure("RUMI-NET-010", { target: first.url.host, most: EGRESS_LIMITS.redirects }),
        error_type: "too_many_redirects",
      });
    call = next.value;
    way.hops.push(call.url);
  }
}

/** The addresses that were judged, or why there are none to go to. */
async function addressesOf(
  pack_id: string,
  call: EgressCall,
  { hops, signal }: { readonly hops: readonly URL[]; readonly signal: AbortSignal },
  deps: EgressDeps,
): Promise<Result<readonly string[], EgressProblem>> {
  const { store, requests, resolve } = deps;
  const { url } = call;
  const standing = await readStanding(store, store, pack_id);
  // Between reading the window and counting nobody else has a turn.
  const isFirst = hops.length === 0;
  const asked = {
    protocol: url.protocol.slice(0, -1),
    domain: url.hostname,
    port: portOf(url),
    recent: isFirst ? requests.recent(pack_id) : 0,
  };
  const unseen = decideEgress(standing, { ...asked, addresses: null });
  if (!unseen.allowed) return err(deniedProblem(pack_id, url, unseen));
  if (isFirst) requests.count(pack_id);
  const addresses = await resolve(url.hostname);
  if (addresses === null)
    return err(
      signal.aborted
        ? timedOut(call)
        : {
            failure: failure("RUMI-NET-008", { target: url.host, problem: "no name server knows it" }),
            error_type: "name_not_found",
          },
    );
  const decision = decideEgress(standing, { ...asked, recent: 0, addresses });
  return decision.allowed ? ok(addresses) : err(deniedProblem(pack_id, url, decision));
}

/** Without counting: a name is looked up only where the grant covers it. */
async function judged(
  pack_id: string,
  asked: { readonly protocol: string; readonly domain: string; readonly port: number; readonly recent: number },
  { store, resolve }: EgressDeps,
): Promise<EgressDecision> {
  const standing = await readStanding(store, store, pack_id);
  const unseen = decideEgress(standing, { ...asked, addresses: null });
  return unseen.allowed ? decideEgress(standing, { ...asked, addresses: await resolve(asked.domain) }) : unseen;
}

type Denied = Extract<EgressDecision, { allowed: false }>;
const tooOften: Denied = {
  allowed: false,
  denied_by: "rate",
  reason: `${EGRESS_LIMITS.refusals_logged_per_minute} of its requests were refused within a minute`,
};

function deniedProblem(pack_id: string, url: URL, { denied_by, reason }: Denied): EgressProblem {
  return {
    failure: failure("RUMI-NET-006", { pack_id, target: shownUrl(url), reason }),
    error_type: `${denied_by}_denied`,
  };
}

/** Nothing is told that is not in the log. */
async function written(
  events: readonly LedgerEvent[],
  { store }: Pick<EgressDeps, "store">,
): Promise<EgressProblem | undefined> {
  const committed = await store.commit({ writes: [], events });
  if (committed.ok) return undefined;
  const reason: Failure = failure("RUMI-NET-003", { problem: `it could not be audited (${committed.error.kind})` });
  return { failure: reason, error_type: "proxy_error" };
}
