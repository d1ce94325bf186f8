import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Environment, micros } from "@rumi/kernel";
import { testClock } from "../test/kit.ts";
import { failureLimiter } from "./auth/failure-limiter.ts";
import { deriveToken, homeAuthenticator } from "./auth/token.ts";
import { fingerprint } from "./fingerprint.ts";
import { PIPELINE_LIMITS } from "./limits.ts";
import { createLogger, LOG_LEVELS } from "./logging.ts";
import { createMetrics } from "./metrics.ts";
import { createSummaries } from "./summaries.ts";

type Vectors = {
  readonly tokens: readonly {
    readonly hmac_key_hex: string;
    readonly environment: Environment;
    readonly home_id: string;
    readonly token: string;
  }[];
  readonly fingerprints: readonly {
    readonly key_hex: string;
    readonly of: Parameters<typeof fingerprint>[1];
    readonly fingerprint: string;
  }[];
};
const vectors = JSON.parse(
  readFileSync(new URL("../../../docs/formats/operations.json", import.meta.url), "utf8"),
) as Vectors;

describe("golden vectors", () => {
  it("[R-19.1][G-3.1] tokens", () => {
    for (const { hmac_key_hex, environment, home_id, token } of vectors.tokens)
      expect(deriveToken(Buffer.from(hmac_key_hex, "hex"), environment, home_id)).toBe(token);
    expect(new Set(vectors.tokens.map(({ token }) => token)).size).toBe(vectors.tokens.length);
  });
  it("[L-N2] fingerprints", () => {
    for (const { key_hex, of, fingerprint: expected } of vectors.fingerprints)
      expect(fingerprint(Buffer.from(key_hex, "hex"), of)).toBe(expected);
  });
});

describe("tokens", () => {
  it("[R-19.1][G-3.1] a token of another key, environment or home is refused", async () => {
    const key = new Uint8Array(32).fill(1);
    const authenticator = homeAuthenticator(deriveToken(key, "dev", "h"));
    expect(await authenticator.authenticate(deriveToken(key, "dev", "h"))).toMatchObject({
      ok: true,
      value: { id: "user:root" },
    });
    for (const other of [
      deriveToken(key, "prod", "h"),
      deriveToken(key, "dev", "i"),
      deriveToken(new Uint8Array(32), "dev", "h"),
      "",
    ]) {
      expect(await authenticator.authenticate(other)).toMatchObject({
        ok: false,
        error: { code: "RUMI-AUTH-001" },
      });
    }
  });
  it("the limiter forgets after its window, counts each address apart, and remembers only so many", () => {
    const clock = testClock();
    const limiter = failureLimiter(clock);
    for (let at = 0; at < PIPELINE_LIMITS.auth_failures; at += 1) limiter.failed("a");
    expect([limiter.refusal("a")?.code, limiter.refusal("b")]).toEqual(["RUMI-AUTH-004", undefined]);
    clock.advance(PIPELINE_LIMITS.auth_window_seconds * 1_000);
    expect(limiter.refusal("a")).toBeUndefined();
    for (let at = 0; at < PIPELINE_LIMITS.auth_failures; at += 1) limiter.failed("first");
    for (let at = 0; at < PIPELINE_LIMITS.auth_addresses; at += 1) limiter.failed(`n${at}`);
    expect(limiter.refusal("first")).toBeUndefined();
  });
  it("summaries beyond the limit of subjects share one line", () => {
    const summaries = createSummaries(testClock());
    for (let at = 0; at < PIPELINE_LIMITS.summary_subjects + 50; at += 1)
      summaries.note("controlplane.authentication.failed", `10.0.0.${at}`, "RUMI-AUTH-001");
    const all = summaries.all();
    expect(all).toHaveLength(PIPELINE_LIMITS.summary_subjects + 1);
    expect(all.at(-1)).toMatchObject({ subject: "others", count: 50 });
  });
});

