/** Service level, circuit breaker and Compute side from a bot's version to a real runner and back into log and views. */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { dataOf, sampleManifest, writePack } from "../../platform/test/kit.ts";
import { bundleRunner } from "../../runtime/test/control.ts";
import { descriptor, FIXTURE_DIR, recording, thinker } from "../../runtime/test/support.ts";
import { openControl, RUNNER_KEY, type Control } from "./kit.ts";

const room = temporaryFolder();
let world: Control;
let child: ChildProcess | undefined;
let digest = "";
const of = descriptor();
const side = thinker("compute");

beforeAll(async () => {
  const spawnRunner = await bundleRunner(room.path);
  world = await openControl({ bare: true });
  const files = [of, side].map(({ entrypoint }) => [
    entrypoint,
    new Uint8Array(readFileSync(join(FIXTURE_DIR, entrypoint))),
  ]);
  writePack(
    join(world.folder, "ecosystem/demo_pack"),
    sampleManifest({ strategies: [of, side] }),
    Object.fromEntries(files),
  );
  dataOf(await world.command("packs.scan", {}));
  digest = String(
    dataOf(await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } }))["approved_digest"],
  );
  const { path } = recording(room.path, 20_000);
  dataOf(
    await world.command("venues.register", {
      command_id: world.id(),
      venue_id: "SIM",
      kind: "recording",
      files: [{ path, format: "binance_agg_trades", instrument: DEMO_INSTRUMENT }],
      pace: { kind: "multiple", factor: 100 },
      reason: "test",
    }),
  );
  child = spawnRunner(world.socketPath, RUNNER_KEY);
  await world.until("a ready runner", () => world.control.hub.ready().length === 1);
}, 180_000);
afterAll(async () => {
  child?.kill("SIGKILL");
  await world.close();
  room.remove();
});

const bot = (more: Record<string, unknown>) => ({
  strategy: { pack_id: "demo_pack", strategy_id: of.strategy_id, strategy_version: of.strategy_version, digest },
  instruments: [DEMO_INSTRUMENT.instrument_id],
  config: {},
  capital: "1000000000",
  ...more,
});
const compute = {
  strategy_id: side.strategy_id,
  strategy_version: side.strategy_version,
  config: { hint_every: 20 },
  staleness_us: 3_600_000_000,
  when_behind: "simple",
};
type Shown = {
  readonly health_state: string | null;
  readonly reason_code: string | null;
  readonly slo: Record<string, unknown> | null;
  readonly breaker: Record<string, unknown> | null;
};
const shown = async (): Promise<Shown> => ((await world.bot())["instances"] as readonly Shown[])[0] as Shown;

it(
  "[M-3.3.1] [M-9.2.2] [M-9.2.1] a bot's promise stands beside what is measured; a person opens its breaker and closes it, on the record",
  { timeout: 180_000 },
  async () => {
    const slo = { p95_latency_us: 60_000_000, drop_rate_ppm: 1_000_000 };
    const breaker = {
      rules: { timeouts: { count: 2, within_us: 1_000_000, mode: "no_trade" } },
      back: { kind: "manual" },
    };
    dataOf(await world.makeBot("bot-1", bot({ slo, degradation: { breaker, compute } })));
    dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
    await world.until("measured values", async () => {
      const measured = (await shown())?.slo?.["measured"] as { readonly p95_latency_us: number } | undefined;
      return (measured?.p95_latency_us ?? 0) > 0;
    });
    expect((await shown()).slo).toMatchObject({ level: "none", promised: slo });
    expect((await shown()).breaker).toMatchObject({ state: "closed", trips: 0 });

    const ask = (body: Record<string, unknown>) =>
      world.command(
        "bots.breaker",
        { command_id: world.id(), reason: "drill", ...body },
        { params: { bot_id: "bot-1" } },
      );
    const refused = await ask({ action: "trip" });
    expect(JSON.stringify(refused)).toContain("RUMI-VAL-002");
    dataOf(await ask({ action: "trip", mode: "cancel_all" }));
    await world.until("an open breaker", async () => (await shown()).breaker?.["state"] === "open");
    expect(await shown()).toMatchObject({
      health_state: "degraded",
      reason_code: "M.BREAKER.OPERATOR",
      breaker: { mode: "cancel_all", trigger: "operator" },
    });
    dataOf(await ask({ action: "reset" }));
    await world.until("a closed breaker", async () => (await shown()).breaker?.["state"] === "closed");
    await world.until("both in the log", async () => (await world.actions()).includes("instance.breaker.closed"));
    const actions = (await world.actions()).filter((action) => action.startsWith("instance.breaker."));
    expect(actions.toSorted()).toEqual([
      "instance.breaker.asked",
      "instance.breaker.asked",
      "instance.breaker.closed",
      "instance.breaker.opened",
    ]);
  },
);

it.each([
  ["an unknown measure", { slo: { p99: 1 } }],
  ["a promise of nothing", { slo: { p95_latency_us: 0 } }],
  [
    "a trigger that does not exist",
    {
      degradation: {
        breaker: { rules: { mood: { count: 1, within_us: 1, mode: "no_trade" } }, back: { kind: "manual" } },
      },
    },
  ],
  [
    "a mode that does not exist",
    {
      degradation: {
        breaker: { rules: { queue: { count: 1, within_us: 1, mode: "panic" } }, back: { kind: "manual" } },
      },
    },
  ],
  [
    "a count beyond its limit",
    {
      degradation: {
        breaker: { rules: { queue: { count: 1_001, within_us: 1, mode: "no_trade" } }, back: { kind: "manual" } },
      },
    },
  ],
  ["a policy that does not exist", { degradation: { compute: { ...compute, when_behind: "hope" } } }],
])("[M-3.3.1] [M-9.1.1] %s is refused where the bot is made", async (_, more) => {
  const made = await world.makeBot(`bot-${world.id().slice(0, 8)}`, bot(more));
  expect(JSON.stringify(made)).toMatch(/RUMI-VAL-00\d/);
});

it("[M-3.2.2] a Compute side that is not in the pack, or not made for the Compute lane, is refused before the start", async () => {
  for (const [name, wrong] of [
    ["bot-ll", { ...compute, strategy_id: of.strategy_id, strategy_version: of.strategy_version }],
    ["bot-none", { ...compute, strategy_id: "nobody" }],
  ] as const) {
    dataOf(await world.makeBot(name, bot({ degradation: { compute: wrong } })));
    expect(JSON.stringify(await world.move(name, "IDLE", "RUNNING_PAPER"))).toContain(
      "degradation.compute.strategy_id",
    );
  }
});
