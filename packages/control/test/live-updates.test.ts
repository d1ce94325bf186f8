/**
 * Another version of a live bot: the real runner process, a real venue simulator in a process of its own, one account.
 *
 * The market moves only when the test says so. What counts in the end are the books: what our journals say was sent and
 * filled is what the venue says that it got and filled, each once, whichever version was at the desk.
 */
import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { millis } from "@rumi/kernel";
import { readJournal, type JournalEntry } from "@rumi/runtime";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { codeOf, dataOf, sampleManifest, writePack } from "../../platform/test/kit.ts";
import { bundleRunner } from "../../runtime/test/control.ts";
import { descriptor, FIXTURE_DIR } from "../../runtime/test/support.ts";
import { bundleVenueSim, type VenueRig } from "../../runtime/test/venue-rig.ts";
import type { StartSpec } from "../src/instances/tables.ts";
import { challengeOf, openControl, RUNNER_KEY, type Control } from "./kit.ts";

const BOT = "trader";
const room = temporaryFolder();
let world: Control;
let venue: VenueRig;
let child: ChildProcess;
const digests: Record<string, string> = {};

type Shown = {
  readonly instance_id: string;
  readonly run_id: string;
  readonly phase: string;
  readonly epoch: number;
  readonly cursor: number;
  readonly orders_open: number;
  readonly shadow: Readonly<Record<string, unknown>> | null;
};
const instanceOf = async (instance_id = "main"): Promise<Shown | undefined> =>
  ((await world.bot(BOT))["instances"] as readonly Shown[]).find((one) => one.instance_id === instance_id);

/** The same strategy file under another version: another pack, another digest. */
async function approve(version: string): Promise<void> {
  const of = descriptor({ strategy_version: version });
  const manifest = { ...sampleManifest({ strategies: [of] }), version };
  writePack(join(world.folder, "ecosystem/demo_pack"), manifest, {
    [of.entrypoint]: new Uint8Array(readFileSync(join(FIXTURE_DIR, of.entrypoint))),
  });
  dataOf(await world.command("packs.scan", {}));
  const approved = await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
  digests[version] = String(dataOf(approved)["approved_digest"]);
}
/** What each version changes. */
const CHANGELOGS: Readonly<Record<string, string>> = {
  "1.1.0": "sells slower while the book is thin",
  "1.2.0": "forgets averages older than an hour",
  "1.3.0": "waits for two trades before it crosses",
};
const wish = (operation: string, version: string) =>
  world.command(
    operation,
    {
      command_id: world.id(),
      strategy_version: version,
      digest: digests[version],
      reason: CHANGELOGS[version] ?? "counts its own orders once more",
    },
    { params: { bot_id: BOT } },
  );

beforeAll(async () => {
  venue = await (await bundleVenueSim(room.path))({ trades: 60_000 });
  const spawnRunner = await bundleRunner(room.path);
  world = await openControl({ bare: true });
  await approve("1.0.0");
  dataOf(
    await world.command("venues.register", {
      command_id: world.id(),
      venue_id: "OUT",
      kind: "venue_sim",
      url: venue.url,
      key: { file: venue.key_file },
      instruments: [DEMO_INSTRUMENT],
      requests_per_second: 500,
      reason: "test",
    }),
  );
  child = spawnRunner(world.socketPath, RUNNER_KEY);
  await world.until("a ready runner", () => world.control.hub.ready().length === 1);
  dataOf(
    await world.makeBot(BOT, {
      strategy: { pack_id: "demo_pack", strategy_id: "crossing", strategy_version: "1.0.0", digest: digests["1.0.0"] },
      venue: "OUT",
      instruments: [DEMO_INSTRUMENT.instrument_id],
      config: {},
      capital: "1000000000",
    }),
  );
  dataOf(await world.moveConfirmed(BOT, "IDLE", "RUNNING_LIVE"));
  await untilLong("it runs", async () => (await instanceOf())?.phase === "running");
}, 120_000);
afterAll(async () => {
  await world.control.stopAll("test", millis(20_000));
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  await venue.stop("SIGKILL");
  await world.close();
  room.remove();
});

async function untilLong(what: string, check: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    if (await check()) return;
    await world.rounds(2);
  }
  throw new Error(`it never came to: ${what}: ${JSON.stringify(await instanceOf())}`);
}
/** Moves the market in small steps until `check`. */
async function driveUntil(what: string, check: () => Promise<boolean>): Promise<void> {
  await untilLong(what, async () => {
    if (await check()) return true;
    await venue.advance(20);
    return false;
  });
}
const account = async () => (await venue.state()).accounts[0];
const openAtVenue = async (): Promise<readonly string[]> =>
  ((await account())?.orders ?? []).filter(({ state }) => state === "open").map((one) => one.client_order_id);
