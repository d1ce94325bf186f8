/** Another version in a running bot's place, with the real runner: state handed over, nothing lost, nothing doubled. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { millis } from "@rumi/kernel";
import { readJournal, replayRun } from "@rumi/runtime";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { dataOf, sampleManifest, writePack } from "../../platform/test/kit.ts";
import { bundleRunner } from "../../runtime/test/control.ts";
import { descriptor, FIXTURE_DIR, recording } from "../../runtime/test/support.ts";
import type { StartSpec } from "../src/instances/tables.ts";
import { UPDATE_REFUSED } from "../src/updates/way-back.ts";
import { openControl, RUNNER_KEY, type Control } from "./kit.ts";

const room = temporaryFolder();
let spawnRunner: Awaited<ReturnType<typeof bundleRunner>>;
let world: Control;
let child: ChildProcess | undefined;
const digests: Record<string, string> = {};

type Shown = {
  readonly instance_id: string;
  readonly run_id: string;
  readonly phase: string;
  readonly epoch: number;
  readonly cursor: number;
};
const instances = async (bot_id: string): Promise<readonly Shown[]> =>
  (await world.bot(bot_id))["instances"] as readonly Shown[];
const main = async (bot_id: string): Promise<Shown> => {
  const found = (await instances(bot_id)).find((one) => one.instance_id === "main");
  if (found === undefined) throw new Error(`${bot_id} has no instance`);
  return found;
};

/** The same strategy file under another version: another pack, another digest. */
async function approve(version: string): Promise<string> {
  const of = descriptor({ strategy_version: version });
  const manifest = { ...sampleManifest({ strategies: [of] }), version };
  writePack(join(world.folder, "ecosystem/demo_pack"), manifest, {
    [of.entrypoint]: new Uint8Array(readFileSync(join(FIXTURE_DIR, of.entrypoint))),
  });
  dataOf(await world.command("packs.scan", {}));
  const approved = await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
  return String(dataOf(approved)["approved_digest"]);
}

beforeAll(async () => {
  spawnRunner = await bundleRunner(room.path);
  world = await openControl({ bare: true });
  digests["1.0.0"] = await approve("1.0.0");
  const { path } = recording(room.path, 4_000);
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
  child = spawnRunner(world.socketPath, RUNNER_KEY);
  await world.until("a ready runner", () => world.control.hub.ready().length === 1);
}, 180_000);
afterAll(async () => {
  await world.control.stopAll("test", millis(20_000));
  child?.kill("SIGKILL");
  await world.close();
  room.remove();
});

/** The world's own patience is for steps, not for whole days of recorded time. */
async function untilLong(what: string, check: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    if (await check()) return;
    await world.rounds(10);
  }
  throw new Error(`it never came to: ${what}`);
}

async function startBot(bot_id: string, version: string): Promise<string> {
  dataOf(
    await world.makeBot(bot_id, {
      strategy: { pack_id: "demo_pack", strategy_id: "crossing", strategy_version: version, digest: digests[version] },
      instruments: [DEMO_INSTRUMENT.instrument_id],
      config: {},
      capital: "1000000000",
    }),
  );
  return String(dataOf(await world.move(bot_id, "IDLE", "RUNNING_PAPER"))["run_id"]);
}
const update = (bot_id: string, version: string) =>
  world.command(
    "bots.update",
    { command_id: world.id(), strategy_version: version, digest: digests[version], reason: "better" },
    { params: { bot_id } },
  );
const fillsOf = async (bot_id: string): Promise<readonly string[]> =>
  (
    await world.store.rows<{ fill: string }>({
      sql: `SELECT fill FROM fill_view WHERE bot_id = '${bot_id}' ORDER BY run_id, seq`,
      parameters: [],
    })
  ).map(({ fill }) => {
    const { side, price, quantity, event_time_us, fee } = JSON.parse(fill) as Record<string, unknown>;
    return `${String(event_time_us)} ${String(side)} ${String(price)} ${String(quantity)} ${String(fee)}`;
  });
const runs = (bot_id: string) =>
  world.store.rows<{ run_id: string; from_run_id: string | null; end_reason: string | null }>({
    sql: `SELECT run_id, from_run_id, end_reason FROM run WHERE bot_id = '${bot_id}' AND instance_id = 'main' ORDER BY run_id`,
    parameters: [],
  });

