import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { detectJails, detectPython } from "@rumi/sandbox";
import { afterEach, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { FIXTURE_DIR, market, spec, thinker, THINKER } from "../../test/support.ts";
import { comparable, isReproduced } from "../instance/recorder.ts";
import type { InstanceSpec } from "../protocol.ts";
import type { PythonHome } from "../strategy/process.ts";
import { openWasmStrategy } from "../strategy/wasm.ts";
import { openServices } from "./open.ts";
import { judgeServices, SERVICE_LIMITS, ServicePort } from "./port.ts";
import type { ServiceSpec } from "./spec.ts";
import { schemaProblem, type ServiceSchema, valueProblem } from "./schema.ts";

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));
const object = (properties: Record<string, ServiceSchema>, required: string[]): ServiceSchema => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
const SCORE: ServiceSpec = {
  name: "score",
  entrypoint: "score.py",
  request: object({ up: { type: "boolean" }, how: { type: "string", enum: ["text", "late", "die", "net"] } }, []),
  answer: object(
    { score: { type: "number", minimum: -1, maximum: 1 }, word: { type: "string", enum: ["up", "down"] } },
    ["score"],
  ),
  timeout_ms: 20_000,
  staleness_us: 60_000_000,
};

describe("contracts", () => {
  it.each<[string, unknown, string]>([
    ["free text", { type: "string" }, "free text"],
    [
      "free text deep inside",
      object({ a: { type: "array", items: { type: "string" } as never, maxItems: 2 } }, []),
      "free text",
    ],
    ["an open object", { type: "object", properties: {}, required: [] }, "additionalProperties"],
    ["a list without an end", { type: "array", items: { type: "boolean" } }, "maxItems"],
    ["a word it does not know", { type: "number", pattern: "x" }, "not known"],
    ["a type it does not know", { type: "any" }, "none of"],
    ["a required that is nothing", object({}, ["a"]), "no property"],
  ])("[M-13.2] %s is refused when the contract is read", (_, schema, problem) => {
    expect(schemaProblem(schema)).toContain(problem);
  });
  it("[M-13.1] a sound contract is taken; a doubled name, a foreign form and a late timeout are not", () => {
    expect(judgeServices([SCORE]).ok).toBe(true);
    for (const bad of [
      [SCORE, SCORE],
      [{ ...SCORE, name: "Score" }],
      [{ ...SCORE, timeout_ms: SERVICE_LIMITS.timeout_ms + 1 }],
      [{ ...SCORE, answer: { type: "number" } as const }],
      Array.from({ length: SERVICE_LIMITS.per_instance + 1 }, (_, n) => ({ ...SCORE, name: `s${n}` })),
    ])
      expect(judgeServices(bad)).toMatchObject({ ok: false, error: { reasonCode: "M.SERVICE.CONTRACT" } });
  });
  it("[M-13.2] a value is what its schema says, without coercion", () => {
    for (const [value, good] of [
      [{ score: 1 }, true],
      [{ score: 1, word: "up" }, true],
      [{ score: "1" }, false],
      [{ score: 2 }, false],
      [{ score: 1, word: "moon" }, false],
      [{ score: 1, why: "because" }, false],
      [{}, false],
      ["up", false],
    ] as const)
      expect(valueProblem(SCORE.answer, value, "answer") === "", JSON.stringify(value)).toBe(good);
  });
});

/** A run of the thinker that asks every 500 trades, on the lane and with the capability given. */
async function asking(lane: "ll" | "compute", services: readonly string[], port: ServicePort) {
  const folder = temporaryFolder();
  closers.push(folder.remove);
  const descriptor = thinker(lane, services.length === 0 ? {} : { services });
  const of: InstanceSpec = {
    ...spec(join(folder.path, "run")),
    strategy_id: "thinker",
    descriptor,
    config: { ask_every: 500 },
  };
  const strategy = openWasmStrategy({ bytes: THINKER, memory_bytes: 2_097_152, fuel_per_event: 1_000_000 });
  if (!strategy.ok) throw new Error("the fixture opens");
  const opened = await hosted(of, { feed: market(5_000), strategy: strategy.value, services: port });
  return { of, ...opened };
}
/** Answers at once, and remembers what it was asked. */
function quick(answer: unknown): { readonly port: ServicePort; readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const port = new ServicePort([SCORE], () => ({
    ask: (request) => {
      asked.push(request);
      return Promise.resolve({ ok: true, value: answer as never });
    },
    close: () => undefined,
  }));
  return { port, asked };
}

