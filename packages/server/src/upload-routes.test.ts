/** A declared operation whose body is a file: what its route reads, when, and from whom. */
import { request as httpRequest } from "node:http";
import type { Readable } from "node:stream";
import { err, failure, ok } from "@rumi/kernel";
import { defineOperation, type Declaration, type Received } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openServerKit, TOKEN, type ServerKit } from "../test/kit.ts";

const LIMIT = 1_000;
const closed = { additionalProperties: false } as const;
const seen = { begun: 0, released: 0 };

async function receive(body: Readable) {
  seen.begun += 1;
  let bytes = 0;
  for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > LIMIT) return err(failure("RUMI-PACK-040", { limit: LIMIT }));
  }
  const release = (): Promise<void> => Promise.resolve(void (seen.released += 1));
  return ok({ received: { bytes }, release } satisfies Received);
}

const upload = (permission: readonly ("admin" | "view_only")[], path: string): Declaration =>
  defineOperation({
    name: path.replace("/api/", "").replace("/", "."),
    summary: "Take a file",
    http: { method: "POST", path },
    input: Type.Object(
      {
        count: Type.Optional(Type.Integer()),
        reason: Type.Optional(Type.String()),
        received: Type.Object({ bytes: Type.Integer() }, closed),
      },
      closed,
    ),
    output: Type.Object({}, { additionalProperties: true }),
    key: "header",
    upload: {
      media_types: ["application/zip"],
      limit_bytes: LIMIT,
      unread: { bytes: -1 },
      receive,
      tooLong: () => failure("RUMI-PACK-040", { limit: LIMIT }),
    },
    claimed: "with_outcome",
    permission,
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target: () => ({ resource_type: "file", resource_id: "*" }),
    gates: [],
    load: () => Promise.resolve(null),
    decide: (_facts, input) => ok({ writes: [], events: [], outbox: [], data: input }),
  });

let s: ServerKit;
let port = 0;
beforeAll(async () => {
  const declarations = [upload(["admin"], "/api/files/send"), upload([], "/api/files/forbidden")];
  s = await openServerKit({}, { declarations });
  const listening = await s.server.listen();
  if (!listening.ok) throw new Error(listening.error.code);
  ({ port } = listening.value);
});
afterAll(() => s.close());
beforeEach(() => void Object.assign(seen, { begun: 0, released: 0 }));

const zip = { "content-type": "application/zip" } as const;
const send = (path: string, raw: Buffer, headers: Record<string, string> = zip, token?: null) =>
  s.ask("POST", path, { raw, headers, ...(token === null ? { token } : {}) });

/** What is answered to a head that announces a body, of which not one byte is sent. */
function announced(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      { port, host: "127.0.0.1", path, method: "POST", headers: { authorization: `Bearer ${TOKEN}`, ...headers } },
      (response) => {
        resolve(response.statusCode ?? 0);
        asked.destroy();
      },
    );
    asked.on("error", reject);
    asked.flushHeaders();
  });
}

describe("[L-0.1] [R-11.1] a body that is a file", () => {
  it("joins the query string, typed, as what was received; it is let go of before the answer", async () => {
    const answer = await send("/api/files/send?count=3&reason=because", Buffer.alloc(LIMIT));
    expect(answer.body).toMatchObject({
      success: true,
      data: { count: 3, reason: "because", received: { bytes: LIMIT } },
    });
    expect(answer.headers["idempotency-key"]).toEqual(expect.any(String));
    expect(seen).toEqual({ begun: 1, released: 1 });
  });

  it("one byte over its limit is refused; so is a length that says so, before a byte was sent", async () => {
    const over = await send("/api/files/send", Buffer.alloc(LIMIT + 1));
    expect([over.status, over.body["error_code"]]).toEqual([413, "RUMI-PACK-040"]);
    seen.begun = 0;
    expect(await announced("/api/files/send", { ...zip, "content-length": String(LIMIT + 1) })).toBe(413);
    expect(seen.begun).toBe(0);
  });

  it("nobody's body is read who may not ask; what was refused is on record", async () => {
    expect(await announced("/api/files/forbidden", { ...zip, "content-length": "10" })).toBe(403);
    expect((await send("/api/files/send", Buffer.alloc(1), zip, null)).status).toBe(401);
    expect(seen.begun).toBe(0);
    expect(await s.kit.actions()).toContain("controlplane.command.denied");
  });

  it.each([
    ["JSON", "/api/files/send", { "content-type": "application/json" }, 415, "RUMI-VAL-011"],
    ["a field that only the program fills", "/api/files/send?received=1", zip, 400, "RUMI-VAL-008"],
    ["a field that nobody knows", "/api/files/send?colour=red", zip, 400, "RUMI-VAL-008"],
    ["a field of another type", "/api/files/send?count=03", zip, 400, "RUMI-VAL-009"],
  ] as const)("refuses %s", async (_what, path, headers, status, code) => {
    const answer = await send(path, Buffer.from("{}"), { ...headers });
    expect([answer.status, answer.body["error_code"]]).toEqual([status, code]);
    expect(seen.released).toBe(seen.begun);
  });

  it("says in /openapi.json what it takes", async () => {
    const { body } = await s.ask("GET", "/openapi.json");
    type Entry = { readonly requestBody: unknown; readonly parameters: readonly { readonly name: string }[] };
    const paths = body["paths"] as Record<string, { readonly post: Entry }>;
    const entry = paths["/api/files/send"]?.post;
    expect(entry?.requestBody).toEqual({
      required: true,
      content: { "application/zip": { schema: { type: "string", format: "binary" } } },
      "x-rumi-limit-bytes": LIMIT,
    });
    expect(entry?.parameters.map(({ name }) => name)).toEqual(["count", "reason", "Idempotency-Key"]);
  });
});
