/** Routes of declared operations and queries: the only ones that read a body or change state. */
import { parseUuid } from "@rumi/kernel";
import {
  openApiDocument,
  type Answer,
  type RawInput,
  type RegisteredOperation,
  type RegisteredQuery,
  type ServedDocument,
} from "@rumi/operations";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { language, remoteOf, sendJson } from "./context.ts";
import { answerEnvelope, type EnvelopeForm } from "./envelope.ts";
import type { ServerSettings } from "./ports.ts";
import { RAW_PATHS } from "./raw-document.ts";

export function installDeclaredRoutes(app: FastifyInstance, { pipeline, version }: ServerSettings): void {
  const { registry } = pipeline.settings;
  for (const operation of registry.operations.values()) {
    const { http, name, key, envelope, upload } = operation.definition;
    if (upload !== undefined) continue; // upload-routes.ts
    const flat = envelope === "flat";
    for (const path of [http.path, ...(http.aliases ?? [])]) {
      app.route({
        method: http.method,
        url: routerPath(path),
        config: { declared: name },
        handler: async (request, reply) => {
          adoptTrace(request, reply, operation);
          const answer = await pipeline.execute(operation, {
            raw: rawInput(request),
            principal: request.principal,
            idempotencyKey: headerText(request, "idempotency-key"),
            trace_id: request.trace,
            remote: remoteOf(request),
          });
          const inBody = key === "command_id" || (key === "either" && hasCommandId(request.body));
          if (!inBody && answer.command_id !== null) reply.header("idempotency-key", answer.command_id);
          return sendAnswer(request, reply, answer, { command: inBody ? "in_body" : "in_header", flat });
        },
      });
    }
  }
  for (const query of registry.queries.values()) installQuery(app, query, pipeline);
  const document = JSON.stringify(openApiDocument(registry, version, RAW_PATHS));
  app.get("/openapi.json", (_request, reply) =>
    reply.header("content-type", "application/json; charset=utf-8").send(document),
  );
}

function installQuery(app: FastifyInstance, query: RegisteredQuery, pipeline: ServerSettings["pipeline"]): void {
  const { http, name, envelope, document } = query.definition;
  for (const path of [http.path, ...(http.aliases ?? [])]) {
    app.get(routerPath(path), { config: { declared: name } }, async (request, reply) => {
      const answer = await pipeline.query(query, {
        raw: rawInput(request),
        principal: request.principal,
        trace_id: request.trace,
      });
      if (document !== undefined && answer.kind !== "refused") return sendDocument(reply, document, answer.data);
      return sendAnswer(request, reply, answer, { command: "none", flat: envelope === "flat" });
    });
  }
}

/** `/api/bots/{bot_id}` → `/api/bots/:bot_id`. */
export function routerPath(path: string): string {
  return path.replace(/\{([a-z_][a-z0-9_]*)\}/g, ":$1");
}

/** Streams go out as they grow; whoever asked may leave at any time. */
function sendDocument(reply: FastifyReply, media_type: string, data: unknown): FastifyReply {
  const { document } = data as ServedDocument;
  return reply
    .header("content-type", media_type)
    .header("cache-control", "no-store")
    .header("x-accel-buffering", "no")
    .send(document instanceof Uint8Array ? Buffer.from(document) : document);
}

export function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  form: EnvelopeForm,
): FastifyReply {
  if (answer.kind === "refused" && answer.retry_after_seconds !== undefined)
    reply.header("retry-after", String(answer.retry_after_seconds));
  const { runbookOf } = request.server;
  return sendJson(reply, answer.status, answerEnvelope(answer, form, language(request), request.trace, runbookOf));
}

/** A command may name its own trace; then answer, header and audit all carry that one. */
function adoptTrace(request: FastifyRequest, reply: FastifyReply, { schema }: RegisteredOperation): void {
  const sent = (request.body as { readonly trace_id?: unknown } | null | undefined)?.trace_id;
  if (typeof sent !== "string" || !Object.hasOwn(schema.properties, "trace_id") || parseUuid(sent) === undefined)
    return;
  request.trace = sent;
  reply.header("x-trace-id", sent);
}

function hasCommandId(body: unknown): boolean {
  return typeof body === "object" && body !== null && Object.hasOwn(body, "command_id");
}

function rawInput(request: FastifyRequest): RawInput {
  return {
    params: request.params as RawInput["params"],
    query: request.query as RawInput["query"],
    body: request.body,
  };
}

export function headerText(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
}