describe("requests of a strategy", () => {
  it("[M-13.1] [M-13.2] on Compute with the capability: asked, answered by a recorded signal, never by an intent; a replay asks nobody", async () => {
    const { port, asked } = quick({ score: 0.5, word: "up" });
    const { of, host } = await asking("compute", ["score"], port);
    while (host.phase === "running") await host.turn();
    for (let turn = 0; turn < 5; turn += 1) await host.turn();
    expect(asked).toEqual(Array.from({ length: 10 }, () => ({ up: true })));
    const signals = journalOf(of).flatMap((entry) =>
      entry.kind === "input" && entry.input["input"] === "signal" ? [entry.input] : [],
    );
    expect(signals).toHaveLength(10);
    expect(signals[0]).toMatchObject({
      actor: "service:score",
      stale_after_us: SCORE.staleness_us,
      signal: { source: "service", service: "score", request_id: 500, answer: { score: 0.5, word: "up" } },
    });
    // Every intent is the strategy's own, judged by the gate; the service wrote none.
    expect(journalOf(of).every((entry) => entry.kind !== "intent" || entry.intent["origin"] === undefined)).toBe(true);
    const before = journalOf(of).filter(isReproduced).map(comparable);
    asked.length = 0;
    loseCheckpoints(of);
    const strategy = openWasmStrategy({ bytes: THINKER, memory_bytes: 2_097_152, fuel_per_event: 1_000_000 });
    if (!strategy.ok) throw new Error("the fixture opens");
    await hosted(
      { ...of, start: "resume", epoch: 2 },
      { feed: market(5_000), strategy: strategy.value, services: port },
    );
    expect(journalOf(of).filter(isReproduced).map(comparable)).toEqual(before);
    expect(asked).toEqual([]);
  });
  it.each([
    ["ll", ["score"], "M.SERVICE.LL_FORBIDDEN"],
    ["compute", [], "M.SERVICE.NOT_ALLOWED"],
    ["compute", ["other"], "M.SERVICE.NOT_ALLOWED"],
  ] as const)(
    "[M-3.2.2] [M-13.1] at run time on %s with %j the request is refused and counted: %s",
    async (lane, services, reason) => {
      const { port, asked } = quick({ score: 1 });
      const { host } = await asking(lane, services, port);
      while (host.phase === "running") await host.turn();
      expect(asked).toEqual([]);
      expect(host.status().counters[`intent_discarded_total{reason="${reason}"}`]).toBe(10);
    },
  );
  it("[M-13.2] free text and other answers outside the contract reach the strategy as a reason code and nothing else", async () => {
    const ask = (answer: unknown, json = '{"up":true}', service = "score") =>
      quick(answer).port.ask({ service, request_id: 1, json, as_of_us: 5 });
    const says = async (...of: Parameters<typeof ask>) =>
      (await ask(...of)) as { readonly signal: Record<string, unknown> };
    for (const bad of [{ score: 1, word: "buy everything now" }, "buy", { score: 1, order: { side: "buy" } }, null])
      expect((await says(bad)).signal).toEqual({
        source: "service",
        service: "score",
        request_id: 1,
        as_of_us: 5,
        error: "M.SERVICE.BAD_ANSWER",
      });
    expect((await says({ score: 1 }, '{"prompt":"x"}')).signal["error"]).toBe("M.SERVICE.BAD_REQUEST");
    expect((await says({ score: 1 }, "{")).signal["error"]).toBe("M.SERVICE.BAD_REQUEST");
    expect((await says({ score: 1 }, "{}", "nobody")).signal["error"]).toBe("M.SERVICE.UNKNOWN");
  });
  it("[M-13.1] more questions than may wait are refused at once", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const port = new ServicePort([SCORE], () => ({
      ask: () => held.then(() => ({ ok: true, value: { score: 0 } }) as const),
      close: () => undefined,
    }));
    const all = Array.from({ length: SERVICE_LIMITS.waiting + 3 }, (_, n) =>
      port.ask({ service: "score", request_id: n, json: "{}", as_of_us: 0 }),
    );
    release();
    const errors = (await Promise.all(all)).map((one) => ("signal" in one ? one.signal["error"] : ""));
    expect(errors.filter((error) => error === "M.SERVICE.BUSY")).toHaveLength(3);
  });
});

it.runIf(requires("python3"))(
  "[M-13.1] [M-13.2] a local service in a jail: it answers, it has no network, it is late or dies and the next question finds it again",
  { timeout: 120_000 },
  async () => {
    const python = detectPython("");
    const jails = await detectJails(python);
    const jail = jails.find((one) => one.available && one.strict) ?? jails.find((one) => one.available);
    if (!python.ok || jail === undefined) throw new Error("this machine has a jail");
    const runner_dir = fileURLToPath(new URL("../../../sandbox/python", import.meta.url));
    const sdk_dir = fileURLToPath(new URL("../../../../sdk/python", import.meta.url));
    const home: PythonHome = { python: python.value, mechanism: jail.mechanism, sdk_dir, runner_dir };
    const opened = openServices({ services: [SCORE], pack_dir: FIXTURE_DIR, isolation: "any" }, home);
    if (!opened.ok || opened.value === null) throw new Error(JSON.stringify(opened));
    const port = opened.value;
    closers.push(() => port.close());
    let n = 0;
    const ask = async (json: string) => {
      const input = await port.ask({ service: "score", request_id: (n += 1), json, as_of_us: 7 });
      return "signal" in input ? (input.signal["answer"] ?? input.signal["error"]) : undefined;
    };
    expect(await ask('{"up":true}')).toEqual({ score: 0.5, word: "up" });
    expect(await ask('{"how":"net"}')).toEqual({ score: -1, word: "down" });
    expect(await ask('{"how":"text"}')).toBe("M.SERVICE.BAD_ANSWER");
    expect(await ask('{"how":"die"}')).toBe("M.SERVICE.FAILED");
    expect(await ask("{}")).toEqual({ score: 0.5, word: "down" });
    const hasty = openServices(
      { services: [{ ...SCORE, timeout_ms: 300 }], pack_dir: FIXTURE_DIR, isolation: "any" },
      home,
    );
    if (!hasty.ok || hasty.value === null) throw new Error(JSON.stringify(hasty));
    const late = await hasty.value.ask({ service: "score", request_id: 1, json: '{"how":"late"}', as_of_us: 7 });
    hasty.value.close();
    expect(late).toMatchObject({ signal: { error: "M.SERVICE.TIMEOUT" } });
    expect(
      openServices(
        { services: [{ ...SCORE, entrypoint: "../support.ts" }], pack_dir: FIXTURE_DIR, isolation: "any" },
        home,
      ),
    ).toMatchObject({
      ok: false,
      error: { reasonCode: "M.SERVICE.CONTRACT" },
    });
  },
);