/** As far as an order of ours rests at the venue, and the bot says so. */
const untilOneRests = (): Promise<void> =>
  driveUntil("an order rests", async () => {
    const [there, here] = [await openAtVenue(), await instanceOf()];
    return there.length > 0 && here?.orders_open === there.length;
  });
const newRun = (former: string) => async (): Promise<boolean> => {
  const now = await instanceOf();
  return now !== undefined && now.run_id !== former && now.phase === "running";
};

type Run = { readonly run_id: string; readonly instance_id: string; readonly end_reason: string | null };
const runs = (): Promise<readonly Run[]> =>
  world.store.rows<Run>({
    sql: `SELECT run_id, instance_id, end_reason FROM run WHERE bot_id = '${BOT}' ORDER BY run_id`,
    parameters: [],
  });
function journalOf(run_id: string): readonly JournalEntry[] {
  const directory = join(world.folder, "user_data/runs", BOT, run_id, "journal");
  const read = readJournal({ directory, runId: run_id, durableSeq: 0 });
  return read.ok ? read.value.entries : [];
}
const sentBy = (entries: readonly JournalEntry[]): readonly string[] =>
  entries.flatMap((entry) =>
    entry.kind === "intent" && entry.client_order_id !== null && entry.intent["kind"] === "order"
      ? [entry.client_order_id]
      : [],
  );

