import { afterAll, beforeAll, describe, expect, it } from "vitest";
import fc from "fast-check";
import { PIPELINE_LIMITS } from "@rumi/operations";
import { openServerKit, type ServerKit } from "../test/kit.ts";

let s: ServerKit;
beforeAll(async () => void (s = await openServerKit()));
afterAll(() => s.close());

const add = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  command_id: s.kit.id(),
  reason: "test",
  ...over,
});
const ENVELOPE = ["success", "error", "error_code", "suggestion", "status_code", "trace_id"];

describe("the router", () => {
  it("[L-0.1] every route that is not a GET belongs to a declared operation, and no raw route changes anything", () => {
    const { operations, queries } = s.kit.pipeline.settings.registry;
    for (const { method, declared } of s.server.routes) {
      if (method === "GET" || method === "HEAD") continue;
      expect(operations.has(declared ?? "")).toBe(true);
    }
    const raw = s.server.routes
      .filter(({ declared, method }) => declared === null && method === "GET")
      .map(({ url }) => url)
      .toSorted();
    expect(raw).toEqual([
      "/",
      "/api/events",
      "/assets/app.js",
      "/health",
      "/metrics",
      "/openapi.json",
      "/tlog/checkpoint",
      "/tlog/log.vkey",
      "/tlog/tile/*",
    ]);
    const declared = s.server.routes.filter((route) => route.declared !== null && route.method !== "HEAD");
    for (const route of declared)
      expect(operations.has(route.declared ?? "") || queries.has(route.declared ?? "")).toBe(true);
    expect(s.server.routes.filter(({ open }) => open).map(({ url }) => url)).not.toContain("/api/events");
  });
  it("[L-6.1] an alias is the same operation and the same dedupe space", async () => {
    const body = add();
    const first = await s.ask("POST", "/api/counters/alias/add", { body });
    const second = await s.ask("POST", "/counters/alias/add", { body });
    expect([first.status, second.status, second.body["duplicate_suppressed"]]).toEqual([200, 200, true]);
  });
});

describe("tokens", () => {
  it("[R-4.1][R-19.1] no token or a wrong one: 401 whatever is asked", async () => {
    const fresh = await openServerKit();
    const asks = [
      ["POST", "/api/counters/a/add"],
      ["GET", "/api/nothing"],
      ["POST", "/nothing"],
      ["GET", "/metrics"],
      ["GET", "/openapi.json"],
      ["GET", "/api/events"],
      ["GET", "/api/%zz"],
      ["POST", "/counters/a/add"],
    ] as const;
    for (const [method, url] of asks) {
      for (const token of [null, "rumi_dev_wrong"]) {
        const reply = await fresh.ask(method, url, {
          token,
          ...(method === "POST" ? { raw: "{broken" } : {}),
        });
        expect([url, reply.status, reply.body["error_code"]]).toEqual([url, 401, "RUMI-AUTH-001"]);
        expect(Object.keys(reply.body).toSorted()).toEqual([...ENVELOPE].toSorted());
      }
    }
    await fresh.close();
  });
  it("[R-4.1] failed authentications are limited per address; the right token still works", async () => {
    const fresh = await openServerKit();
    for (let at = 0; at < PIPELINE_LIMITS.auth_failures; at += 1)
      expect((await fresh.ask("GET", "/metrics", { token: "x" })).status).toBe(401);
    const reply = await fresh.ask("GET", "/metrics", { token: "x" });
    expect([reply.status, reply.body["error_code"]]).toEqual([429, "RUMI-AUTH-004"]);
    expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
    expect((await fresh.ask("GET", "/metrics")).status).toBe(200);
    expect(await fresh.kit.actions()).toEqual([]);
    await fresh.close();
  });
  it("with a token an unknown route is RUMI-SYS-004", async () => {
    const reply = await s.ask("POST", "/api/nothing", { body: {} });
    expect([reply.status, reply.body["error_code"]]).toEqual([404, "RUMI-SYS-004"]);
  });
});

describe("methods", () => {
  it("[L-12.1] a known path under another method is 405 and tells which are allowed; an unknown path is not", async () => {
    for (const [method, url, allow] of [
      ["DELETE", "/api/vault", "POST"],
      ["POST", "/api/counters/a?limit=1", "GET, HEAD"],
      ["GET", "/api/counters/a/add/", "POST"],
      ["DELETE", "/metrics", "GET, HEAD"],
      ["OPTIONS", "/api/vault", "POST"],
      ["QUERY", "/metrics", "GET, HEAD"],
    ] as const) {
      const reply = await s.ask(method as "GET", url);
      expect([method, url, reply.status, reply.headers["allow"]]).toEqual([method, url, 405, allow]);
      expect(reply.body["error_code"]).toBe("RUMI-SYS-013");
      expect(Object.keys(reply.body).toSorted()).toEqual([...ENVELOPE].toSorted());
    }
    for (const method of ["DELETE", "QUERY"])
      expect((await s.ask(method as "GET", "/api/nothing")).body["error_code"]).toBe("RUMI-SYS-004");
    expect((await s.ask("DELETE", "/api/vault", { token: null })).status).toBe(401);
  });
});

