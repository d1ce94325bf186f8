import { cpSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Json } from "@rumi/kernel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { entriesOf, finish, openedHost } from "../../test/host-kit.ts";
import { FIXTURE_DIR, market, recording, spec } from "../../test/support.ts";
import { CHAIN_START, encodeFrame, encodeSegmentHeader } from "../journal/frame.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";
import { replayRun, type ReplayReport } from "./replay-run.ts";

const TRADES = 20_000;
const room = temporaryFolder();
afterAll(() => room.remove());
const feed = market(TRADES);
let of: InstanceSpec;

async function replayed(run_dir: string): Promise<ReplayReport> {
  const report = await replayRun({ run_dir, pack_dir: FIXTURE_DIR });
  if (!report.ok) throw new Error(`${report.error.code} ${JSON.stringify(report.error.params)}`);
  return report.value;
}
const copy = (name: string): string => {
  const to = join(room.path, name);
  cpSync(of.run_dir, to, { recursive: true });
  return to;
};
/** A journal of these records whose chain is sound: what somebody with write access could make. */
function forge(run_dir: string, entries: readonly JournalEntry[]): void {
  const folder = join(run_dir, "journal");
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  const parts = [encodeSegmentHeader({ segment: 1, firstSeq: 1, runId: of.run_id, chain: CHAIN_START })];
  let chain: Buffer = CHAIN_START;
  for (const entry of entries) {
    const framed = encodeFrame(chain, Buffer.from(canonicalJson(entry as unknown as Json)));
    parts.push(framed.frame);
    chain = framed.chain;
  }
  writeFileSync(join(folder, "00000001.journal"), Buffer.concat(parts));
}

beforeAll(async () => {
  const base = spec(join(room.path, "run"));
  of = { ...base, venue: { ...base.venue, files: [recording(room.path, TRADES)] } };
  const life = (epoch: number, more: Partial<InstanceSpec> = {}) =>
    openedHost({ ...of, epoch, start: epoch === 1 ? "fresh" : "resume", ...more }, feed);
  const first = await life(1);
  const config = { period: 3 };
  const taken = [
    first.input({ input: "signal", signal: { hint: 1 }, actor: "root" }),
    first.input({ input: "config", config, actor: "root", generation: 2 }),
    first.input({ input: "safety", mode: "SAFE", generation: 2 }),
  ];
  await first.turn();
  taken.push(first.input({ input: "safety", mode: "NORMAL", generation: 3 }));
  await first.turn();
  expect((await Promise.all(taken)).every((one) => one.ok)).toBe(true);
  await first.checkpoint("test");
  while (first.status().intents_total < 30) await first.turn();
  // The process dies here: nothing is said to the host. The next life begins from the checkpoint.
  const second = await life(2, { config });
  await second.turn();
  await second.pause("lunch");
  await second.continue();
  while (second.status().cursor < 9_000) await second.turn();
  // And here.
  const third = await life(3, { config, begin: "paused" });
  const stood = third.status().cursor;
  await third.turn();
  expect(third.status()).toMatchObject({ phase: "paused", cursor: stood });
  await third.continue();
  await finish(third);
  await third.stop("done");
}, 180_000);

describe("replay of a recorded run", () => {
  it("[M-0.7] kills, a configuration, safety modes, a signal and pauses inside: every record and every state comes out again", async () => {
    const report = await replayed(of.run_dir);
    expect(report).toMatchObject({
      outcome: "identical",
      divergence: null,
      resumed: 2,
      inputs: 5,
      stopped: true,
      torn_tail: null,
      pack_digest: of.pack_digest,
    });
    const entries = entriesOf(of);
    expect(report.records).toBe(entries.length);
    expect(report.compared).toBeGreaterThan(100);
    const states = entries.flatMap((entry) => (entry.kind === "checkpoint" ? [entry.checkpoint["state"]] : []));
    expect(states.length).toBeGreaterThan(4);
    expect(report).toMatchObject({ states_compared: states.length, state_digest: states.at(-1) });
    expect(report.merkle_root).toMatch(/^[0-9a-f]{64}$/);
  });

  it("[M-0.7] a copy elsewhere, with the recording moved, gives the same report; another recording is refused", async () => {
    const run_dir = copy("elsewhere");
    const [file] = of.venue.files;
    const is = join(room.path, "moved.csv");
    const options = { run_dir, pack_dir: FIXTURE_DIR, recordings: { [file?.path ?? ""]: is } };
    writeFileSync(is, readFileSync(file?.path ?? ""));
    const moved = await replayRun(options);
    expect(moved.ok && moved.value).toEqual(await replayed(of.run_dir));
    writeFileSync(is, readFileSync(is, "utf8").replace(/,1(\d*)\./, ",2$1."));
    expect(await replayRun(options)).toMatchObject({ ok: false, error: { code: "RUMI-STR-034" } });
  });

  it("[M-0.7] a journal with one changed byte is found by its chain; one forged whole, by what comes out instead", async () => {
    const torn = copy("changed");
    const path = join(torn, "journal/00000001.journal");
    const bytes = readFileSync(path);
    bytes[2_000] = (bytes[2_000] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect(await replayRun({ run_dir: torn, pack_dir: FIXTURE_DIR })).toMatchObject({
      ok: false,
      error: { code: "RUMI-STR-020" },
    });
    const forged = copy("forged");
    const entries = entriesOf(of);
    const at = entries.findIndex((entry) => entry.kind === "fill");
    forge(
      forged,
      entries.map((entry, n) =>
        n === at && entry.kind === "fill" ? { ...entry, fill: { ...entry.fill, price: "1" } } : entry,
      ),
    );
    const report = await replayed(forged);
    expect(report).toMatchObject({ outcome: "diverged", divergence: { seq: at + 1 } });
    expect(report.divergence?.journal).toContain('"price":"1"');
    expect(report.divergence?.replay).not.toContain('"price":"1"');
  });

  it("[M-0.7] a state that was not the run's is found at its checkpoint although no intent differs", async () => {
    const forged = copy("state");
    const entries = entriesOf(of);
    const at = entries.findLastIndex((entry) => entry.kind === "checkpoint");
    const state = `sha256:${"0".repeat(64)}`;
    forge(
      forged,
      entries.map((entry, n) =>
        n === at && entry.kind === "checkpoint" ? { ...entry, checkpoint: { ...entry.checkpoint, state } } : entry,
      ),
    );
    expect(await replayed(forged)).toMatchObject({ outcome: "diverged", divergence: { seq: at + 1, journal: state } });
  });

  it("[M-0.7] a changed record (configuration, pack) is refused; one made anew with a forged journal gives other records", async () => {
    const changed = copy("config");
    const path = join(changed, "run.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/"seed":"seed"/, '"seed":"sead"'));
    expect(await replayRun({ run_dir: changed, pack_dir: FIXTURE_DIR })).toMatchObject({
      ok: false,
      error: { code: "RUMI-STR-070" },
    });
    writeFileSync(path, text.replaceAll("a".repeat(64), "b".repeat(64)));
    expect(await replayRun({ run_dir: changed, pack_dir: FIXTURE_DIR })).toMatchObject({
      ok: false,
      error: { code: "RUMI-STR-070" },
    });
    renameSync(path, `${path}.gone`);
    expect(await replayRun({ run_dir: changed, pack_dir: FIXTURE_DIR })).toMatchObject({
      ok: false,
      error: { code: "RUMI-STR-073" },
    });
  });
});
