/** The few routes that are no declared operation; all of them only read (server.test.ts walks the router). */
import { failure, type Scrubber } from "@rumi/kernel";
import type { FastifyInstance } from "fastify";
import { sendFailure, sendJson } from "./context.ts";
import type { LogSource, ServerSettings } from "./ports.ts";

const TILE = /^(entries|[0-9]|[1-5][0-9]|6[0-3])\/(x\d{3}\/){0,6}\d{3}(\.p\/([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]))?$/;

export function installRawRoutes(app: FastifyInstance, settings: ServerSettings): void {
  app.get("/health", { config: { open: true } }, async (_request, reply) => {
    const status = await settings.health.status();
    return sendJson(reply, status === "DOWN" ? 503 : 200, { status });
  });
  app.get("/metrics", async (_request, reply) => {
    await settings.beforeScrape?.();
    return reply
      .header("content-type", "text/plain; version=0.0.4; charset=utf-8")
      .send(withoutSecrets(settings.metrics.text(), settings.scrubber));
  });
  if (settings.log !== null) installLog(app, settings.log);
}

/** Only what labels say: a sample that happens to be a secret's digits is a sample. */
function withoutSecrets(metrics: string, scrubber: Scrubber | undefined): string {
  return scrubber === undefined ? metrics : metrics.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, scrubber.text);
}

function installLog(app: FastifyInstance, log: LogSource): void {
  app.get("/tlog/checkpoint", { config: { open: true } }, async (request, reply) => {
    const note = await log.checkpoint();
    if (note === null)
      return sendFailure(request, reply, failure("RUMI-SYS-011", { what: "checkpoint", id: "of an empty log" }));
    return reply.header("content-type", "text/plain; charset=utf-8").header("cache-control", "no-store").send(note);
  });
  app.get("/tlog/log.vkey", { config: { open: true } }, (_request, reply) =>
    reply
      .header("content-type", "text/plain; charset=utf-8")
      .header("cache-control", "no-cache")
      .send(`${log.vkey().trimEnd()}\n`),
  );
  app.get("/tlog/tile/*", { config: { open: true } }, async (request, reply) => {
    const path = (request.params as { readonly "*": string })["*"];
    const tile = TILE.test(path) ? await log.tile(path) : null;
    if (tile === null)
      return sendFailure(request, reply, failure("RUMI-SYS-011", { what: "tile", id: path.slice(0, 100) }));
    // A tile of a given width never changes.
    return reply
      .header("content-type", "application/octet-stream")
      .header("cache-control", "public, max-age=31536000, immutable")
      .send(Buffer.from(tile));
  });
}
