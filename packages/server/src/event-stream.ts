/**
 * Live changes over server-sent events: the store's change feed, one connection per listener.
 *
 * How to think: a listener is a position in the feed. Whatever wakes the hub, each listener reads on from its
 * own position; so a listener that reconnects with the last id it saw misses nothing and sees nothing twice.
 *
 * Invariants (event-stream.test.ts): resumption without loss; a listener that does not read is disconnected at
 * the buffer limit and harms nobody; a token that ends (time, revocation, principal) and a policy that forbids it end streams before they tell
 * anything more; the end of the program ends the streams.
 */
import { failure, millis, type Clock, type Failure } from "@rumi/kernel";
import { causeChain, type Authenticator, type Logger, type PolicyPort, type Principal } from "@rumi/operations";
import { feedEnd, readFeed, type Store } from "@rumi/store";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { presentedToken } from "./admission.ts";
import { sendFailure } from "./context.ts";
import { SERVER_LIMITS } from "./limits.ts";

type Listener = { seq: number; readonly reply: FastifyReply; readonly token: string; heard_ms: number };

/** What policies know it by; it is no declared query, since it never ends. */
export const EVENTS_ACTION = "events.read";

export interface EventHub {
  /** Ends every stream and the hub's own loop. */
  close(): Promise<void>;
  readonly listeners: () => number;
}

export function installEventStream(
  app: FastifyInstance,
  {
    store,
    clock,
    logger,
    authenticator,
    policy,
  }: {
    readonly store: Store;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly authenticator: Authenticator;
    readonly policy: PolicyPort | null;
  },
): EventHub {
  const listeners = new Set<Listener>();
  const stopped = new AbortController();
  let pumping: Promise<void> | null = null;
  let dirty = false;

  /** Policies are asked when it begins and again before each thing it tells: what they say may change meanwhile. */
  const forbidden = async (principal: Principal): Promise<Failure | undefined> =>
    policy?.refusal({
      principal,
      operation: EVENTS_ACTION,
      target: { resource_type: "query", resource_id: EVENTS_ACTION },
    });
  /** As JSON, so that it stays some; the change may be older than the secret. */
  const withoutSecrets = (data: string): string =>
    app.scrubber.isIn(data) ? JSON.stringify(app.scrubber.value(JSON.parse(data))) : data;
  const drop = (listener: Listener): void => {
    listeners.delete(listener);
    listener.reply.raw.destroy();
  };
  const pump = async (listener: Listener): Promise<void> => {
    const known = await authenticator.authenticate(listener.token);
    if (!known.ok || (await forbidden(known.value)) !== undefined) return drop(listener);
    for (;;) {
      const { rows, gap } = await readFeed(store, store, listener.seq, SERVER_LIMITS.stream_page_rows);
      if (!listeners.has(listener)) return;
      const frames = rows.map(({ seq, kind, data }) => `id: ${seq}\nevent: ${kind}\ndata: ${withoutSecrets(data)}\n\n`);
      if (gap) frames.unshift(`event: gap\ndata: {"after":${listener.seq}}\n\n`);
      if (frames.length > 0) send(listener, frames.join(""));
      listener.seq = rows.at(-1)?.seq ?? listener.seq;
      if (rows.length < SERVER_LIMITS.stream_page_rows || !listeners.has(listener)) return;
    }
  };
  const send = (listener: Listener, text: string): void => {
    const { raw } = listener.reply;
    raw.write(text);
    listener.heard_ms = clock.monotonic();
    if (raw.writableLength > SERVER_LIMITS.stream_buffer_bytes) drop(listener);
  };
  const pumpAll = (): void => {
    dirty = true;
    pumping ??= (async () => {
      while (dirty && !stopped.signal.aborted) {
        dirty = false;
        for (const listener of listeners) await pump(listener);
      }
    })()
      .catch((error: unknown) => logger.error("the change feed could not be read", { causes: causeChain(error) }))
      .finally(() => (pumping = null));
  };
  const beat = (): void => {
    for (const listener of listeners) {
      if (clock.monotonic() - listener.heard_ms >= SERVER_LIMITS.stream_heartbeat_ms) send(listener, ": heartbeat\n\n");
    }
  };
  const forget = store.onAppended(() => {
    if (listeners.size > 0) pumpAll();
  });
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      await clock.sleep(millis(SERVER_LIMITS.stream_poll_ms), stopped.signal);
      beat();
      if (listeners.size > 0) pumpAll();
    }
  })();

  app.get("/api/events", async (request, reply) => {
    const from = position(request);
    if (from === undefined)
      return sendFailure(
        request,
        reply,
        failure("RUMI-VAL-002", { field: "Last-Event-ID", problem: "it is not an event's number" }),
      );
    if (request.principal === null || request.principal.roles.length === 0) {
      return sendFailure(
        request,
        reply,
        failure("RUMI-AUTH-003", {
          principal: request.principal?.id ?? "nobody",
          action: EVENTS_ACTION,
        }),
      );
    }
    const why = await forbidden(request.principal);
    if (why !== undefined) return sendFailure(request, reply, why);
    if (listeners.size >= SERVER_LIMITS.streams)
      return sendFailure(request, reply, failure("RUMI-SYS-012", { limit: SERVER_LIMITS.streams }));
    const seq = from ?? (await feedEnd(store, store));
    reply.hijack();
    const listener: Listener = { seq, reply, token: presentedToken(request) ?? "", heard_ms: clock.monotonic() };
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    reply.raw.write(`retry: 1000\n: from ${seq}\n\n`);
    listeners.add(listener);
    reply.raw.on("close", () => listeners.delete(listener));
    reply.raw.on("error", () => listeners.delete(listener));
    pumpAll();
    return reply;
  });

  return {
    listeners: () => listeners.size,
    close: async () => {
      stopped.abort();
      forget();
      for (const { reply } of listeners) reply.raw.end();
      listeners.clear();
      await loop;
      await pumping;
    },
  };
}

/** null: from now on; undefined: not a position. */
function position(request: FastifyRequest): number | null | undefined {
  const sent =
    request.headers["last-event-id"] ?? (request.query as Readonly<Record<string, unknown>>)["last_event_id"];
  if (sent === undefined) return null;
  return typeof sent === "string" && /^(0|[1-9]\d{0,14})$/.test(sent) ? Number(sent) : undefined;
}