const line = (
  format: "json" | "text",
  message = "Flow loaded",
  more: Readonly<Record<string, unknown>> = {},
): string => {
  let written = "";
  const clock = { ...testClock(), now: () => micros(1_771_934_400_000_000) };
  createLogger({
    level: "INFO",
    format,
    clock,
    sink: (text) => (written = text),
    redact: (text) => text.replaceAll("planted", "***"),
  })
    .child("kernel")
    .child("core")
    .info(message, { correlation_id: "req-123", ...more });
  return written;
};

describe("the program's log", () => {
  it("[R-20.1] both example lines of the guide, byte for byte", () => {
    expect(line("json")).toBe(
      '{"timestamp": "2026-02-24T12:00:00.000000Z", "level": "INFO", "module": "rumi.kernel.core", "message": "Flow loaded", "correlation_id": "req-123"}',
    );
    expect(line("text")).toBe(
      "2026-02-24T12:00:00.000000Z [INFO] rumi.kernel.core - Flow loaded (correlation_id=req-123)",
    );
  });
  it("[R-20.1] a level lets through itself and what is graver", () => {
    for (const [at, level] of LOG_LEVELS.entries()) {
      const lines: string[] = [];
      const logger = createLogger({
        level,
        format: "text",
        clock: testClock(),
        sink: (text) => lines.push(text),
      });
      for (const each of LOG_LEVELS) logger.log(each, "x");
      expect(lines).toHaveLength(LOG_LEVELS.length - at);
    }
  });
  it("[R-20.1] nobody forges a second line, and secrets are taken out", () => {
    expect(line("text", "a\n2026 [INFO] forged").split("\n")).toHaveLength(1);
    expect(line("json", "the planted one")).toContain("the *** one");
  });
  it("[R-20.1] [R-10.1] secrets are taken out of every field, and the line stays the JSON that it was", () => {
    const more = {
      path: "/planted",
      deep: { list: [["planted", 7, true, null]], 'say "planted"': 'a "planted" one\n' },
    };
    const { path, deep } = JSON.parse(line("json", "x", more)) as typeof more;
    expect([path, deep.list]).toEqual(["/***", [["***", 7, true, null]]]);
    expect(Object.values(deep)).toContain('a "***" one\n');
    expect(line("text", "x", { path: "/planted", deep: more.deep.list })).toContain(
      'path=/***, deep=[["***",7,true,null]]',
    );
  });
});

describe("metrics", () => {
  it("[R-23.1] names keep their dots in the snapshot and have underscores in the text", () => {
    const metrics = createMetrics();
    metrics.counter("flow.step.success", "Steps.").add({ flow: 'a"b' });
    metrics.gauge("health_state", "State.").set(1);
    const seconds = metrics.histogram("d_seconds", "Time.", [0.1, 1]);
    for (const value of [0.05, 0.5, 5]) seconds.observe(value);
    expect(metrics.snapshot()[0]?.name).toBe("flow.step.success");
    expect(metrics.text()).toBe(
      '# HELP flow_step_success Steps.\n# TYPE flow_step_success counter\nflow_step_success{flow="a\\"b"} 1\n# HELP health_state State.\n# TYPE health_state gauge\nhealth_state 1\n' +
        '# HELP d_seconds Time.\n# TYPE d_seconds histogram\nd_seconds_bucket{le="0.1"} 1\nd_seconds_bucket{le="1"} 2\nd_seconds_bucket{le="+Inf"} 3\nd_seconds_sum 5.55\nd_seconds_count 3\n',
    );
  });
  it("series beyond the limit share one", () => {
    const metrics = createMetrics();
    const counter = metrics.counter("c", "C.");
    for (let at = 0; at < PIPELINE_LIMITS.metric_series + 10; at += 1) counter.add({ id: String(at) });
    expect(metrics.snapshot()[0]?.series).toHaveLength(PIPELINE_LIMITS.metric_series + 1);
    expect(metrics.snapshot()[0]?.series.at(-1)).toMatchObject({
      labels: { overflow: "other" },
      value: 10,
    });
  });
});
