/** A sharded bot with the real runner: one instance for each instrument, each for itself. */
import type { ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { millis } from "@rumi/kernel";
import { DEMO_INSTRUMENT, encodeAggTrades } from "@rumi/venues";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { dataOf, sampleManifest, writePack } from "../../platform/test/kit.ts";
import { bundleRunner } from "../../runtime/test/control.ts";
import { descriptor, FIXTURE_DIR, market } from "../../runtime/test/support.ts";
import { openControl, RUNNER_KEY, type Control } from "./kit.ts";

const room = temporaryFolder();
let world: Control;
let child: ChildProcess | undefined;

beforeAll(async () => {
  const spawnRunner = await bundleRunner(room.path);
  world = await openControl({ bare: true });
  child = spawnRunner(world.socketPath, RUNNER_KEY);
  await world.until("a ready runner", () => world.control.hub.ready().length === 1);
}, 180_000);
afterAll(async () => {
  child?.kill("SIGKILL");
  await world.close();
  room.remove();
});

/** Three prices at which the fixture traps or loops for ever: its third fault halts it. */
function write(name: string, poison: boolean): { path: string; instrument: unknown } {
  const instrument = { ...DEMO_INSTRUMENT, instrument_id: `${name}.X`, base_currency: name };
  const feed = market(2_000);
  if (poison)
    for (const [row, price] of [
      [300, 666_666],
      [600, 666_667],
      [900, 666_666],
    ] as const)
      feed.price[row] = price;
  const path = join(room.path, `${name}.csv`);
  writeFileSync(path, encodeAggTrades(feed, DEMO_INSTRUMENT));
  return { path, instrument };
}

type Shown = {
  readonly instance_id: string;
  readonly run_id: string;
  readonly phase: string;
  readonly health_state: string | null;
  readonly cursor: number;
  readonly last_checkpoint: unknown;
};
const shown = async (): Promise<readonly Shown[]> => (await world.bot("many"))["instances"] as readonly Shown[];

it(
  "[M-2.2.1] [M-2.2.2] two shards of one bot: one is halted, the other's run, state and health are its own; the bot stops with both",
  { timeout: 180_000 },
  async () => {
    const of = descriptor({ instance_model: "sharded" });
    writePack(join(world.folder, "ecosystem/demo_pack"), sampleManifest({ strategies: [of] }), {
      [of.entrypoint]: new Uint8Array(readFileSync(join(FIXTURE_DIR, of.entrypoint))),
    });
    dataOf(await world.command("packs.scan", {}));
    const approved = await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
    const digest = String(dataOf(approved)["approved_digest"]);
    const files = [write("AAA", true), write("BBB", false)];
    dataOf(
      await world.command("venues.register", {
        command_id: world.id(),
        venue_id: "SIM",
        kind: "recording",
        files: files.map((file) => ({ ...file, format: "binance_agg_trades" })),
        pace: { kind: "max" },
        reason: "test",
      }),
    );
    const { strategy_id, strategy_version } = of;
    dataOf(
      await world.makeBot("many", {
        strategy: { pack_id: "demo_pack", strategy_id, strategy_version, digest },
        instruments: ["AAA.X", "BBB.X"],
        config: {},
        capital: "1000000000.5",
      }),
    );
    dataOf(await world.move("many", "IDLE", "RUNNING_PAPER"));
    for (const end = performance.now() + 60_000; performance.now() < end;) {
      const [a, b] = await shown();
      if (a?.health_state === "halted" && b?.phase === "feed_ended") break;
      await world.rounds(5);
    }
    const [a, b] = await shown();
    expect(a).toMatchObject({ instance_id: "SIM/X/AAA", health_state: "halted", phase: "paused" });
    expect(b).toMatchObject({ instance_id: "SIM/X/BBB", health_state: "healthy", phase: "feed_ended", cursor: 2_000 });
    expect(a?.run_id).not.toBe(b?.run_id);
    expect(b?.last_checkpoint).not.toBeNull();
    expect(await world.bot("many")).toMatchObject({ state: "RUNNING_PAPER" });
    const limits = await world.store.rows<{ spec: string }>({
      sql: "SELECT spec FROM instance WHERE bot_id = 'many' ORDER BY instance_id",
      parameters: [],
    });
    const capital = limits.map(({ spec }) => (JSON.parse(spec) as { limits: { capital: string } }).limits.capital);
    expect(capital).toEqual(["500000000.25", "500000000.25"]);
    expect(await world.control.stopAll("test", millis(20_000))).toEqual([]);
    expect(await world.bot("many")).toMatchObject({ state: "IDLE" });
    expect((await shown()).map(({ phase }) => phase)).toEqual(["stopped", "stopped"]);
  },
);

it(
  "[M-2.2.1] [M-10.1] [M-10.3] each shard keeps its own values through a change of the bot's; an unknown shard is refused by its name",
  { timeout: 180_000 },
  async () => {
    const field = { type: "integer", minimum: 1, maximum: 1_000, required: true } as const;
    const of = descriptor({
      instance_model: "sharded",
      config_schema: { period: field, width: { ...field, required: false } },
    });
    writePack(join(world.folder, "ecosystem/demo_pack"), sampleManifest({ strategies: [of] }), {
      [of.entrypoint]: new Uint8Array(readFileSync(join(FIXTURE_DIR, of.entrypoint))),
    });
    dataOf(await world.command("packs.scan", {}));
    const approved = await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
    const { strategy_id, strategy_version } = of;
    const body = {
      strategy: {
        pack_id: "demo_pack",
        strategy_id,
        strategy_version,
        digest: String(dataOf(approved)["approved_digest"]),
      },
      venue: "SLOW",
      instruments: ["AAA.X", "BBB.X"],
      config: { period: 5 },
      capital: "1000000",
    };
    dataOf(
      await world.command("venues.register", {
        command_id: world.id(),
        venue_id: "SLOW",
        kind: "recording",
        files: [write("AAA", false), write("BBB", false)].map((file) => ({ ...file, format: "binance_agg_trades" })),
        pace: { kind: "multiple", factor: 100 },
        reason: "test",
      }),
    );
    const unknown = await world.makeBot("sharded", { ...body, shard_config: { "SLOW/X/CCC": { period: 7 } } });
    expect(unknown).toMatchObject({ failure: { code: "RUMI-BOT-004", params: { field: "shard_config.SLOW/X/CCC" } } });
    const wrong = await world.makeBot("sharded", { ...body, shard_config: { "SLOW/X/BBB": { period: 0 } } });
    expect(wrong).toMatchObject({ failure: { code: "RUMI-BOT-004" } });
    dataOf(await world.makeBot("sharded", { ...body, shard_config: { "SLOW/X/BBB": { period: 7 } } }));
    dataOf(await world.move("sharded", "IDLE", "RUNNING_PAPER"));
    const rows = async (): Promise<readonly Shown[]> => (await world.bot("sharded"))["instances"] as readonly Shown[];
    await world.until("both run", async () => (await rows()).filter(({ phase }) => phase === "running").length === 2);
    const configs = async () =>
      (
        await world.store.rows<{ spec: string; config: string | null }>({
          sql: "SELECT spec, config FROM instance WHERE bot_id = 'sharded' ORDER BY instance_id",
          parameters: [],
        })
      ).map(({ spec, config }) => [(JSON.parse(spec) as { config: unknown }).config, config]);
    expect(await configs()).toEqual([
      [{ period: 5 }, null],
      [{ period: 7 }, null],
    ]);
    const change = { command_id: world.id(), config: { period: 6, width: 2 }, at: "next_tick", reason: "wider" };
    expect(dataOf(await world.command("bots.config_apply", change, { params: { bot_id: "sharded" } }))).toMatchObject({
      applied: true,
      changed: ["period", "width"],
    });
    await world.until("both have it", async () => (await configs()).every(([, waits]) => waits === null));
    expect((await configs()).map(([config]) => config)).toEqual([
      { period: 6, width: 2 },
      { period: 7, width: 2 },
    ]);
    await world.until(
      "each says where",
      async () => (await world.actions()).filter((action) => action === "instance.config.effective").length === 2,
    );
    expect(await world.control.stopAll("test", millis(20_000))).toEqual([]);
  },
);