describe("bodies", () => {
  const cases: readonly (readonly [string, Parameters<ServerKit["ask"]>[2], number, string])[] = [
    ["malformed", { raw: "{nope" }, 400, "RUMI-VAL-010"],
    ["an array", { raw: "[]" }, 400, "RUMI-VAL-009"],
    ["a text", { raw: '"x"' }, 400, "RUMI-VAL-009"],
    ["no UTF-8", { raw: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) }, 400, "RUMI-VAL-010"],
    ["a repeated key", { raw: '{"reason":"a","reason":"b"}' }, 400, "RUMI-VAL-002"],
    ["__proto__", { raw: '{"__proto__":{"reason":"x"}}' }, 400, "RUMI-VAL-002"],
    ["too deep", { raw: `${'{"a":'.repeat(40)}1${"}".repeat(40)}` }, 400, "RUMI-VAL-012"],
    ["another content type", { raw: "a=1", headers: { "content-type": "text/plain" } }, 415, "RUMI-VAL-011"],
    ["empty", { raw: "" }, 400, "RUMI-VAL-001"],
    ["2 MB", { raw: JSON.stringify({ reason: "x".repeat(2_000_000) }) }, 413, "RUMI-VAL-007"],
    ["a typed number", { raw: '{"by":"5"}' }, 400, "RUMI-VAL-001"],
    [
      "a lone surrogate",
      { raw: '{"command_id":"019c1c38-a400-7074-b31b-d44eaf5b338c","reason":"\\ud800"}' },
      400,
      "RUMI-VAL-002",
    ],
    ["NUL", { raw: '{"command_id":"019c1c38-a400-7074-b31b-d44eaf5b338c","reason":"a\\u0000"}' }, 400, "RUMI-VAL-002"],
    [
      "beyond every number",
      {
        raw: '{"command_id":"019c1c38-a400-7074-b31b-d44eaf5b338c","reason":"a","extra":{"n":1e999}}',
      },
      400,
      "RUMI-VAL-002",
    ],
  ];
  for (const [name, over, status, code] of cases) {
    it(`[R-25.1] ${name}: ${status} ${code}`, async () => {
      const reply = await s.ask("POST", "/api/counters/bodies/add", over);
      expect([reply.status, reply.body["error_code"]]).toEqual([status, code]);
      expect(reply.body["suggestion"]).not.toBe("");
    });
  }
  it("[R-4.2] an empty body with a JSON content type is {}", async () => {
    const reply = await s.ask("POST", "/api/gated", {
      raw: "",
      headers: { "content-type": "application/json" },
    });
    expect(reply.body["reason_code"]).toBe("G.GATE.UNKNOWN"); // it got past validation
  });
  it("unknown and wrong-typed fields are refused by path; defaults are echoed", async () => {
    expect((await s.ask("POST", "/api/counters/a/add", { body: add({ bby: 1 }) })).body).toMatchObject({
      error_code: "RUMI-VAL-008",
      error: "$.bby is not a field of this request.",
    });
    expect((await s.ask("POST", "/api/counters/a/add", { body: add({ by: "1" }) })).body).toMatchObject({
      error_code: "RUMI-VAL-009",
    });
    expect((await s.ask("POST", "/api/counters/a/add", { body: add() })).body).toMatchObject({
      data: { by: 1 },
    });
  });
  it("[R-4.2] percent-encoding, trailing slashes and query strings", async () => {
    await s.ask("POST", "/api/counters/percent-1/add/", { body: add() });
    expect((await s.ask("GET", "/api/counters/percent%2D1/?limit=7")).body).toMatchObject({
      success: true,
      data: { value: 1, limit: 7 },
    });
    expect((await s.ask("GET", "/api/counters/percent-1?limit=07")).status).toBe(400);
    expect((await s.ask("GET", "/api/counters/percent-1?limt=7")).body["error_code"]).toBe("RUMI-VAL-008");
    expect((await s.ask("GET", "/api/%zz")).status).toBe(400);
    expect((await s.ask("HEAD", "/api/counters/percent-1")).status).toBe(200);
    expect((await s.ask("POST", "/api/counters/a/add?by=3", { body: add() })).status).toBe(400);
  });
});

