/**
 * The holder of a live instance is killed and put to sleep at every point between a decision and the venue's word.
 *
 * The venue stays: what it has at the end is the truth, and it must be what the journal says was decided, each order once.
 * RUMI_SOAK multiplies the rounds (17 gives a hundred).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom } from "@rumi/kernel";
import { build } from "esbuild";
import { afterEach, describe, expect, it } from "vitest";
import { bundleRunner, TestControl } from "../../test/control.ts";
import {
  balance,
  cleanUp,
  conditions,
  connected,
  drive,
  liveSpec,
  openLiveHost,
  quiet,
  sentIds,
  startVenue,
  until,
} from "../../test/live-kit.ts";
import { FIXTURE_DIR, RUN_ID } from "../../test/support.ts";
import { REQUIRE } from "../../test/venue-rig.ts";
import { replayRun } from "../replay/replay-run.ts";

afterEach(cleanUp);

const ROUNDS = 6 * Number(process.env["RUMI_SOAK"] ?? "1");
/** What the venue does to the order that is on its way when the holder is killed. */
const BLOWS = [
  null,
  { kind: "slow_answers", count: 1, delay_ms: 400 },
  { kind: "drop_after_accept", count: 1 },
  { kind: "drop_before_accept", count: 1 },
  { kind: "update_gap", count: 2 },
  { kind: "rate_limit", count: 1, retry_after_s: 1 },
] as const;

