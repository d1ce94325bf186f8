/** An update of a bot with two shards that one of them cannot begin, and one that ran and failed: the real runner. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { millis } from "@rumi/kernel";
import { DEMO_INSTRUMENT, encodeAggTrades } from "@rumi/venues";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { codeOf, dataOf, sampleManifest, writePack } from "../../platform/test/kit.ts";
import { bundleRunner } from "../../runtime/test/control.ts";
import { descriptor, FIXTURE_DIR, market } from "../../runtime/test/support.ts";
import type { StartSpec } from "../src/instances/tables.ts";
import { openControl, RUNNER_KEY, type Control } from "./kit.ts";

const room = temporaryFolder();
let world: Control;
let child: ChildProcess;
let spawnRunner: Awaited<ReturnType<typeof bundleRunner>>;
const digests: Record<string, string> = {};

async function approve(version: string): Promise<void> {
  const of = descriptor({ instance_model: "sharded", strategy_version: version });
  const manifest = { ...sampleManifest({ strategies: [of] }), version };
  writePack(join(world.folder, "ecosystem/demo_pack"), manifest, {
    [of.entrypoint]: new Uint8Array(readFileSync(join(FIXTURE_DIR, of.entrypoint))),
  });
  dataOf(await world.command("packs.scan", {}));
  const approved = await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
  digests[version] = String(dataOf(approved)["approved_digest"]);
}
function write(name: string): { path: string; format: string; instrument: unknown } {
  const instrument = { ...DEMO_INSTRUMENT, instrument_id: `${name}.X`, base_currency: name };
  const path = join(room.path, `${name}.csv`);
  writeFileSync(path, encodeAggTrades(market(6_000), DEMO_INSTRUMENT));
  return { path, format: "binance_agg_trades", instrument };
}

beforeAll(async () => {
  spawnRunner = await bundleRunner(room.path);
  world = await openControl({ bare: true });
  await approve("1.0.0");
  child = spawnRunner(world.socketPath, RUNNER_KEY);
  await world.until("a ready runner", () => world.control.hub.ready().length === 1);
  dataOf(
    await world.command("venues.register", {
      command_id: world.id(),
      venue_id: "SIM",
      kind: "recording",
      files: [write("AAA"), write("BBB")],
      pace: { kind: "multiple", factor: 100 },
      reason: "test",
    }),
  );
}, 180_000);
afterAll(async () => {
  await world.control.stopAll("test", millis(20_000));
  child.kill("SIGKILL");
  await world.close();
  room.remove();
});

type Shown = {
  readonly instance_id: string;
  readonly run_id: string;
  readonly phase: string;
  readonly cursor: number;
  readonly last_checkpoint: { readonly cursor: number } | null;
};
const shown = async (bot_id: string): Promise<readonly Shown[]> =>
  (await world.bot(bot_id))["instances"] as readonly Shown[];
async function untilLong(what: string, check: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    if (await check()) return;
    await world.rounds(3);
  }
  throw new Error(`it never came to: ${what}`);
}
const allRun = async (bot_id: string): Promise<boolean> =>
  (await shown(bot_id)).every(({ phase, cursor }) => phase === "running" && cursor > 0);
async function startBot(bot_id: string, instruments: readonly string[]): Promise<void> {
  const strategy = {
    pack_id: "demo_pack",
    strategy_id: "crossing",
    strategy_version: "1.0.0",
    digest: digests["1.0.0"],
  };
  dataOf(await world.makeBot(bot_id, { strategy, instruments, config: {}, capital: "1000000000" }));
  dataOf(await world.move(bot_id, "IDLE", "RUNNING_PAPER"));
  await untilLong("it runs", () => allRun(bot_id));
}
const update = (bot_id: string, version: string) =>
  world.command(
    "bots.update",
    { command_id: world.id(), strategy_version: version, digest: digests[version], reason: "better" },
    { params: { bot_id } },
  );
type Row = { readonly instance_id: string; readonly spec: string; readonly next: string | null };
const rows = (bot_id: string): Promise<readonly Row[]> =>
  world.store.rows<Row>({
    sql: `SELECT instance_id, spec, next FROM instance WHERE bot_id = '${bot_id}' ORDER BY instance_id`,
    parameters: [],
  });
const versions = async (bot_id: string): Promise<readonly string[]> =>
  (await rows(bot_id)).map(({ spec }) => (JSON.parse(spec) as StartSpec).strategy_version);
const ofBot = async (bot_id: string): Promise<string> =>
  ((await world.bot(bot_id))["spec"] as { strategy: { strategy_version: string } }).strategy.strategy_version;
/** What a runner finds where the new run is to begin: a journal that is not its own. */
function block(next: string | null): void {
  const { run_dir } = (JSON.parse(next ?? "") as { spec: StartSpec }).spec;
  mkdirSync(join(run_dir, "journal"), { recursive: true });
  writeFileSync(join(run_dir, "journal", "00000001.journal"), "somebody's");
}

