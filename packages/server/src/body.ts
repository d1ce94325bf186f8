/** Request bodies: strict JSON and nothing else; an empty one is `{}`. */
import { err, type Failure, FailureError, failure, type Result } from "@rumi/kernel";
import { parseStrictJson } from "@rumi/operations";
import type { FastifyInstance } from "fastify";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function installBodyParser(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    if (body.length === 0) return done(null, {});
    const parsed = parse(body as Buffer);
    return parsed.ok ? done(null, parsed.value) : done(new FailureError(parsed.error));
  });
}

function parse(body: Buffer): Result<unknown, Failure> {
  let text: string;
  try {
    text = decoder.decode(body);
  } catch (cause) {
    return err(failure("RUMI-VAL-010", { problem: "it is not UTF-8" }, { cause }));
  }
  return parseStrictJson(text);
}
