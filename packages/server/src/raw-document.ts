/** The routes that are no declaration, as the OpenAPI document tells of them; server.test.ts compares it with the router. */
import { refusals, type OtherPaths } from "@rumi/operations";

const TRACE = { "x-trace-id": { required: true, schema: { type: "string" } } };
const text = (type: string) => ({ [type]: { schema: { type: "string" } } });
const entry = (operationId: string, summary: string, responses: Readonly<Record<string, unknown>>) => ({
  get: { operationId, summary, tags: [operationId.split(".")[0] ?? operationId], responses },
});
const open = (operationId: string, summary: string, responses: Readonly<Record<string, unknown>>) => ({
  get: { ...entry(operationId, summary, responses).get, security: [] },
});
const answer = (description: string, content: Readonly<Record<string, unknown>>) => ({
  description,
  headers: TRACE,
  content,
});
const WITH_TOKEN = refusals([400, 401, 403, 421, 429, 503]);
const WITHOUT_TOKEN = refusals([400, 404, 421, 503]);

const health = {
  "application/json": {
    schema: {
      type: "object",
      required: ["status"],
      properties: { status: { enum: ["UP", "DEGRADED", "UNKNOWN", "DOWN"] } },
    },
  },
};

export const RAW_PATHS: OtherPaths = {
  "/health": open("health.show", "Whether the program is fit; needs no token", {
    "200": answer("UP, DEGRADED or UNKNOWN.", health),
    "421": { $ref: "#/components/responses/Error421" },
    "503": answer("DOWN, or it is ending.", {
      "application/json": {
        schema: { anyOf: [health["application/json"].schema, { $ref: "#/components/schemas/Error" }] },
      },
    }),
  }),
  "/metrics": entry("metrics.scrape", "Metrics in the Prometheus text format", {
    "200": answer("Samples.", text("text/plain")),
    ...WITH_TOKEN,
  }),
  "/openapi.json": entry("openapi.show", "This document", {
    "200": answer("OpenAPI 3.1.", { "application/json": { schema: { type: "object" } } }),
    ...WITH_TOKEN,
  }),
  "/api/events": {
    get: {
      ...entry("events.read", "Live changes as server-sent events; Last-Event-ID resumes without loss", {
        "200": answer("A stream that does not end by itself.", text("text/event-stream")),
        ...WITH_TOKEN,
      }).get,
      parameters: [
        { name: "Last-Event-ID", in: "header", required: false, schema: { type: "string", pattern: "^\\d{1,15}$" } },
        { name: "last_event_id", in: "query", required: false, schema: { type: "string", pattern: "^\\d{1,15}$" } },
      ],
    },
  },
  "/tlog/checkpoint": open("tlog.checkpoint", "The newest signed checkpoint of the audit log", {
    "200": answer("A signed note.", text("text/plain")),
    ...WITHOUT_TOKEN,
  }),
  "/tlog/log.vkey": open("tlog.key", "The key that checkpoints verify under", {
    "200": answer("A verifier key.", text("text/plain")),
    ...WITHOUT_TOKEN,
  }),
  "/tlog/tile/{path}": {
    get: {
      ...open("tlog.tile", "A tile of the audit log (C2SP tlog-tiles); the path has slashes", {
        "200": answer("The tile.", { "application/octet-stream": { schema: { type: "string", format: "binary" } } }),
        ...WITHOUT_TOKEN,
      }).get,
      parameters: [{ name: "path", in: "path", required: true, schema: { type: "string", minLength: 1 } }],
    },
  },
};