describe("update in place", () => {
  it(
    "[M-1.1.1] [M-8.2.2] a running bot goes on under another version: linked runs, one trace, no row lost or taken twice, no order doubled",
    { timeout: 120_000 },
    async () => {
      const first = await startBot("updated", "1.0.0");
      await untilLong("fills", async () => (await fillsOf("updated")).length > 3);
      digests["1.1.0"] = await approve("1.1.0");
      expect(dataOf(await update("updated", "1.1.0"))).toMatchObject({
        updated: true,
        handing_over: 1,
        version: "2.0.0",
      });
      await untilLong("the new version runs", async () => {
        const now = await main("updated");
        return now.run_id !== first && now.phase === "running";
      });
      const second = await main("updated");
      expect(await world.bot("updated")).toMatchObject({
        state: "RUNNING_PAPER",
        generation: 2,
        observed_generation: 2,
        status: { run_id: second.run_id },
      });
      expect(await runs("updated")).toEqual([
        { run_id: first, from_run_id: null, end_reason: "UPDATED" },
        { run_id: second.run_id, from_run_id: first, end_reason: null },
      ]);
      // And once more, with the runner killed the moment the wish is on record.
      digests["1.2.0"] = await approve("1.2.0");
      dataOf(await update("updated", "1.2.0"));
      child?.kill("SIGKILL");
      if (child !== undefined) await once(child, "exit");
      await world.control.hub.runnerGone("runner-1");
      child = spawnRunner(world.socketPath, RUNNER_KEY);
      await untilLong("the third version runs", async () => {
        const now = await main("updated");
        return now.run_id !== second.run_id && ["running", "feed_ended"].includes(now.phase);
      });
      await untilLong("it has seen the whole recording", async () => (await main("updated")).phase === "feed_ended");
      dataOf(await world.move("updated", "RUNNING_PAPER", "STOPPING"));
      await untilLong("it has stopped", async () => (await world.bot("updated"))["state"] === "IDLE");
      // Three runs, one day: each begins at the row where the one before ended, and each comes out again by itself.
      const orders: string[] = [];
      let ended = 0;
      for (const { run_id } of await runs("updated")) {
        const run_dir = join(world.folder, "user_data/runs/updated", run_id);
        const journal = readJournal({ directory: join(run_dir, "journal"), runId: run_id, durableSeq: 0 });
        if (!journal.ok) throw new Error(journal.error.code);
        const { entries } = journal.value;
        expect(entries[0]).toMatchObject({ kind: "run_started", cursor: ended });
        ended = entries.at(-1)?.cursor ?? 0;
        for (const entry of entries)
          if (entry.kind === "intent" && entry.intent["kind"] === "order" && entry.client_order_id !== null)
            orders.push(entry.client_order_id);
        const replayed = await replayRun({ run_dir, pack_dir: FIXTURE_DIR });
        expect(replayed.ok && replayed.value).toMatchObject({ outcome: "identical", divergence: null, stopped: true });
      }
      expect(ended).toBe(4_000);
      expect(orders.length).toBeGreaterThan(10);
      expect(new Set(orders).size, "no order was doubled").toBe(orders.length);
      expect(await runs("updated")).toHaveLength(3);
      const updated = (await world.actions()).filter((action) => action === "bot.updated");
      expect(updated).toHaveLength(2);
      const trace = dataOf(await world.query("trace.show", {}, { id: first })) as { runs: { run_id: string }[] };
      expect(trace.runs.map(({ run_id }) => run_id)).toContain(second.run_id);
    },
  );

  it(
    "[M-1.1.1] a shadow of another version stands beside a running bot, is seen in it, and ends without touching it",
    { timeout: 120_000 },
    async () => {
      await startBot("beside", "1.2.0");
      await untilLong("fills", async () => (await fillsOf("beside")).length > 3);
      digests["1.3.0"] = await approve("1.3.0");
      const body = {
        command_id: world.id(),
        strategy_version: "1.3.0",
        digest: digests["1.3.0"],
        reason: "look first",
      };
      const begin = () => world.command("bots.shadow_start", body, { params: { bot_id: "beside" } });
      const started = await begin();
      expect(started, JSON.stringify(started)).toMatchObject({ status: 202 });
      type Shadowed = Shown & { readonly mode: string; readonly shadow: Record<string, unknown> | null };
      const shadow = async (): Promise<Shadowed | undefined> =>
        (await instances("beside")).find((one) => one.instance_id === "main~shadow") as Shadowed | undefined;
      await untilLong("it compares", async () => Number((await shadow())?.shadow?.["matched"] ?? 0) > 5);
      expect(await shadow()).toMatchObject({
        mode: "shadow",
        shadow: {
          only_primary: 0,
          only_shadow: 0,
          first_difference: null,
          primary_run_id: (await main("beside")).run_id,
        },
      });
      const again = { ...body, command_id: world.id() };
      expect(await world.command("bots.shadow_start", again, { params: { bot_id: "beside" } })).toMatchObject({
        status: 409,
      });
      const orders = await world.store.rows({
        sql: "SELECT client_order_id FROM intent_view WHERE instance_id = 'main~shadow' AND client_order_id IS NOT NULL",
        parameters: [],
      });
      expect(orders).toEqual([]);
      const end = { command_id: world.id(), reason: "seen enough" };
      dataOf(await world.command("bots.shadow_stop", end, { params: { bot_id: "beside" } }));
      await untilLong("it has ended", async () => (await shadow())?.phase === "stopped");
      expect(await world.bot("beside")).toMatchObject({ state: "RUNNING_PAPER" });
      expect(["running", "feed_ended"]).toContain((await main("beside")).phase);
    },
  );

  it("[M-1.1.1] an unknown bot, a digest that is not approved and a quarantined bot are refused; the same version changes nothing", async () => {
    expect(await update("nobody", "1.1.0")).toMatchObject({ status: 404 });
    digests["9.9.9"] = `sha256:${"9".repeat(64)}`;
    expect((await update("beside", "9.9.9")).status).toBeGreaterThanOrEqual(400);
    dataOf(await world.move("beside", "RUNNING_PAPER", "QUARANTINED"));
    expect(await update("beside", "1.3.0")).toMatchObject({ status: 409, failure: { code: "RUMI-BOT-040" } });
    const same = { command_id: world.id(), strategy_version: "1.3.0", digest: digests["1.3.0"], reason: "again" };
    dataOf(await world.command("bots.update", same, { params: { bot_id: "updated" } }));
    same.command_id = world.id();
    expect(dataOf(await world.command("bots.update", same, { params: { bot_id: "updated" } }))).toMatchObject({
      updated: false,
    });
  });

  it(
    "[M-1.1.1] a version that its runner refuses goes back by itself: the former one takes up its state, on the record, and nothing is doubled",
    { timeout: 120_000 },
    async () => {
      digests["1.3.5"] = await approve("1.3.5");
      const first = await startBot("returning", "1.3.5");
      await untilLong("fills", async () => (await fillsOf("returning")).length > 3);
      const specification = () =>
        world.store.rows({ sql: "SELECT spec, pack_id FROM bot WHERE bot_id = 'returning'", parameters: [] });
      const before = await specification();
      digests["1.4.0"] = await approve("1.4.0");
      expect(dataOf(await update("returning", "1.4.0"))).toMatchObject({ updated: true, handing_over: 1 });
      // Admitted with the state that is there; then its file breaks, before any runner begins it.
      const [row] = await world.store.rows<{ next: string }>({
        sql: "SELECT next FROM instance WHERE bot_id = 'returning'",
        parameters: [],
      });
      const { pack_dir, descriptor: of } = (JSON.parse(row?.next ?? "") as { spec: StartSpec }).spec;
      const file = join(pack_dir, of.entrypoint);
      const sound = readFileSync(file);
      chmodSync(file, 0o600);
      writeFileSync(file, "no longer what was approved");
      await untilLong("the former version runs again", async () => {
        const now = await main("returning");
        return now.run_id !== first && ["running", "feed_ended"].includes(now.phase) && now.cursor > 0;
      });
      const actions = (await world.actions()).filter((action) => action.startsWith("bot.update"));
      expect(actions.slice(-3)).toEqual(["bot.update.requested", "bot.updated", "bot.update.rolled_back"]);
      writeFileSync(file, sound);
      const after = await world.bot("returning");
      expect(after).toMatchObject({
        state: "RUNNING_PAPER",
        generation: 3,
        observed_generation: 3,
        version: "3.0.0",
        status: { run_id: (await main("returning")).run_id, reason: "UPDATE_REFUSED" },
      });
      expect(await specification()).toEqual(before);
      // Both were named in one moment, when the update was decided: their ids are in no order.
      const all = await runs("returning");
      const [refused, again] = [UPDATE_REFUSED, null].map((why) => all.find((one) => one.end_reason === why));
      expect([refused, again]).toMatchObject([
        { from_run_id: first, end_reason: "UPDATE_REFUSED" },
        { from_run_id: first, end_reason: null },
      ]);
      await untilLong("it has seen its day", async () => (await main("returning")).phase === "feed_ended");
      const orders = await world.store.rows<{ client_order_id: string }>({
        sql: `SELECT client_order_id FROM intent_view WHERE bot_id = 'returning' AND client_order_id IS NOT NULL AND intent LIKE '%"kind":"order"%'`,
        parameters: [],
      });
      expect(new Set(orders.map((one) => one.client_order_id)).size).toBe(orders.length);
      const journal = (run_id: string) => {
        const run_dir = join(world.folder, "user_data/runs/returning", run_id);
        const read = readJournal({ directory: join(run_dir, "journal"), runId: run_id, durableSeq: 0 });
        if (!read.ok) throw new Error(read.error.code);
        return read.value.entries;
      };
      expect(journal(again?.run_id ?? "")[0]).toMatchObject({ cursor: journal(first).at(-1)?.cursor });
      const [left] = await world.store.rows<{ back: string | null }>({
        sql: "SELECT back FROM instance WHERE bot_id = 'returning'",
        parameters: [],
      });
      expect(left?.back, "one way back, and it is taken").toBeNull();
      dataOf(await world.move("returning", "RUNNING_PAPER", "STOPPING"));
    },
  );
});