describe("kill -9 of the holder", () => {
  it(
    `[M-8.2.2] [M-15.4] ${ROUNDS} times between emit and the venue's word: every decided order is there once or was refused, no fill is missed, and the run replays`,
    { timeout: 60_000 + ROUNDS * 15_000 },
    async () => {
      const { path, venue } = await startVenue({ trades: 20_000 + ROUNDS * 700 });
      const of = liveSpec(path, venue);
      const bundle = join(path, "holder.mjs");
      await build({
        stdin: { contents: HOLDER, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
        bundle: true,
        platform: "node",
        format: "esm",
        banner: { js: REQUIRE },
        outfile: bundle,
        logLevel: "error",
      });
      const random = seededRandom("kills");
      for (let round = 0; round < ROUNDS; round += 1) {
        const specFile = join(path, "spec.json");
        writeFileSync(specFile, JSON.stringify({ ...of, epoch: round + 1, start: round === 0 ? "fresh" : "resume" }));
        const child = spawn(process.execPath, [bundle, specFile], {
          stdio: ["ignore", "pipe", "inherit"],
          env: { RUMI_TEST_FIXTURE: FIXTURE_DIR },
        });
        const ended = once(child, "exit");
        const [said] = (await Promise.race([once(child.stdout, "data"), ended])) as [unknown];
        expect(Buffer.isBuffer(said) ? said.toString() : said, `life ${round + 1} opens`).toBe("open\n");
        const blow = BLOWS[round % BLOWS.length] ?? null;
        const before = (await venue.orders()).length;
        await venue.advance(40 + random.below(40));
        if (blow !== null) await venue.arm(blow);
        // Small steps until another order arrived (or a while passed), then the blow falls within a few milliseconds.
        for (let step = 0; step < 60 && (await venue.orders()).length === before; step += 1) await venue.advance(10);
        await new Promise((resolve) => setTimeout(resolve, random.below(12)));
        child.kill("SIGKILL");
        await ended;
        await venue.clear();
        await venue.advance(random.below(30));
      }
      const last = { ...of, epoch: ROUNDS + 1, start: "resume" as const };
      const { host } = await openLiveHost(last);
      await connected(host);
      await quiet(host, venue);
      await drive(host, venue, 200);
      await quiet(host, venue);
      await host.stop("done");
      const { there } = await balance(of, venue);
      expect(there).toBeGreaterThan(ROUNDS / 2);
      expect((await venue.state()).duplicates_refused, "asked about, never sent twice").toBe(0);
      expect((await venue.orders()).filter((one) => one.state === "open")).toEqual([]);
      const replayed = await replayRun({ run_dir: of.run_dir, pack_dir: FIXTURE_DIR });
      expect(replayed.ok ? [replayed.value.outcome, replayed.value.divergence] : replayed.error).toEqual([
        "identical",
        null,
      ]);
    },
  );
});

describe("kill -9 of the venue", () => {
  it("[M-8.2.2] its orders survive, and the instance finds them again", { timeout: 180_000 }, async () => {
    const { path, venue, again } = await startVenue();
    const of = liveSpec(path, venue);
    const { host } = await openLiveHost(of);
    await connected(host);
    await drive(host, venue, 600);
    const before = await venue.orders();
    expect(before.length).toBeGreaterThan(0);
    await venue.stop("SIGKILL");
    await until(host, () => (host.status().counters["gateway_disconnected_total"] ?? 0) > 0);
    const risen = await again({ port: venue.port });
    const after = await risen.orders();
    expect(after.map((one) => one.client_order_id)).toEqual(
      expect.arrayContaining(before.map((one) => one.client_order_id)),
    );
    await until(host, () => (host.status().counters["gateway_feed_connected_total"] ?? 0) > 1);
    await drive(host, risen, 600);
    await quiet(host, risen);
    await host.stop("done");
    await balance(of, risen);
  });
});

describe("SIGSTOP of the holder", () => {
  it(
    "[M-7.1.2] beyond its lease: what waited to be sent is refused by the fence, and the successor sends it once",
    { timeout: 180_000 },
    async () => {
      const { path, venue } = await startVenue();
      const start = await bundleRunner(path);
      const control = new TestControl(join(path, "s"));
      const child = start(control.path);
      try {
        await control.until(() => control.seen.some((message) => message.type === "instances"));
        const of = { ...liveSpec(path, venue), lease: { ttl_ms: 5_000 } };
        const began = await control.ask({ type: "start", spec: of });
        expect(began).toMatchObject({ ok: true });
        const latest = () => control.statuses.at(-1);
        await control.until(() => (latest()?.counters["gateway_feed_connected_total"] ?? 0) > 0);
        // Everything waits for the venue's 429 to be over when the holder falls asleep.
        let armed = 0;
        let armed_at = 0;
        const arm = async (): Promise<void> => {
          await venue.arm({ kind: "rate_limit", count: 1, retry_after_s: 2 });
          armed += 1;
          armed_at = performance.now();
        };
        const waits = async (): Promise<boolean> => {
          await venue.advance(20);
          await new Promise((resolve) => setTimeout(resolve, 30));
          const taken = (await venue.state()).faults_taken["rate_limit"] ?? 0;
          if (taken > 0 && sentIds(of).length > (await venue.orders()).length) return true;
          // Another request may have been told to wait, a look at the books say, and no order came meanwhile: once more.
          if (taken === armed && performance.now() - armed_at > 2_500) await arm();
          return false;
        };
        while (!(await waits())) expect(child.exitCode).toBeNull();
        control.grant = () => false;
        child.kill("SIGSTOP");
        const decided = sentIds(of);
        const there = (await venue.orders()).length;
        expect(decided.length).toBeGreaterThan(there);
        await new Promise((resolve) => setTimeout(resolve, 5_500));
        child.kill("SIGCONT");
        await control.until(() => control.statuses.some((status) => status.reason_code === "M.LEASE.LOST"));
        await new Promise((resolve) => setTimeout(resolve, 2_500));
        expect((await venue.orders()).length, "nothing left after the lease").toBe(there);
        // The control plane ends the holder that lost its lease before it starts a successor.
        await control.ask({ type: "stop", run_id: RUN_ID, epoch: 1, reason: "SUPERSEDED" });
        expect((await venue.orders()).length, "its end sends nothing either").toBe(there);
        control.grant = () => true;
        const next = await control.ask({ type: "start", spec: { ...of, epoch: 2, start: "resume" } });
        expect(next, JSON.stringify(next)).toMatchObject({ ok: true });
        await control.until(() => latest()?.epoch === 2 && (latest()?.counters["gateway_reconciled_total"] ?? 0) > 0);
        await control.until(() => latest()?.counters["gateway_queued"] === 0);
        await control.ask({ type: "stop", run_id: RUN_ID, epoch: 2, reason: "done" });
        await balance(of, venue);
        expect((await venue.state()).duplicates_refused).toBe(0);
        expect(conditions(of)).toContain("rate_limited");
      } finally {
        child.kill("SIGKILL");
        await once(child, "exit");
        await control.close();
      }
    },
  );
});

const HOLDER = `
import { readFileSync } from "node:fs";
import { InstanceHost } from "../instance/host.ts";
import { openWasmStrategy } from "../strategy/wasm.ts";
import { WASM } from "../../test/support.ts";
import { openLive } from "./open-live.ts";
const of = JSON.parse(readFileSync(process.argv[2], "utf8"));
const clocks = { wallNow: () => Math.round((performance.timeOrigin + performance.now()) * 1000), monotonic: () => performance.now() };
const mayEmit = () => true;
const strategy = openWasmStrategy({ bytes: WASM, memory_bytes: 2_097_152, fuel_per_event: 100_000 });
const live = openLive({ spec: of, live: of.venue.live, environment: {}, mayEmit, ...clocks });
if (!strategy.ok || !live.ok) throw new Error(JSON.stringify(live));
const opened = await InstanceHost.open({ spec: of, feed: live.value.feed, strategy: strategy.value, venue: live.value.venue, live: live.value, mayEmit, onDurable: () => undefined, onSegment: () => undefined, ...clocks });
if (!opened.ok) { process.stdout.write(JSON.stringify(opened.error) + "\\n"); process.exit(3); }
let said = false;
for (;;) {
  const did = await opened.value.turn();
  if (!said && (opened.value.status().counters.gateway_feed_connected_total ?? 0) > 0) { said = true; process.stdout.write("open\\n"); }
  if (opened.value.phase === "failed") { process.stdout.write(JSON.stringify(opened.value.status()) + "\\n"); process.exit(4); }
  await new Promise((resolve) => did === "busy" ? setImmediate(resolve) : setTimeout(resolve, 1));
}
`;
