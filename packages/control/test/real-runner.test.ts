/** The whole chain with the real runner process: pack → bot → command → lease → Wasm lane → journal → views. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { millis } from "@rumi/kernel";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { dataOf, sampleManifest, writePack } from "../../platform/test/kit.ts";
import { bundleRunner } from "../../runtime/test/control.ts";
import { descriptor, FIXTURE_DIR, recording } from "../../runtime/test/support.ts";
import { openControl, RUNNER_KEY, type Control } from "./kit.ts";

const room = temporaryFolder();
let spawnRunner: Awaited<ReturnType<typeof bundleRunner>>;
let world: Control;
let child: ChildProcess | undefined;

beforeAll(async () => {
  spawnRunner = await bundleRunner(room.path);
  world = await openControl({ bare: true });
}, 180_000);
afterAll(async () => {
  child?.kill("SIGKILL");
  await world.close();
  room.remove();
});

const count = async (table: string): Promise<number> =>
  (await world.store.rows<{ n: number }>({ sql: `SELECT count(*) AS n FROM ${table}`, parameters: [] }))[0]?.n ?? 0;

type Shown = { readonly phase: string; readonly epoch: number; readonly cursor: number };
const shown = async (): Promise<Shown | undefined> => ((await world.bot())["instances"] as readonly Shown[])[0];

it(
  "[M-1.1.1, M-7.1.3, M-8.2.2, L-09] a paper bot trades a recording, survives kill -9 of its runner with no order doubled, and stops with proof",
  { timeout: 120_000 },
  async () => {
    const of = descriptor();
    writePack(join(world.folder, "ecosystem/demo_pack"), sampleManifest({ strategies: [of] }), {
      [of.entrypoint]: new Uint8Array(readFileSync(join(FIXTURE_DIR, of.entrypoint))),
    });
    dataOf(await world.command("packs.scan", {}));
    const digest = String(
      dataOf(await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } }))["approved_digest"],
    );
    const { path } = recording(room.path, 20_000);
    dataOf(
      await world.command("venues.register", {
        command_id: world.id(),
        venue_id: "SIM",
        kind: "recording",
        files: [{ path, format: "binance_agg_trades", instrument: DEMO_INSTRUMENT }],
        pace: { kind: "multiple", factor: 2_000 },
        reason: "test",
      }),
    );
    dataOf(
      await world.makeBot("bot-1", {
        strategy: { pack_id: "demo_pack", strategy_id: of.strategy_id, strategy_version: of.strategy_version, digest },
        instruments: [DEMO_INSTRUMENT.instrument_id],
        config: {},
        capital: "1000000000",
      }),
    );

    child = spawnRunner(world.socketPath, RUNNER_KEY);
    await world.until("a ready runner", () => world.control.hub.ready().length === 1);
    const run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
    await world.until("fills", async () => (await count("fill_view")) > 3);

    child.kill("SIGKILL");
    await once(child, "exit");
    await world.control.hub.runnerGone("runner-1");
    const before = await count("fill_view");
    child = spawnRunner(world.socketPath, RUNNER_KEY);
    await world.until("more fills", async () => (await count("fill_view")) > before + 3);
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER", status: { run_id }, instances: [{ epoch: 2 }] });
    const doubled = await world.store.rows({
      sql: "SELECT client_order_id FROM intent_view WHERE verdict = 'forwarded' AND client_order_id IS NOT NULL AND intent LIKE '%\"kind\":\"order\"%' GROUP BY client_order_id HAVING count(*) > 1",
      parameters: [],
    });
    expect(doubled).toEqual([]);
    expect(Number(dataOf(await world.query("positions.list"))["count"])).toBeGreaterThan(0);

    // [M-1.1.1] Paused, and its runner killed: the next one takes it up standing still, and nothing comes of it.
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "PAUSED"));
    await world.until("it is paused", async () => (await shown())?.phase === "paused");
    child.kill("SIGKILL");
    await once(child, "exit");
    await world.control.hub.runnerGone("runner-1");
    const paused = await shown();
    child = spawnRunner(world.socketPath, RUNNER_KEY);
    await world.until("it is taken up", async () => {
      const now = await shown();
      expect(["paused", "starting"]).toContain(now?.phase);
      return now?.epoch === 3 && world.control.hub.ready().length === 1 && now.phase === "paused";
    });
    await world.rounds(20);
    expect(await shown()).toMatchObject({ phase: "paused", epoch: 3, cursor: paused?.cursor });
    expect(await world.bot()).toMatchObject({ state: "PAUSED", status: { run_id } });
    const stood = await count("fill_view");
    dataOf(await world.move("bot-1", "PAUSED", "RUNNING_PAPER"));
    await world.until("it goes on", async () => (await count("fill_view")) > stood + 3);
    expect(await shown()).toMatchObject({ run_id, epoch: 3 });

    expect(await world.control.stopAll("test", millis(20_000))).toEqual([]);
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
    await world.until("the last segment", async () => (await world.actions()).includes("journal.segment.sealed"));
    const trace = dataOf(await world.query("trace.show", {}, { id: run_id })) as {
      fills: unknown[];
      intents: unknown[];
    };
    expect(trace.intents.length).toBeGreaterThan(0);
    expect(trace.fills.length).toBeGreaterThan(0);
  },
);
