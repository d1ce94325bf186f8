/** Turns whatever goes wrong inside the web framework into the one error answer; nothing of ours leaks out. */
import { type Failure, FailureError, failure } from "@rumi/kernel";
import { causeChain } from "@rumi/operations";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sendFailure } from "./context.ts";
import type { ServerSettings } from "./ports.ts";

export type KnownRoute = { readonly method: string; readonly url: string };

export function installFailures(app: FastifyInstance, settings: ServerSettings, routes: readonly KnownRoute[]): void {
  app.setNotFoundHandler((request, reply) => answerNoRoute(request, reply, routes));
  app.setErrorHandler((error: FastifyError, request, reply) =>
    // A method that needs a body and came without one, where no route of ours has it.
    error.code === "FST_ERR_ROUTE_MISSING_CONTENT_TYPE"
      ? answerNoRoute(request, reply, routes)
      : answerError(error, request, reply, settings),
  );
}

/** 405 with what is allowed where the path is known under other methods, else 404. */
export function answerNoRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  routes: readonly KnownRoute[],
): FastifyReply {
  const allowed = methodsOf(routes, request.url);
  // Where its own method is among them it is the path that does not fit: a part of it is too long for any id.
  if (allowed.length === 0 || allowed.includes(request.method))
    return sendFailure(request, reply, unknownRoute(request));
  const { method, url } = request;
  const allow = allowed.join(", ");
  const params = { method, path: (url.split("?")[0] ?? "").slice(0, 200), allowed: allow };
  return sendFailure(request, reply.header("allow", allow), failure("RUMI-SYS-013", params));
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

/** Methods that the path of `url` is known under; none where it is no path of ours. */
export function methodsOf(routes: readonly KnownRoute[], url: string): readonly string[] {
  const path = (url.split("?")[0] ?? "").replace(/(?<=.)\/$/, "");
  // What is left for packs is no path of ours.
  const known = routes.filter((route) => route.url !== "/*" && patternOf(route.url).test(path));
  return [...new Set(known.map(({ method }) => method))].toSorted();
}

/** `/api/bots/:bot_id` as what a request's path looks like. */
function patternOf(url: string): RegExp {
  const parts = url
    .split("/")
    .map((part) =>
      part.startsWith(":") ? "[^/]+" : part === "*" ? ".+" : part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"),
    );
  return new RegExp(`^${parts.join("/")}$`);
}

function unknownRoute(request: FastifyRequest): Failure {
  return failure("RUMI-SYS-004", {
    method: request.method,
    path: (request.url.split("?")[0] ?? "").slice(0, 200),
  });
}
