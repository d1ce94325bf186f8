import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson } from "@rumi/kernel";
import { afterEach, describe, expect, it } from "vitest";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { createSimulatedVenue } from "@rumi/venues";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { market, RUN_ID, spec, WASM } from "../../test/support.ts";
import { CheckpointSlots } from "../checkpoint/slots.ts";
import { readJournal } from "../journal/reader.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";
import { openWasmStrategy } from "../strategy/wasm.ts";
import { venueOptionsOf } from "./gate-context.ts";
import { InstanceHost } from "./host.ts";
import { comparable, isReproduced } from "./recorder.ts";

const folders: { remove: () => void }[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));
const folder = (): string => {
  const made = temporaryFolder();
  folders.push(made);
  return made.path;
};
const TRADES = 20_000;

async function open(of: InstanceSpec, feed = market(TRADES), mayEmit = (): boolean => true) {
  const strategy = openWasmStrategy({ bytes: WASM, memory_bytes: 2_097_152, fuel_per_event: 100_000 });
  const venue = createSimulatedVenue(venueOptionsOf(of.instruments, of.venue));
  if (!strategy.ok || !venue.ok) throw new Error("the fixture opens");
  const durable: number[] = [];
  const opened = await InstanceHost.open({
    spec: of,
    feed,
    strategy: strategy.value,
    venue: venue.value,
    wallNow: () => Date.now() * 1_000,
    monotonic: () => performance.now(),
    mayEmit,
    onDurable: (seq) => durable.push(seq),
    onSegment: () => undefined,
  });
  return { opened, durable };
}
async function openOk(of: InstanceSpec, feed = market(TRADES), mayEmit = (): boolean => true): Promise<InstanceHost> {
  const { opened } = await open(of, feed, mayEmit);
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
}
async function finish(host: InstanceHost): Promise<InstanceHost> {
  while (host.phase === "running") await host.turn();
  return host;
}
function entries(of: InstanceSpec): readonly JournalEntry[] {
  const read = readJournal({ directory: join(of.run_dir, "journal"), runId: of.run_id, durableSeq: 0 });
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value.entries;
}
/** What must be equal between any two lives of the same run; ids without the epoch under which they were made. */
const reproduced = (of: InstanceSpec): readonly string[] =>
  entries(of)
    .filter((entry) => isReproduced(entry))
    .map((entry) => comparable(entry).replaceAll(/R[A-Z][A-Z0-9]{5}[0-9A-Z]{25}/g, "ID"));

