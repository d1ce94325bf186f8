import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { market, spec, thinker, THINKER } from "../../test/support.ts";
import { HOST_LIMITS } from "../instance/host-options.ts";
import { comparable, isReproduced } from "../instance/recorder.ts";
import type { InstanceSpec } from "../protocol.ts";
import type { ComputeSide } from "./policy.ts";
import { openWasmStrategy } from "../strategy/wasm.ts";
import { type ComputeResult, makeProgress, PROGRESS, resultInput, sideRunId, sideSpec } from "./side.ts";

const folders: { remove: () => void }[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));
const FEED = market(5_000);
const thinking = () => {
  const opened = openWasmStrategy({ bytes: THINKER, memory_bytes: 2_097_152, fuel_per_event: 1_000_000 });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
};
function lead(side: ComputeSide): InstanceSpec {
  const folder = temporaryFolder();
  folders.push(folder);
  const descriptor = thinker("ll");
  return { ...spec(join(folder.path, "run")), strategy_id: descriptor.strategy_id, descriptor, compute: side };
}
const SIDE: ComputeSide = {
  descriptor: thinker("compute"),
  config: { hint_every: 100 },
  staleness_us: 60_000_000,
  when_behind: "noop",
};
const at = (row: number): number => FEED.received_time_us[row] ?? 0;

describe("Compute side", () => {
  it("[M-3.1.2] it is never ahead of its lead, follows it, and what it finds bears the time of its data", async () => {
    const rows = new Int32Array(makeProgress());
    const results: ComputeResult[] = [];
    const of = sideSpec(lead(SIDE), SIDE);
    const { host } = await hosted(of, {
      feed: FEED,
      strategy: thinking(),
      progress: { role: "side", rows },
      onResult: (result) => results.push(result),
    });
    for (const row of [0, 1, 250, 251, 1_000]) {
      Atomics.store(rows, PROGRESS.lead, row);
      for (let turn = 0; turn < 20; turn += 1) await host.turn();
      expect(host.status().cursor).toBe(row);
      expect(Atomics.load(rows, PROGRESS.side)).toBe(row);
    }
    expect(results.map(({ tag, as_of_us }) => [tag, as_of_us])).toEqual(
      Array.from({ length: 10 }, (_, n) => ["trend", at(n * 100 + 99)]),
    );
    expect(sideRunId(of.run_id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    // What a replay repeats was said already.
    results.length = 0;
    await host.suspend();
    loseCheckpoints(of);
    await hosted(
      { ...of, start: "resume", epoch: 2 },
      {
        feed: FEED,
        strategy: thinking(),
        progress: { role: "side", rows },
        onResult: (result) => results.push(result),
      },
    );
    expect(results).toEqual([]);
  });

  it("[M-3.1.2] [M-13.2] a result older than its bound never reaches the strategy and is counted; a fresh one is heard, and a replay decides the same", async () => {
    const one = lead(SIDE);
    const rows = new Int32Array(makeProgress());
    const { host } = await hosted(one, { feed: FEED, strategy: thinking(), progress: { role: "lead", rows } });
    while (host.status().cursor < 2_000) await host.turn();
    const now = at(host.status().cursor - 1);
    const intents = host.status().intents_total;
    const tell = async (as_of_us: number) => {
      const told = host.input(resultInput({ tag: "trend", score: 1, as_of_us }, SIDE));
      await host.turn();
      expect((await told).ok).toBe(true);
    };
    await tell(now - SIDE.staleness_us - 1);
    expect(host.status().intents_total, "the strategy answers every signal that it hears with an intent").toBe(intents);
    expect(host.status().counters["results_stale_total"]).toBe(1);
    await tell(at(host.status().cursor - 1));
    expect(host.status().intents_total).toBe(intents + 1);
    while (host.phase === "running") await host.turn();
    const before = journalOf(one).filter(isReproduced).map(comparable);
    loseCheckpoints(one);
    const again = await hosted({ ...one, start: "resume", epoch: 2 }, { feed: FEED, strategy: thinking() });
    expect(journalOf(one).filter(isReproduced).map(comparable)).toEqual(before);
    expect(again.host.status().counters["results_stale_total"]).toBe(1);
  });

  it.each([
    ["noop", ["M.COMPUTE.NOOP", "M.COMPUTE.CAUGHT_UP"], "healthy", "M.DEGRADE.NO_TRADE"],
    ["simple", ["M.COMPUTE.SIMPLE", "M.COMPUTE.CAUGHT_UP"], "healthy", null],
    ["stop", ["M.COMPUTE.STOP", "M.COMPUTE.CAUGHT_UP"], "degraded", "M.DEGRADE.NO_TRADE"],
  ] as const)(
    "[M-3.2.3] behind, the bot's choice %s holds until it has caught up, on the record",
    async (when_behind, reasons, health, refusal) => {
      const side = { ...SIDE, when_behind };
      const one = lead(side);
      const rows = new Int32Array(makeProgress());
      // A clock on which every slice is a turn of its own.
      let ms = 0;
      const monotonic = (): number => (ms += HOST_LIMITS.slice_ms);
      const progress = { role: "lead", rows } as const;
      const { host } = await hosted(one, { feed: FEED, strategy: thinking(), progress, monotonic });
      // The side stands still from the first row on.
      while (host.status().cursor < 2_000) await host.turn();
      expect(host.status().health_state).toBe(health);
      const probe = host.input({ input: "signal", signal: { probe: 1 }, actor: "root" });
      await host.turn();
      expect((await probe).ok).toBe(true);
      const intents = journalOf(one).filter((entry) => entry.kind === "intent");
      expect(intents.at(-1)).toMatchObject(
        refusal === null ? { verdict: "forwarded" } : { verdict: "discarded", reason_code: refusal },
      );
      Atomics.store(rows, PROGRESS.side, 5_000);
      while (host.phase === "running") await host.turn();
      expect(host.status().health_state).toBe("healthy");
      const told = journalOf(one).flatMap((entry) =>
        entry.kind === "input" && entry.input["source"] === "compute" ? [entry.input["reason_code"]] : [],
      );
      expect(told).toEqual(reasons);
      const words = journalOf(one).flatMap((entry) =>
        entry.kind === "input" && entry.input["actor"] === "runtime" ? [entry.input["signal"]] : [],
      );
      // `simple` tells the strategy, so that it goes on without what it does not have.
      expect(words).toEqual(
        when_behind === "simple"
          ? [
              { source: "runtime", compute: "behind" },
              { source: "runtime", compute: "caught_up" },
            ]
          : [],
      );
    },
  );
});
