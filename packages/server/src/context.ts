/** What every request carries: its trace, its language, and who asked. */
import {
  type Failure,
  type Language,
  type Random,
  type Scrubber,
  ERROR_CATALOGUE,
  type Clock,
  uuidv7,
} from "@rumi/kernel";
import type { Principal } from "@rumi/operations";
import type { FastifyReply, FastifyRequest } from "fastify";
import { errorEnvelope, languageOf } from "./envelope.ts";
import type { RunbookOf } from "./ports.ts";

declare module "fastify" {
  interface FastifyInstance {
    readonly runbookOf: RunbookOf;
    readonly scrubber: Scrubber;
  }
  interface FastifyRequest {
    trace: string;
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    /** Needs no token. */
    readonly open?: boolean;
    /** Name of the declaration it was made from; raw routes have none. */
    readonly declared?: string;
  }
}

/** The trace of a W3C `traceparent`, else a fresh id. */
export function traceOf(request: FastifyRequest, clock: Clock, random: Random): string {
  const header = request.headers["traceparent"];
  const sent =
    typeof header === "string" ? /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(header)?.[1] : undefined;
  return sent === undefined || /^0+$/.test(sent) ? uuidv7(clock.now(), random) : sent;
}

export function language(request: FastifyRequest): Language {
  return languageOf(request.headers["accept-language"]);
}

export function sendFailure(request: FastifyRequest, reply: FastifyReply, of: Failure): FastifyReply {
  const { status } = ERROR_CATALOGUE[of.code];
  const seconds = of.params["seconds"];
  if (ERROR_CATALOGUE[of.code].retry === "later" && typeof seconds === "number")
    reply.header("retry-after", String(seconds));
  const runbook = request.server.runbookOf(of.code, of.reasonCode);
  return sendJson(reply, status, errorEnvelope(of, status, language(request), request.trace, runbook));
}

export function sendJson(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply
    .code(status)
    .header("content-type", "application/json; charset=utf-8")
    .send(JSON.stringify(reply.server.scrubber.value(body)));
}

export function remoteOf(request: FastifyRequest): string {
  return request.socket.remoteAddress ?? "unknown";
}
