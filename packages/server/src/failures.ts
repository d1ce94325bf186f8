/** Turns whatever goes wrong inside the web framework into the one error answer; nothing of ours leaks out. */
import { type Failure, FailureError, failure } from "@rumi/kernel";
import { causeChain } from "@rumi/operations";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sendFailure } from "./context.ts";
import type { ServerSettings } from "./ports.ts";

export function installFailures(app: FastifyInstance, settings: ServerSettings): void {
  app.setNotFoundHandler((request, reply) => sendFailure(request, reply, unknownRoute(request)));
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply, settings));
}

export function answerError(
  error: Error & { readonly code?: string },
  request: FastifyRequest,
  reply: FastifyReply,
  settings: ServerSettings,
): FastifyReply {
  const expected = expectedFailure(error, request, settings);
  if (expected !== undefined) return sendFailure(request, reply, expected);
  settings.logger.error("a request failed inside", {
    correlation_id: request.trace,
    method: request.method,
    route: request.routeOptions.url ?? null,
    causes: causeChain(error),
  });
  return sendFailure(request, reply, failure("RUMI-SYS-001", { trace_id: request.trace }));
}

function expectedFailure(
  error: Error & { readonly code?: string },
  request: FastifyRequest,
  settings: ServerSettings,
): Failure | undefined {
  if (error instanceof FailureError) return error.failure;
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return failure("RUMI-VAL-007", { limit: settings.body_limit_bytes });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return failure("RUMI-VAL-011", {
        type: (request.headers["content-type"] ?? "(none)").slice(0, 100),
      });
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return failure("RUMI-VAL-010", { problem: "its length is not the announced one" });
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return failure("RUMI-VAL-010", { problem: "it is empty" });
    case "FST_ERR_BAD_URL":
      return failure("RUMI-VAL-002", { field: "path", problem: "its percent-encoding is broken" });
    case undefined:
      return undefined;
    case "FST_ERR_MAX_PARAM_LENGTH":
    case "FST_ERR_NOT_FOUND":
      return unknownRoute(request);
    default:
      return undefined;
  }
}

function unknownRoute(request: FastifyRequest): Failure {
  return failure("RUMI-SYS-004", {
    method: request.method,
    path: (request.url.split("?")[0] ?? "").slice(0, 200),
  });
}