describe("a bot with two shards", () => {
  it(
    "[M-1.1.1] [M-2.2.1] one shard is refused its new version: the bot's specification goes back, and its sibling, which runs the new one already, with it",
    { timeout: 120_000 },
    async () => {
      await startBot("many", ["AAA.X", "BBB.X"]);
      const before = await world.bot("many");
      const first = (await shown("many")).map(({ run_id }) => run_id);
      await approve("1.1.0");
      expect(dataOf(await update("many", "1.1.0"))).toMatchObject({ handing_over: 2 });
      block((await rows("many"))[1]?.next ?? null);
      await untilLong("both run the former version again", async () => {
        const now = await shown("many");
        const back = (await versions("many")).every((version) => version === "1.0.0");
        const open = (await rows("many")).some(({ next }) => next !== null);
        return back && !open && now.every(({ run_id, phase }) => !first.includes(run_id) && phase === "running");
      });
      const after = await world.bot("many");
      expect(after).toMatchObject({ state: "RUNNING_PAPER", generation: 3, observed_generation: 3 });
      expect(after["spec"]).toEqual(before["spec"]);
      expect(new Set((await rows("many")).map(({ spec }) => (JSON.parse(spec) as StartSpec).generation))).toEqual(
        new Set([3]),
      );
      const ends = await world.store.rows<{ instance_id: string; end_reason: string | null }>({
        sql: "SELECT instance_id, end_reason FROM run WHERE bot_id = 'many' ORDER BY instance_id, end_reason",
        parameters: [],
      });
      const endsOf = (id: string) =>
        ends
          .filter(({ instance_id }) => instance_id === id)
          .map(({ end_reason }) => end_reason ?? "runs")
          .sort();
      expect(endsOf("SIM/X/AAA")).toEqual(["UPDATED", "UPDATED", "runs"]);
      expect(endsOf("SIM/X/BBB")).toEqual(["UPDATED", "UPDATE_REFUSED", "runs"]);
      const actions = (await world.actions()).filter((action) => action === "bot.update.rolled_back");
      expect(actions).toHaveLength(1);
      // And the next update finds everything in order.
      await approve("1.2.0");
      expect(dataOf(await update("many", "1.2.0"))).toMatchObject({ handing_over: 2 });
      await untilLong(
        "both run the newest version",
        async () => (await versions("many")).every((version) => version === "1.2.0") && (await allRun("many")),
      );
      dataOf(await world.move("many", "RUNNING_PAPER", "STOPPING"));
      await untilLong("it has stopped", async () => (await world.bot("many"))["state"] === "IDLE");
    },
  );

  it(
    "[M-1.1.1] [G-2.1] a version that ran and then fails stays in ERROR until a person updates to the former one, which takes up its state",
    { timeout: 120_000 },
    async () => {
      await approve("1.0.0");
      await startBot("one", ["AAA.X"]);
      await approve("2.0.0");
      dataOf(await update("one", "2.0.0"));
      await untilLong(
        "the new version runs",
        async () => (await versions("one"))[0] === "2.0.0" && (await allRun("one")),
      );
      const [row] = await rows("one");
      const { pack_dir, descriptor: of } = JSON.parse(row?.spec ?? "") as StartSpec;
      const file = join(pack_dir, of.entrypoint);
      const sound = readFileSync(file);
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      chmodSync(file, 0o600);
      writeFileSync(file, "broken meanwhile");
      await world.control.hub.runnerGone("runner-1");
      child = spawnRunner(world.socketPath, RUNNER_KEY);
      await untilLong("it is in ERROR", async () => (await world.bot("one"))["state"] === "ERROR");
      writeFileSync(file, sound);
      await world.rounds(20);
      expect(await world.bot("one")).toMatchObject({ state: "ERROR" });
      expect(await ofBot("one")).toBe("2.0.0");
      const [failed] = await shown("one");
      await approve("1.0.0");
      const way = await update("one", "1.0.0");
      expect(way.kind, JSON.stringify(way)).toBe("done");
      expect(await ofBot("one")).toBe("1.0.0");
      dataOf(await world.move("one", "ERROR", "RUNNING_PAPER"));
      await untilLong("the former version runs", async () => {
        const [now] = await shown("one");
        return now?.run_id !== failed?.run_id && now?.phase === "running" && (await versions("one"))[0] === "1.0.0";
      });
      const [taken] = await rows("one");
      expect((JSON.parse(taken?.spec ?? "") as StartSpec).from?.run_id, "the state that it begins with").toBe(
        failed?.run_id,
      );
      const [now] = await shown("one");
      expect(now?.cursor).toBeGreaterThanOrEqual(failed?.last_checkpoint?.cursor ?? Number.POSITIVE_INFINITY);
      // What the failed one had told last need not have been durable: the rows since its state are taken once more.
      await untilLong(
        "it is where the failed one was",
        async () => ((await shown("one"))[0]?.cursor ?? 0) >= (failed?.cursor ?? 0),
      );
      expect(codeOf(await update("nobody", "1.0.0"))).toBe("RUMI-BOT-001");
    },
  );
});