describe("answers", () => {
  it("[G-6.2] a command's answer names it; a duplicate says so", async () => {
    const body = add();
    const first = await s.ask("POST", "/api/counters/b/add", { body });
    expect(first.body).toEqual({
      success: true,
      data: { command_id: body["command_id"], status: "applied", value: 1, by: 1, reason: "test" },
    });
    expect((await s.ask("POST", "/api/counters/b/add", { body })).body).toMatchObject({
      success: true,
      duplicate_suppressed: true,
      data: { duplicate_suppressed: true, value: 1 },
    });
  });
  it("[L-N2] the idempotency key is minted and returned", async () => {
    const minted = await s.ask("POST", "/api/vault", { body: { name: "A", value: "v" } });
    expect([minted.status, minted.body]).toEqual([201, { success: true, data: { name: "A", status: "kept" } }]);
    const again = await s.ask("POST", "/api/vault", {
      body: { name: "A", value: "v" },
      headers: { "idempotency-key": String(minted.headers["idempotency-key"]) },
    });
    expect([again.status, again.body["duplicate_suppressed"]]).toEqual([201, true]);
  });
  it("[R-25.1] refusals have exactly the envelope, in the reader's language", async () => {
    const body = add({ mode: "live" });
    const en = await s.ask("POST", "/api/counters/c/add", { body });
    expect(en.body).toMatchObject({
      success: false,
      error_code: "RUMI-CMD-003",
      reason_code: "DANGEROUS_OPS_DISABLED",
      status_code: 403,
      command_id: body["command_id"],
    });
    const ja = await s.ask("POST", "/api/counters/c/add", {
      body,
      headers: { "accept-language": "fr, ja;q=0.9, en;q=0.1" },
    });
    expect(ja.body["error"]).toContain("利用できません");
    expect(ja.body["duplicate_suppressed"]).toBe(true);
  });
  it("[L-N1] the trace is the caller's, in answer, header and audit", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const reply = await s.ask("POST", "/api/counters/c/add", {
      body: { nonsense: 1 },
      headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
    });
    expect([reply.headers["x-trace-id"], reply.body["trace_id"]]).toEqual([trace, trace]);
  });
  it("[R-25.1] a fault of ours: coded, logged once with its cause, nothing leaks", async () => {
    const before = s.kit.lines.length;
    const reply = await s.ask("POST", "/api/counters/d/add", { body: add({ note: "boom" }) });
    expect([reply.status, reply.body["error_code"]]).toEqual([500, "RUMI-SYS-001"]);
    expect(reply.text).not.toContain("planted");
    expect(reply.text).not.toContain(".ts");
    expect(s.kit.lines.slice(before).filter((line) => line.includes("a planted fault"))).toHaveLength(1);
  });
});

