/**
 * Routes of declared operations whose body is a file: it is handed on as it comes, never held whole, and joins the operation's
 * input as what was received of it.
 *
 * Invariants (upload-routes.test.ts)
 * - Nobody's body is read who may not ask for the operation; the refusal is on record as any other.
 * - What is too long is answered before it is read: at once where it announces its length, else at the byte after the last one.
 */
import { failure, type Failure } from "@rumi/kernel";
import { uploadInput, type Answer, type RawInput, type RegisteredOperation, type Upload } from "@rumi/operations";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Readable } from "node:stream";
import { remoteOf, sendFailure } from "./context.ts";
import { headerText, routerPath, sendAnswer } from "./declared-routes.ts";
import type { ServerSettings } from "./ports.ts";

export function installUploadRoutes(app: FastifyInstance, { pipeline }: ServerSettings): void {
  for (const operation of pipeline.settings.registry.operations.values()) {
    const { upload, http, name } = operation.definition;
    if (upload === undefined) continue;
    void app.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      // Of any type: who may not ask is refused as such, whatever comes with it.
      scope.addContentTypeParser("*", (_request, body, parsed) => parsed(null, body));
      for (const path of [http.path, ...(http.aliases ?? [])])
        scope.route({
          method: http.method,
          url: routerPath(path),
          config: { declared: name },
          handler: (request, reply) => take(request, reply, operation, upload, pipeline),
        });
      done();
    });
  }
}

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  operation: RegisteredOperation,
  upload: Upload,
  pipeline: ServerSettings["pipeline"],
): Promise<FastifyReply> {
  const { principal, body } = request;
  const { params, query } = request as unknown as Pick<RawInput, "params" | "query">;
  const joined = uploadInput({ params, query }, operation.schema);
  if (!joined.ok) return sendFailure(request, reply, joined.error);
  const isForbidden = principal === null || (await pipeline.forbidden(operation, principal)) !== undefined;
  if (isForbidden)
    return answer(request, reply, await carryOut(request, operation, joined.value(upload.unread), pipeline));
  if (!(body instanceof Readable) || !upload.media_types.includes(mediaType(request)))
    return sendFailure(request, reply, noFile(request));
  if (Number(request.headers["content-length"] ?? 0) > upload.limit_bytes)
    return sendFailure(request, reply, upload.tooLong());
  const taken = await upload.receive(body);
  if (!taken.ok) return sendFailure(request, reply, taken.error);
  const { received, release } = taken.value;
  let told: Answer;
  try {
    told = await carryOut(request, operation, joined.value(received), pipeline);
  } finally {
    await release();
  }
  return answer(request, reply, told);
}

function carryOut(
  request: FastifyRequest,
  operation: RegisteredOperation,
  raw: RawInput,
  pipeline: ServerSettings["pipeline"],
): Promise<Answer> {
  return pipeline.execute(operation, {
    raw,
    principal: request.principal,
    idempotencyKey: headerText(request, "idempotency-key"),
    trace_id: request.trace,
    remote: remoteOf(request),
  });
}

function answer(request: FastifyRequest, reply: FastifyReply, told: Answer): FastifyReply {
  if (told.command_id !== null) reply.header("idempotency-key", told.command_id);
  return sendAnswer(request, reply, told, { command: "in_header", flat: false });
}

function mediaType(request: FastifyRequest): string {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  return type.trim().toLowerCase();
}

function noFile(request: FastifyRequest): Failure {
  return failure("RUMI-VAL-011", { type: (request.headers["content-type"] ?? "(none)").slice(0, 100) });
}