describe("recovery by replay", () => {
  it("[M-0.7] the same pack, config, seed and events give byte-identical intents, orders, fills and state", async () => {
    const path = folder();
    const runs = [spec(join(path, "a")), spec(join(path, "b"))];
    const states: { machine: string; strategy: string; venue: string }[] = [];
    for (const one of runs) {
      expect((await (await finish(await openOk(one))).stop("done")).ok).toBe(true);
      const slots = CheckpointSlots.open(join(one.run_dir, "checkpoints"));
      const saved = slots.ok ? slots.value.restored.checkpoint : null;
      if (saved === null) throw new Error("a stopped run has a checkpoint");
      states.push({
        machine: canonicalJson(saved.header.machine),
        strategy: Buffer.from(saved.strategy).toString("hex"),
        venue: Buffer.from(saved.venue).toString("utf8"),
      });
    }
    const [a, b] = runs.map((one) => entries(one).filter(isReproduced).map(comparable));
    expect(a, "ids included: both runs have the same names").toEqual(b);
    expect(states[0]).toEqual(states[1]);
    expect(states[0]?.strategy.length).toBeGreaterThan(0);
    expect(a?.filter((text) => text.includes('"kind":"fill"')).length).toBeGreaterThan(10);
  });

  it("[M-8.2.2] [M-15.1] what follows a restored checkpoint bears the trace of the row before it, as it did the first time", async () => {
    const path = folder();
    const one = spec(join(path, "run"));
    const host = await openOk(one);
    await host.turn();
    expect((await host.checkpoint("test")).ok).toBe(true);
    const stop = host.input({ input: "safety", mode: "EMERGENCY_STOP", generation: 2 });
    await host.turn();
    expect((await stop).ok).toBe(true);
    // The process dies here: the replay begins at the checkpoint, and the input comes before any row.
    const before = entries(one);
    const resumed = await openOk({ ...one, start: "resume", epoch: 2 });
    const trace = (kind: string) => entries(one).findLast((entry) => entry.kind === kind)?.trace_id;
    expect(trace("run_resumed")).toBe(before.at(-1)?.trace_id);
    await resumed.suspend();
  });

  it("[M-6.2.2] [M-6.1.2] a damaged newest checkpoint rolls back and is on the record; a changed journal halts; another order of things diverges", async () => {
    const path = folder();
    const one = spec(join(path, "run"));
    const host = await openOk(one);
    for (let n = 0; n < 12; n += 1) await host.turn();
    await host.suspend();
    const wanted = entries(one).length;
    const slots = join(one.run_dir, "checkpoints");
    const generation = (name: string): number =>
      Number(/"generation":(\d+)/.exec(readFileSync(join(slots, name), "latin1"))?.[1]);
    const newest = ["a.checkpoint", "b.checkpoint"].sort((x, y) => generation(y) - generation(x))[0] ?? "";
    const bytes = readFileSync(join(slots, newest));
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
    writeFileSync(join(slots, newest), bytes);
    const resumed = await openOk({ ...one, start: "resume", epoch: 2 });
    const told = entries(one).slice(wanted);
    expect(told.map((entry) => entry.kind)).toContain("run_resumed");
    expect(
      told.some((entry) => entry.kind === "checkpoint" && entry.checkpoint["reason_code"] === "M.STATE.ROLLED_BACK"),
    ).toBe(true);
    await resumed.suspend();
    const other = await open({
      ...one,
      start: "resume",
      epoch: 3,
      pack_digest: `sha256:${"b".repeat(64)}` as InstanceSpec["pack_digest"],
    });
    expect(other.opened.ok ? "opened" : other.opened.error, "another pack continues as another run").toMatchObject({
      code: "RUMI-STR-037",
      params: { field: "pack_digest" },
    });
  });

  it("[M-0.7] a replay that differs halts with both records as evidence", async () => {
    const path = folder();
    const one = spec(join(path, "run"));
    const host = await openOk(one);
    while (host.status().intents_total < 20) await host.turn();
    // The process dies here: nothing is said to the host.
    const feed = market(TRADES);
    feed.price.fill(10_000);
    const { opened } = await open({ ...one, start: "resume", epoch: 2 }, feed);
    expect(opened.ok ? "opened" : opened.error.code).toBe("RUMI-STR-025");
    expect(readdirSync(one.run_dir).some((name) => name.startsWith("divergence-"))).toBe(true);
  });

  it("[M-10.1] [M-10.3] inputs take effect between rows, are recorded with their cursor, and replay at that cursor", async () => {
    const path = folder();
    const one = spec(join(path, "run"), { venue: { ...spec("").venue } });
    const host = await openOk(one);
    await host.turn();
    const safe = host.input({ input: "safety", mode: "SAFE", generation: 2 });
    const config = host.input({ input: "config", config: { period: 3 }, actor: "root", generation: 2 });
    await host.turn();
    expect((await safe).ok && (await config).ok).toBe(true);
    await host.turn();
    const normal = host.input({ input: "safety", mode: "NORMAL", generation: 3 });
    await host.turn();
    await normal;
    await finish(host);
    const first = entries(one);
    const resumed = await openOk({ ...one, start: "resume", epoch: 2, config: { period: 3 } });
    expect(resumed.phase).toBe("feed_ended");
    expect(
      first.filter((entry) => entry.kind === "input").map((entry) => entry.kind === "input" && entry.input["input"]),
    ).toEqual(["safety", "config", "safety"]);
    expect(first.some((entry) => entry.kind === "intent" && entry.reason_code === "M.SAFETY.SAFE")).toBe(true);
    // Without any checkpoint but the first, the whole run is replayed with its inputs.
    await resumed.suspend();
  });

  it("[M-8.2.2] [M-10.3] config, safety and pause between a checkpoint and a kill are replayed at their cursors, once", async () => {
    const path = folder();
    const one = spec(join(path, "run"));
    const host = await openOk(one);
    await host.turn();
    const inputs = [
      host.input({ input: "config", config: { period: 3 }, actor: "root", generation: 2 }),
      host.input({ input: "safety", mode: "SAFE", generation: 2 }),
    ];
    await host.turn();
    expect((await Promise.all(inputs)).every((done) => done.ok)).toBe(true);
    await host.turn();
    const back = host.input({ input: "safety", mode: "NORMAL", generation: 3 });
    await host.turn();
    expect((await back).ok).toBe(true);
    expect((await host.pause("lunch")).ok).toBe(true);
    expect((await host.continue()).ok).toBe(true);
    while (host.status().intents_total < 30) await host.turn();
    // The process dies here: nothing is said to the host. Both checkpoints go too, so that everything is replayed.
    const before = entries(one);
    for (const name of readdirSync(join(one.run_dir, "checkpoints"))) rmSync(join(one.run_dir, "checkpoints", name));
    const resumed = await openOk({ ...one, start: "resume", epoch: 2, config: { period: 3 } });
    const after = entries(one);
    expect(after.slice(0, before.length)).toEqual(before);
    const told = (of: readonly JournalEntry[]): readonly string[] =>
      of.flatMap((entry) => (entry.kind === "input" ? [`${entry.cursor} ${canonicalJson(entry.input)}`] : []));
    expect(told(after), "no input is recorded twice").toEqual(told(before));
    expect(told(before)).toHaveLength(3);
    const whole = await finish(resumed);
    expect(whole.phase).toBe("feed_ended");
    const kinds = entries(one).map((entry) => entry.kind);
    expect(kinds.filter((kind) => kind === "run_paused")).toHaveLength(1);
  });

  it("[M-10.2] a configuration for the next bar or checkpoint takes effect there, and the journal shows the first row that saw it", async () => {
    const path = folder();
    const feed = market(TRADES);
    const barOf = (row: number): number => Math.floor((feed.event_time_us[row] ?? 0) / 60_000_000);
    const applied = (of: InstanceSpec): number[] =>
      entries(of).flatMap((entry) =>
        entry.kind === "input" && entry.input["input"] === "config" ? [entry.cursor] : [],
      );
    const bars = spec(join(path, "bars"));
    const host = await openOk(bars, feed);
    await host.turn();
    const asked = host.status().cursor;
    const waits = host.input({ input: "config", config: { period: 3 }, actor: "root", generation: 2, at: "next_bar" });
    while (applied(bars).length === 0 && host.phase === "running") await host.turn();
    expect((await waits).ok).toBe(true);
    const [row = -1] = applied(bars);
    expect(row).toBeGreaterThanOrEqual(asked);
    expect(barOf(row)).toBeGreaterThan(barOf(asked - 1));
    expect(barOf(row - 1)).toBe(barOf(asked - 1));
    await finish(host);
    await host.stop("done");
    const points = spec(join(path, "points"));
    const other = await openOk(points, feed);
    await other.turn();
    void other.input({ input: "config", config: { period: 3 }, actor: "root", generation: 2, at: "next_checkpoint" });
    await other.turn();
    expect(other.phase).toBe("running");
    expect(applied(points)).toEqual([]);
    expect((await other.checkpoint("test")).ok).toBe(true);
    await other.turn();
    const list = entries(points);
    const at = list.findIndex((entry) => entry.kind === "input" && entry.input["input"] === "config");
    expect(list[at - 1]).toMatchObject({ kind: "checkpoint", cursor: list[at]?.cursor });
    await finish(other);
    await finish(await openOk({ ...points, start: "resume", epoch: 2, config: { period: 3 } }, feed));
    expect(applied(points)).toHaveLength(1);
  });

  it("[M-5.2.6] [M-5.3.1] a trapping strategy warns, degrades, halts; each step has its reason and replays the same", async () => {
    const path = folder();
    const feed = market(3_000);
    for (const row of [500, 1_000, 1_500]) feed.price[row] = row === 1_000 ? 666_667 : 666_666;
    const one = spec(join(path, "run"));
    const host = await openOk(one, feed);
    while (host.phase === "running") await host.turn();
    expect(host.status()).toMatchObject({ health_state: "halted", reason_code: "M.SANDBOX.TRAP", phase: "paused" });
    const health = entries(one).flatMap((entry) =>
      entry.kind === "health" ? [`${entry.health_state} ${entry.reason_code ?? ""}`] : [],
    );
    expect(health).toEqual(["healthy M.SANDBOX.TRAP", "degraded M.SANDBOX.FUEL_EXHAUSTED", "halted M.SANDBOX.TRAP"]);
    const again = await openOk({ ...one, start: "resume", epoch: 2 }, feed);
    expect(again.status().health_state).toBe("halted");
    expect(existsSync(one.run_dir)).toBe(true);
  });

  it("[M-2.2.1] two shards of one strategy: one is halted, the other's configuration, state, checkpoints and health are its own", async () => {
    const path = folder();
    const poisoned = market(3_000);
    for (const row of [500, 1_000, 1_500]) poisoned.price[row] = row === 1_000 ? 666_667 : 666_666;
    const shards = [
      spec(join(path, "a"), { instance_id: "shard-a" }),
      spec(join(path, "b"), { instance_id: "shard-b" }),
    ];
    const hosts = await Promise.all(shards.map((of, at) => openOk(of, at === 0 ? poisoned : market(3_000))));
    while (hosts.some((host) => host.phase === "running")) for (const host of hosts) await host.turn();
    expect(hosts.map((host) => host.status().health_state)).toEqual(["halted", "healthy"]);
    const alone = spec(join(path, "alone"), { instance_id: "shard-b" });
    await finish(await openOk(alone, market(3_000)));
    const [, other = alone] = shards;
    expect(reproduced(other)).toEqual(reproduced(alone));
    expect(existsSync(join(other.run_dir, "checkpoints"))).toBe(true);
  });

  it("[M-7.1.2] what is pending when the lease runs out is not sent; the next epoch sends it once, under its first id", async () => {
    const path = folder();
    const one = spec(join(path, "run"));
    let leased = true;
    const host = await openOk(one, market(TRADES), () => leased);
    await host.turn();
    leased = false;
    await host.turn();
    expect(host.status()).toMatchObject({ phase: "paused", reason_code: "M.LEASE.LOST" });
    const before = host.status().events_total;
    await host.turn();
    expect(host.status().events_total).toBe(before);
    const slots = () =>
      ["a.checkpoint", "b.checkpoint"]
        .map((name) => join(one.run_dir, "checkpoints", name))
        .map((file) => (existsSync(file) ? readFileSync(file).toString("hex") : ""));
    const kept = slots();
    await host.checkpoint("asked for without a lease");
    await host.stop("lease lost");
    expect(slots()).toEqual(kept);
    const whole = spec(join(path, "whole"));
    await finish(await openOk(whole));
    await finish(await openOk({ ...one, start: "resume", epoch: 2 }));
    expect(reproduced(one)).toEqual(reproduced(whole));
    expect(DEMO_INSTRUMENT.tick_size).toBe(1);
    expect(RUN_ID).toBe(one.run_id);
  });
});