describe("the rim", () => {
  it("a name that was rebound to this address is refused", async () => {
    expect((await s.ask("GET", "/health", { headers: { host: "evil.example:8765" } })).body["error_code"]).toBe(
      "RUMI-SYS-010",
    );
    for (const host of ["localhost:1", "[::1]:8765", "127.0.0.1"])
      expect((await s.ask("GET", "/health", { headers: { host } })).status).toBe(200);
  });
  it("[R-26.1] only configured origins may read answers", async () => {
    const preflight = await s.ask("OPTIONS", "/api/vault", {
      token: null,
      headers: { origin: "http://localhost:3000" },
    });
    expect([preflight.status, preflight.headers["access-control-allow-origin"]]).toEqual([
      204,
      "http://localhost:3000",
    ]);
    expect(preflight.headers["access-control-allow-methods"]).toBe("GET, POST, PUT, DELETE");
    const other = await s.ask("OPTIONS", "/api/vault", {
      token: null,
      headers: { origin: "http://evil.example" },
    });
    expect([other.status, other.headers["access-control-allow-origin"]]).toEqual([401, undefined]);
  });
  it("health, metrics, log, console", async () => {
    expect((await s.ask("GET", "/health", { token: null })).body).toEqual({ status: "UP" });
    const down = await openServerKit({
      health: { status: () => Promise.resolve("DOWN") },
      console_folder: null,
    });
    expect((await down.ask("GET", "/health", { token: null })).status).toBe(503);
    expect((await down.ask("GET", "/", { token: null })).text).toContain("npm run build");
    await down.close();
    expect((await s.ask("GET", "/metrics")).text).toContain("# TYPE rumi_commands_total counter");
    expect((await s.ask("GET", "/tlog/checkpoint", { token: null })).headers["content-type"]).toBe(
      "text/plain; charset=utf-8",
    );
    const tile = await s.ask("GET", "/tlog/tile/0/000", { token: null });
    expect([tile.status, tile.headers["content-type"], tile.headers["cache-control"]]).toEqual([
      200,
      "application/octet-stream",
      "public, max-age=31536000, immutable",
    ]);
    for (const path of ["0/001", "0/../../x", "64/000", "0/000.p/256", "entries/0"])
      expect((await s.ask("GET", `/tlog/tile/${path}`, { token: null })).status).not.toBe(200);
    const page = await s.ask("GET", "/", { token: null });
    expect(page.headers["content-security-policy"]).toContain("script-src 'self';");
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect((await s.ask("GET", "/assets/app.js", { token: null })).status).toBe(200);
    expect((await s.ask("GET", "/assets/../../etc/passwd", { token: null })).status).toBe(401);
  });
  it("[L-12.1] the OpenAPI document holds every route, with roles, schemas and refusals", async () => {
    const { body } = await s.ask("GET", "/openapi.json");
    expect(body["openapi"]).toBe("3.1.0");
    const paths = body["paths"] as Record<string, Record<string, unknown>>;
    const console = ["/", "/assets/app.js"];
    for (const { method, url, declared, open } of s.server.routes) {
      if (method === "HEAD" || console.includes(url)) continue;
      const path = url.replace(/:([a-z_]+)/g, "{$1}").replace("*", "{path}");
      const entry = paths[path]?.[method.toLowerCase()] as Record<string, unknown> | undefined;
      expect([url, entry]).toEqual([url, expect.any(Object)]);
      expect([url, entry?.["security"]]).toEqual([url, open ? [] : undefined]);
      const statuses = Object.keys(entry?.["responses"] ?? {});
      if (url !== "/health") expect([url, statuses]).toEqual([url, expect.arrayContaining(["400", "503", "5XX"])]);
      expect(statuses.filter((status) => status.startsWith("2")).length).toBeGreaterThan(0);
      if (declared !== null) expect(entry?.["x-rumi-roles"]).toEqual(expect.arrayContaining([expect.any(String)]));
      if (!open) expect(statuses).toContain("401");
    }
    const text = JSON.stringify(body);
    const components = body["components"] as Record<string, Record<string, unknown>>;
    for (const [, kind = "", name = ""] of text.matchAll(/"#\/components\/([a-z]+)\/(\w+)"/gi))
      expect(components[kind]?.[name], `${kind}/${name}`).toBeDefined();
  });
});

describe("whatever is sent", () => {
  it("[R-25.1] random bodies against all routes never make a 5xx", { timeout: 180_000 }, async () => {
    const fresh = await openServerKit();
    const targets = fresh.server.routes.filter(({ method, url }) => method !== "HEAD" && url !== "/api/events");
    const field = fc.constantFrom(
      "command_id",
      "reason",
      "by",
      "mode",
      "note",
      "extra",
      "name",
      "value",
      "dry_run",
      "counter_id",
      "trace_id",
      "run_id",
      "expires_at",
      "actor",
      "constructor",
      "toString",
    );
    const word = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom("019c1c38-a400-7074-b31b-d44eaf5b338c", "a", "live", "\ud800", "\u0000"),
      fc.json({ maxDepth: 2 }),
    );
    const body = fc.oneof(
      fc
        .dictionary(
          field,
          fc.oneof(word, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 3 })),
        )
        .map((value) => JSON.stringify(value)),
      fc.json({ maxDepth: 4 }),
      fc.string({ maxLength: 60 }),
    );
    const segment = fc.oneof(
      fc.constant("a"),
      fc.string({ minLength: 1, maxLength: 80 }).map((text) => encodeURIComponent(text.toWellFormed())),
      fc.constantFrom("%zz", "%00", "..", "%2e%2e%2f", "__proto__"),
    );
    const headers = fc.record(
      {
        "idempotency-key": fc.oneof(fc.constant("k"), fc.string({ unit: "grapheme-ascii", maxLength: 300 })),
        traceparent: fc.string({ unit: "grapheme-ascii", maxLength: 60 }),
        "accept-language": fc.string({ unit: "grapheme-ascii", maxLength: 30 }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...targets),
        segment,
        body,
        headers,
        fc.constantFrom("", "?limit=1", "?limit=x&limit=2", "?__proto__=1", "?a[b]=c"),
        async (route, part, raw, extra, query) => {
          const url = route.url.replace(/:[a-z_]+|\*/g, part) + query;
          if (raw.includes("boom")) return;
          const reply = await fresh.ask(route.method as "GET", url, {
            ...(route.method === "GET" ? {} : { raw }),
            headers: extra,
          });
          expect([route.method, url, raw, reply.status < 500 ? "fine" : reply.text]).toEqual([
            route.method,
            url,
            raw,
            "fine",
          ]);
        },
      ),
      { numRuns: 600 },
    );
    await fresh.close();
  });
});