describe("another version of a live bot", () => {
  it(
    "[M-1.1.1] [G-4.1] is a dangerous operation: nothing moves before it is confirmed; then orders and position go over, under a newer lease",
    { timeout: 120_000 },
    async () => {
      await untilOneRests();
      const first = await instanceOf();
      await approve("1.1.0");
      const asked = await wish("bots.update", "1.1.0");
      expect(codeOf(asked)).toBe("RUMI-CMD-004");
      expect(challengeOf(asked)).toMatchObject({
        requires: ["phrase"],
        phrase: BOT,
        preview: { from_version: "1.0.0", to_version: "1.1.0", current_state: "RUNNING_LIVE" },
        blocked_by: [],
      });
      expect(codeOf(await world.confirm(asked, { phrase: "another" }))).toBe("RUMI-CMD-014");
      await world.rounds(5);
      expect((await instanceOf())?.run_id).toBe(first?.run_id);
      expect(await world.bot(BOT)).toMatchObject({ state: "RUNNING_LIVE", generation: 1 });

      const resting = await openAtVenue();
      expect(resting.length).toBeGreaterThan(0);
      expect(dataOf(await world.confirm(asked))).toMatchObject({ updated: true, handing_over: 1 });
      await untilLong("the new version runs", newRun(first?.run_id ?? ""));
      const second = await instanceOf();
      expect(await openAtVenue(), "its orders stayed").toEqual(resting);
      expect(second?.orders_open).toBe(resting.length);
      expect(second?.epoch).toBeGreaterThan(first?.epoch ?? 0);
      expect(await world.bot(BOT)).toMatchObject({ state: "RUNNING_LIVE", generation: 2, observed_generation: 2 });
      const before = (await account())?.fills.length ?? 0;
      await driveUntil("the new version trades", async () => ((await account())?.fills.length ?? 0) > before + 2);
    },
  );

  it(
    "[M-1.1.1] [G-5.1] is refused in a safety mode, with and without a confirmation",
    { timeout: 180_000 },
    async () => {
      await approve("1.2.0");
      const former = (await instanceOf())?.run_id;
      const asked = await wish("bots.update", "1.2.0");
      dataOf(await world.command("safety.set", { command_id: world.id(), mode: "SAFE", reason: "test" }));
      expect(codeOf(await world.confirm(asked))).toMatch(/^RUMI-(SAFE|BOT|CMD)/);
      expect((await wish("bots.update", "1.2.0")).kind).toBe("refused");
      await world.rounds(5);
      expect((await instanceOf())?.run_id).toBe(former);
      dataOf(
        await world.confirm(
          await world.command("safety.set", { command_id: world.id(), mode: "NORMAL", reason: "test" }),
        ),
      );
      await untilLong("the bot trades again", async () => (await instanceOf())?.phase === "running");
    },
  );

  it(
    "[M-1.1.1] one that its runner refuses goes back by itself: the former version is at the desk again with the same orders, live as it was",
    { timeout: 120_000 },
    async () => {
      await approve("1.3.0");
      await untilOneRests();
      const former = await instanceOf();
      const version = (await world.bot(BOT))["version"];
      const asked = await wish("bots.update", "1.3.0");
      const resting = await openAtVenue();
      expect(dataOf(await world.confirm(asked))).toMatchObject({ handing_over: 1 });
      // Admitted; then its file breaks, before any runner begins it.
      const [row] = await world.store.rows<{ next: string }>({
        sql: `SELECT next FROM instance WHERE bot_id = '${BOT}'`,
        parameters: [],
      });
      const { pack_dir, descriptor: of } = (JSON.parse(row?.next ?? "") as { spec: StartSpec }).spec;
      const file = join(pack_dir, of.entrypoint);
      const sound = readFileSync(file);
      chmodSync(file, 0o600);
      writeFileSync(file, "no longer what was approved");
      await untilLong("the former version runs again", newRun(former?.run_id ?? ""));
      writeFileSync(file, sound);
      const now = await world.bot(BOT);
      expect(now).toMatchObject({ state: "RUNNING_LIVE", status: { reason: "UPDATE_REFUSED" } });
      expect(now["version"]).not.toBe(version);
      expect((now["spec"] as { strategy: { strategy_version: string } }).strategy.strategy_version).toBe("1.1.0");
      expect(await openAtVenue()).toEqual(resting);
      expect((await instanceOf())?.orders_open).toBe(resting.length);
      const fills = (await account())?.fills.length ?? 0;
      await driveUntil("it trades on", async () => ((await account())?.fills.length ?? 0) > fills);
    },
  );

  it(
    "[M-1.1.1] a shadow beside it compares and sends nothing: every order at the venue is the primary's, before, with and after it",
    { timeout: 120_000 },
    async () => {
      await approve("1.4.0");
      const primary = await instanceOf();
      dataOf(await wish("bots.shadow_start", "1.4.0"));
      const shadow = () => instanceOf("main~shadow");
      await driveUntil("it compares", async () => Number((await shadow())?.shadow?.["matched"] ?? 0) > 5);
      expect(await shadow()).toMatchObject({
        shadow: { only_primary: 0, only_shadow: 0, first_difference: null, primary_run_id: primary?.run_id },
      });
      const there = ((await account())?.orders ?? []).map((one) => one.client_order_id);
      const all = await runs();
      const own = all.filter(({ instance_id }) => instance_id === "main").map(({ run_id }) => journalOf(run_id));
      const beside = all.filter(({ instance_id }) => instance_id !== "main").map(({ run_id }) => journalOf(run_id));
      expect(beside.flat().filter(({ kind }) => kind === "intent").length).toBeGreaterThan(5);
      expect(sentBy(beside.flat())).toEqual([]);
      expect(there.filter((id) => !own.flatMap(sentBy).includes(id))).toEqual([]);
      const end = { command_id: world.id(), reason: "seen enough" };
      dataOf(await world.command("bots.shadow_stop", end, { params: { bot_id: BOT } }));
      await untilLong("it has ended", async () => (await shadow())?.phase === "stopped");
      expect(await world.bot(BOT)).toMatchObject({ state: "RUNNING_LIVE" });
      expect((await instanceOf())?.run_id).toBe(primary?.run_id);
    },
  );

  it(
    "[M-8.2.2] the books: whatever the versions sent and filled is at the venue, each once",
    { timeout: 180_000 },
    async () => {
      dataOf(await world.move(BOT, "RUNNING_LIVE", "STOPPING"));
      await untilLong("it has stopped", async () => (await world.bot(BOT))["state"] === "IDLE");
      expect(await openAtVenue()).toEqual([]);
      const own = (await runs()).filter(({ instance_id }) => instance_id === "main");
      const all = own.map(({ run_id }) => journalOf(run_id));
      const sent = all.flatMap(sentBy);
      const state = await account();
      const there = state?.orders.map((one) => one.client_order_id) ?? [];
      expect(new Set(sent).size, "one id, one intent").toBe(sent.length);
      expect(new Set(there).size, "one id, one order").toBe(there.length);
      expect(there.filter((id) => !sent.includes(id))).toEqual([]);
      const fills = all.flat().flatMap((entry) => (entry.kind === "fill" ? [String(entry.fill["fill_id"])] : []));
      expect([...fills].sort()).toEqual([...(state?.fills ?? [])].map(({ fill_id }) => fill_id).sort());
      // Ids of one moment are in no order: the way back is named when the update is decided.
      expect(own.map(({ end_reason }) => end_reason).toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
        "STOPPING",
        "UPDATED",
        "UPDATED",
        "UPDATE_REFUSED",
      ]);
    },
  );
});
