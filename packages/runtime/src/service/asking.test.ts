/** A TypeScript strategy asks a service as those in Rust and Python do (service.test.ts has the rest of the port). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, journalOf } from "../../test/hosted.ts";
import { market, spec, thinker } from "../../test/support.ts";
import { bundleTypeScript } from "../../test/toolchains.ts";
import { openQuickJsStrategy } from "../strategy/quickjs.ts";
import { ServicePort } from "./port.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

it("[M-13.1] [M-13.2] a TypeScript strategy on Compute asks, hears the answer as a signal and acts through its gate; a question that is too long fails by name", async () => {
  const outfile = join(folder.path, "asking.js");
  await bundleTypeScript({ entry: fileURLToPath(new URL("../../test/asking-strategy.ts", import.meta.url)), outfile });
  const opened = openQuickJsStrategy({
    bytes: readFileSync(outfile),
    memory_bytes: 33_554_432,
    fuel_per_event: 1_000_000_000,
  });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  const asked: unknown[] = [];
  const port = new ServicePort(
    [
      {
        name: "score",
        entrypoint: "score.py",
        request: { type: "object", properties: { up: { type: "boolean" } }, required: [], additionalProperties: false },
        answer: {
          type: "object",
          properties: { score: { type: "number", minimum: -1, maximum: 1 } },
          required: ["score"],
          additionalProperties: false,
        },
        timeout_ms: 5_000,
        staleness_us: 86_400_000_000,
      },
    ],
    () => ({
      ask: async (request) => {
        asked.push(request);
        return { ok: true, value: { score: asked.length % 2 === 1 ? 0.5 : -0.5 } };
      },
      close: () => undefined,
    }),
  );
  const base = spec(join(folder.path, "run"));
  const descriptor = { ...thinker("compute", { services: ["score"] }), config_schema: {} };
  const of = { ...base, strategy_id: descriptor.strategy_id, descriptor };
  const { host } = await hosted(of, { feed: market(3_000), strategy: opened.value, services: port });
  while (host.phase === "running") await host.turn();
  for (let turn = 0; turn < 5; turn += 1) await host.turn();
  // The sixth question would be asked at the row whose other one is too long: a call that fails says nothing at all.
  expect(asked).toEqual(Array.from({ length: 5 }, () => ({ up: true })));
  const entries = journalOf(of);
  const signals = entries.flatMap((entry) =>
    entry.kind === "input" && entry.input["input"] === "signal" ? [entry.input["signal"]] : [],
  );
  expect(signals).toHaveLength(5);
  expect(signals[0]).toMatchObject({ service: "score", request_id: 500, answer: { score: 0.5 } });
  const wishes = entries.flatMap((entry) => (entry.kind === "intent" ? [entry.intent["kind"]] : []));
  expect(wishes.length).toBeGreaterThan(0);
  expect(host.status().reason_code).toMatch(/^M\.(ABI|STRATEGY)\./);
  await host.stop("done");
});
