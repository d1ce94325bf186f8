/**
 * What happens to every request before its body is read: trace, headers, host, origin, token.
 *
 * Invariant: without a valid token the answer is 401 whatever the path or the body (server.test.ts).
 */
import { failure } from "@rumi/kernel";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { remoteOf, sendFailure, traceOf } from "./context.ts";
import type { ServerSettings } from "./ports.ts";
import { corsHeaders, hostRefusal, SECURITY_HEADERS } from "./security.ts";

export type Lifecycle = { closing: boolean };

export function installAdmission(app: FastifyInstance, settings: ServerSettings, lifecycle: Lifecycle): void {
  app.decorateRequest("trace", "");
  app.decorateRequest("principal", null);
  app.addHook("onRequest", async (request, reply) => {
    const cors = greet(request, reply, settings);
    const refusal = lifecycle.closing
      ? failure("RUMI-SYS-009")
      : hostRefusal(settings.bind_address, request.headers.host);
    if (refusal !== undefined) return sendFailure(request, reply, refusal);
    if (request.method === "OPTIONS" && cors) return reply.code(204).send();
    if (request.routeOptions.config?.open === true) return undefined;
    return authenticate(request, reply, settings);
  });
}

/** Trace and headers; true where the origin is one of the configured. */
export function greet(request: FastifyRequest, reply: FastifyReply, settings: ServerSettings): boolean {
  request.trace = traceOf(request, settings.clock, settings.random);
  const cors = corsHeaders(settings.cors_origins, request.headers.origin);
  reply.headers({ ...SECURITY_HEADERS, ...cors, "x-trace-id": request.trace });
  return "access-control-allow-origin" in cors;
}

export function presentedToken(request: FastifyRequest): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? "")?.[1];
}

/** Sets the principal, or answers 401 (429 after too many failures of one address). */
export async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  settings: ServerSettings,
): Promise<FastifyReply | undefined> {
  const token = presentedToken(request);
  const known = token === undefined ? undefined : await settings.authenticator.authenticate(token);
  if (known?.ok === true) {
    request.principal = known.value;
    return undefined;
  }
  const remote = remoteOf(request);
  const refusal = settings.limiter.refusal(remote) ?? known?.error ?? failure("RUMI-AUTH-001");
  settings.limiter.failed(remote);
  settings.pipeline.noteAuthenticationFailure(remote, refusal.code);
  settings.metrics
    .counter("rumi_authentication_failures_total", "Requests without a valid token.")
    .add({ error_code: refusal.code });
  if (refusal.code !== "RUMI-AUTH-004") reply.header("www-authenticate", "Bearer");
  return sendFailure(request, reply, refusal);
}
