/** A server on the real store and the sample operations of the pipeline's tests. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, systemRandom } from "@rumi/kernel";
import { deriveToken, failureLimiter, homeAuthenticator } from "@rumi/operations";
import { type Kit, type KitOptions, openKit } from "@rumi/operations/testing";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { createServer, type Server, type ServerSettings } from "../src/index.ts";

export const TOKEN: string = deriveToken(new Uint8Array(32).fill(1), "dev", "home-1");

export type ServerKit = {
  readonly kit: Kit;
  readonly server: Server;
  readonly close: () => Promise<void>;
  /** As root, without a socket. */
  readonly ask: (
    method: "GET" | "POST" | "DELETE" | "HEAD" | "OPTIONS",
    url: string,
    over?: {
      readonly body?: unknown;
      readonly raw?: string | Buffer;
      readonly headers?: Record<string, string>;
      readonly token?: string | null;
    },
  ) => Promise<Reply>;
};
export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Record<string, unknown>;
  readonly text: string;
};

export async function openServerKit(over: Partial<ServerSettings> = {}, options: KitOptions = {}): Promise<ServerKit> {
  const kit = await openKit(options);
  const folder = temporaryFolder();
  mkdirSync(join(folder.path, "assets"));
  writeFileSync(join(folder.path, "index.html"), "<!doctype html><title>console</title>");
  writeFileSync(join(folder.path, "assets", "app.js"), "export {};");
  const clock = systemClock();
  const server = createServer({
    pipeline: kit.pipeline,
    authenticator: homeAuthenticator(TOKEN),
    limiter: failureLimiter(clock),
    health: { status: () => Promise.resolve("UP") },
    log: {
      checkpoint: () => Promise.resolve("rumi.test/log\n1\nAAAA\n\n— x y\n"),
      tile: (path) => Promise.resolve(path === "0/000" ? new Uint8Array(32) : null),
      vkey: () => "rumi.test/log+00000000+AAAA",
    },
    clock,
    random: systemRandom(),
    logger: kit.pipeline.settings.logger,
    metrics: kit.metrics,
    bind_address: "127.0.0.1",
    port: 0,
    cors_origins: ["http://localhost:3000"],
    body_limit_bytes: 1_048_576,
    console_folder: folder.path,
    version: "0.1.0",
    ...over,
  });
  await server.app.ready();
  return {
    kit,
    server,
    close: async () => {
      await server.close();
      await kit.close();
      folder.remove();
    },
    ask: async (method, url, { body, raw, headers = {}, token = TOKEN } = {}) => {
      const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const reply = await server.app.inject({
        method,
        url,
        ...(payload === undefined ? {} : { payload }),
        headers: {
          host: "127.0.0.1:8765",
          ...(payload === undefined ? {} : { "content-type": "application/json" }),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      });
      const json =
        String(reply.headers["content-type"]).startsWith("application/json") && reply.payload !== ""
          ? (JSON.parse(reply.payload) as Record<string, unknown>)
          : {};
      return { status: reply.statusCode, headers: reply.headers, body: json, text: reply.payload };
    },
  };
}
