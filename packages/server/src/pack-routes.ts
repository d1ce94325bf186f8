/**
 * Serves paths that are none of the program's own and that a pack has a route for: each is one call of the declared operation
 * `routes.call`, behind the same token. What nobody has is answered as any unknown path.
 *
 * A body may be of any type here; it is handed on as text.
 */
import { failure, FailureError } from "@rumi/kernel";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { remoteOf } from "./context.ts";
import { headerText, sendAnswer } from "./declared-routes.ts";
import { answerNoRoute, type KnownRoute } from "./failures.ts";
import type { ServerSettings } from "./ports.ts";

export const PACK_ROUTE_PATH = "/*";
const OPERATION = "routes.call";
/** Who asks and under which key is the program's to know; what is given to a pack's code does not hold it. */
const WITHHELD = ["authorization", "cookie", "idempotency-key", "proxy-authorization", "traceparent", "tracestate"];
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function installPackRoutes(app: FastifyInstance, settings: ServerSettings, known: readonly KnownRoute[]): void {
  const { packRoutes, pipeline } = settings;
  const operation = pipeline.settings.registry.operations.get(OPERATION);
  if (packRoutes === undefined || operation === undefined) return;
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => parsed(null, body));
    scope.route({
      method: ["GET", "POST", "PUT", "DELETE"],
      url: PACK_ROUTE_PATH,
      exposeHeadRoute: false,
      config: { declared: OPERATION },
      handler: async (request, reply) => {
        const path = request.url.split("?")[0] ?? "";
        const match = packRoutes.match(request.method, path);
        if (match.kind === "none") return answerNoRoute(request, reply, known);
        if (match.kind === "methods") reply.header("allow", match.allowed.join(", "));
        const answer = await pipeline.execute(operation, {
          raw: { params: {}, query: {}, body: callOf(request, path) },
          principal: request.principal,
          idempotencyKey: headerText(request, "idempotency-key"),
          trace_id: request.trace,
          remote: remoteOf(request),
        });
        if (answer.command_id !== null) reply.header("idempotency-key", answer.command_id);
        return sendAnswer(request, reply, answer, { command: "in_header", flat: true });
      },
    });
    done();
  });
}

function callOf(request: FastifyRequest, path: string): object {
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined || WITHHELD.includes(name) ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
  );
  return { method: request.method, path, headers: Object.fromEntries(headers) as object, raw_body: bodyText(request) };
}

function bodyText({ body }: FastifyRequest): string {
  if (!Buffer.isBuffer(body)) return "";
  try {
    return decoder.decode(body);
  } catch (cause) {
    throw new FailureError(failure("RUMI-VAL-010", { problem: "it is not UTF-8" }, { cause }));
  }
}
