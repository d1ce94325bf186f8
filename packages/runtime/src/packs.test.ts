import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StrategyDescriptor } from "@rumi/abi";
import type { Uuid } from "@rumi/kernel";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { bundleRunner, TestControl } from "../test/control.ts";
import { market, recording, spec } from "../test/support.ts";
import { measureBacktest, runBacktest } from "./backtest.ts";
import type { InstanceSpec } from "./protocol.ts";

const PACKS = fileURLToPath(new URL("../../../packs", import.meta.url));
function strategyOf(pack: string, id: string): { readonly descriptor: StrategyDescriptor; readonly pack_dir: string } {
  const pack_dir = join(PACKS, pack);
  const manifest = JSON.parse(readFileSync(join(pack_dir, "ecosystem.json"), "utf8")) as {
    strategies: StrategyDescriptor[];
  };
  const descriptor = manifest.strategies.find((one) => one.strategy_id === id);
  if (descriptor === undefined) throw new Error(`${pack} has no ${id}`);
  return { descriptor, pack_dir };
}

describe("default pack, Rust", () => {
  it("[M-0.1] [M-16] ema_cross backtests, trades, and twice the same", () => {
    const { venue, limits } = spec("");
    const options = {
      ...strategyOf("default", "ema_cross"),
      config: { order_quantity: "1", budget: "1000", threshold_ppm: 20 },
      seed: "s",
      instruments: [DEMO_INSTRUMENT],
      feed: market(300_000),
      venue,
      limits,
      monotonic: () => performance.now(),
    };
    const [a, b] = [runBacktest({ ...options, keep: "digest" }), runBacktest({ ...options, keep: "digest" })];
    if (!a.ok || !b.ok) throw new Error(JSON.stringify([a, b]));
    expect(a.value).toMatchObject({ events: 300_000, health_state: "healthy" });
    expect(a.value.fills).toBeGreaterThan(10);
    expect(a.value.entries_digest).toBe(b.value.entries_digest);
    const measured = measureBacktest(options, 3);
    if (!measured.ok) throw new Error("it ran before");
    process.stdout.write(`ema_cross: ${JSON.stringify(measured.value)} fills ${a.value.fills}\n`);
  });
});

describe("hostile pack, Wasm", () => {
  const against = (id: string) => {
    const { venue, limits } = spec("");
    const strategy = strategyOf("hostile", id);
    const result = runBacktest({
      ...strategy,
      config: {},
      seed: "s",
      instruments: [DEMO_INSTRUMENT],
      feed: market(400),
      venue,
      limits,
      keep: "all",
      monotonic: () => performance.now(),
    });
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    return { ...result.value, resources: strategy.descriptor.resources };
  };

  it("[M-2.3.2] free text in a hint is dropped and counted, and never stands in the journal", () => {
    const { counters, entries } = against("wasm_free_text");
    expect(counters.hints_total).toBe(0);
    expect(counters.discarded["M.TELEMETRY.FREE_TEXT"] ?? 0).toBeGreaterThan(0);
    expect(JSON.stringify(entries)).not.toMatch(/hint":"[^"]* /);
  });

  it("[M-2.1.3] the declared output caps are the ones in force: intents beyond them are discarded", () => {
    const { counters, entries, resources } = against("wasm_intent_flood");
    const passed = new Map<number, number>();
    for (const entry of entries)
      if (entry.kind === "intent" && entry.verdict !== "discarded")
        passed.set(entry.cursor, (passed.get(entry.cursor) ?? 0) + 1);
    expect(Math.max(0, ...passed.values())).toBeLessThanOrEqual(resources.intents_per_event);
    expect(counters.discarded["M.INTENT.CAP_EVENT"] ?? 0).toBeGreaterThan(0);
  });
});

describe.runIf(requires("python3") && requires("bubblewrap"))("Python strategies in a runner", () => {
  const room = temporaryFolder();
  let control: TestControl;
  let child: ReturnType<Awaited<ReturnType<typeof bundleRunner>>>;
  let file: InstanceSpec["venue"]["files"][number];
  let run = 0;
  beforeAll(async () => {
    const start = await bundleRunner(room.path);
    file = recording(room.path, 2_000);
    control = new TestControl(join(room.path, "socket"));
    child = start(control.path);
    await control.until(() => control.seen.some((message) => message.type === "instances"), 120_000);
  });
  afterAll(async () => {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    await control.close();
    room.remove();
  });
  const host = async (
    pack: string,
    id: string,
    change: Partial<InstanceSpec> = {},
  ): Promise<{ of: InstanceSpec; reply: Awaited<ReturnType<TestControl["ask"]>> }> => {
    run += 1;
    const { descriptor, pack_dir } = strategyOf(pack, id);
    const base = spec(join(room.path, `run-${run}`));
    const of: InstanceSpec = {
      ...base,
      strategy_id: id,
      strategy_version: descriptor.strategy_version,
      instance_id: `i${run}`,
      run_id: `0197a000-0000-7000-8000-0000000001${String(run).padStart(2, "0")}` as Uuid,
      descriptor,
      pack_dir,
      venue: { ...base.venue, files: [file] },
      ...change,
    };
    return { of, reply: await control.ask({ type: "start", spec: of }) };
  };

  it(
    "[M-0.1] [M-5.1.1] mean_reversion runs jailed to the end of its feed and says its level",
    { timeout: 180_000 },
    async () => {
      const { of, reply } = await host("default", "mean_reversion", { config: { order_quantity: "1" } });
      expect(reply, JSON.stringify(reply)).toMatchObject({ ok: true, status: { isolation: { level: "L1" } } });
      await control.until(
        () => control.statuses.some((status) => status.run_id === of.run_id && status.phase === "feed_ended"),
        120_000,
      );
      const ended = control.statuses.filter((status) => status.run_id === of.run_id).at(-1);
      expect(ended).toMatchObject({ health_state: "healthy", cursor: 2_000 });
      expect(await control.ask({ type: "stop", run_id: of.run_id, epoch: 1, reason: "done" })).toMatchObject({
        ok: true,
        status: { phase: "stopped" },
      });
    },
  );

  it(
    "[M-5.2.1] [M-5.2.6] hostile strategies are refused or halted with their reason, and a neighbour runs on",
    { timeout: 180_000 },
    async () => {
      const neighbour = await host("default", "ema_cross", {
        config: { order_quantity: "1" },
        venue: { ...spec("").venue, files: [file], pace: { kind: "multiple", factor: 100 } },
      });
      expect(neighbour.reply.ok).toBe(true);
      const seen: Record<string, string> = {};
      for (const id of [
        "python_spins",
        "python_raises",
        "python_exits",
        "wasm_spin",
        "wasm_trap",
        "wasm_missing_metadata",
      ]) {
        const { of, reply } = await host("hostile", id);
        const ended = reply.ok
          ? await control.until(
              () =>
                control.statuses.find(
                  (status) =>
                    status.run_id === of.run_id && (status.health_state !== "healthy" || status.phase === "feed_ended"),
                ),
              120_000,
            )
          : undefined;
        seen[id] = reply.ok
          ? `${ended?.health_state ?? ""} ${ended?.reason_code ?? ""}`
          : `refused ${reply.failure.reason_code ?? ""}`;
      }
      process.stdout.write(`hostile: ${JSON.stringify(seen)}\n`);
      for (const outcome of Object.values(seen)) expect(outcome).toMatch(/^(refused|halted|degraded) M\./);
      expect(control.statuses.filter((status) => status.run_id === neighbour.of.run_id).at(-1)?.health_state).toBe(
        "healthy",
      );
    },
  );
});
