/**
 * kill -9 in the three places where it could hurt: while a state is saved, while a decision becomes an order, and while
 * the venue's word becomes a record. A hundred times each, at random microseconds of these windows and at the very calls that open them (test/kill-child.ts).
 *
 * What is held: whatever was told to be durable is there and unchanged; every order that reached the exchange is on
 * record; a sound state is always found; and a run that died a hundred times is byte for byte the run that never did,
 * ids apart, with every order and every fill once.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serialize } from "node:v8";
import { clientOrderId } from "@rumi/abi";
import { digestOf, seededRandom } from "@rumi/kernel";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { entriesOf, finish, openedHost } from "../../test/host-kit.ts";
import type { KillOrder } from "../../test/kill-child.ts";
import { FIXTURE_DIR, market, spec } from "../../test/support.ts";
import { CheckpointSlots } from "../checkpoint/slots.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";
import { comparable, isReproduced } from "./recorder.ts";

const KILLS = 100;
/** Runs that are hurt side by side: a life is mostly the start of its process. */
const CHAINS = 2;
const TRADES = 8_000;
/** About the length of each window on a quiet disk; a killer that comes too late waits for the next. */
const WINDOWS = [
  { window: "checkpoint", within_us: 2_500, ids: ["M-6.2.1"], during: "checkpoints" },
  { window: "emit", within_us: 900, ids: ["M-8.2.2", "M-0.6"], during: "emits" },
  { window: "ack", within_us: 2_000, ids: ["M-8.2.2", "M-0.3"], during: "acknowledgements" },
] as const;

const room = temporaryFolder();
const bundle = join(room.path, "child.mjs");
const feed_file = join(room.path, "feed");
let wanted: readonly string[] = [];

/** What must be equal between any two lives of the same run; ids without the epoch under which they were made. */
const reproduced = (of: InstanceSpec): readonly string[] =>
  entriesOf(of)
    .filter((entry) => isReproduced(entry))
    .map((entry) => comparable(entry).replaceAll(/R[A-Z][A-Z0-9]{5}[0-9A-Z]{25}/g, "ID"));

type Sent = { readonly id: string; readonly key: number };
const ordersOf = (entries: readonly JournalEntry[]): readonly Sent[] =>
  entries.flatMap((entry) =>
    entry.kind === "intent" && entry.intent["kind"] === "order" && entry.verdict === "forwarded"
      ? [{ id: String(entry.client_order_id), key: Number(entry.idempotency_key) }]
      : [],
  );
const lines = (path: string): readonly string[] =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];

/** One life; whether it died as it was told to. */
async function live(order: KillOrder): Promise<boolean> {
  const file = join(order.spec.run_dir, "../order.json");
  writeFileSync(file, JSON.stringify(order));
  const child = spawn(process.execPath, [bundle, file], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { RUMI_TEST_FIXTURE: FIXTURE_DIR },
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect([0, null], `a life ends with its feed or by its killer, not with ${String(code)}`).toContain(code);
  return signal === "SIGKILL";
}

type Durable = { readonly records: number; readonly digest: string };
const digestOfFirst = (entries: readonly JournalEntry[], count: number): string =>
  digestOf(JSON.stringify(entries.slice(0, count)));
const NOTHING: Durable = { records: 0, digest: digestOfFirst([], 0) };

/** What the world remembers of a life that was cut off is in the journal, and a sound state is there. */
function expectNothingLost(of: InstanceSpec, before: Durable): Durable {
  const outside = join(of.run_dir, "..");
  const told = Math.max(0, ...lines(join(outside, "told")).map(Number));
  // Killed before its first word: it begins anew.
  if (told === 0) return NOTHING;
  const entries = entriesOf(of);
  expect(entries.length, "told to be durable").toBeGreaterThanOrEqual(told);
  expect(digestOfFirst(entries, before.records), "what was durable before").toBe(before.digest);
  const recorded = new Set(ordersOf(entries).map(({ id }) => id));
  expect(
    lines(join(outside, "sent")).filter((id) => !recorded.has(id)),
    "sent without a record",
  ).toEqual([]);
  const slots = CheckpointSlots.open(join(of.run_dir, "checkpoints"));
  expect(slots.ok && slots.value.restored.damaged).toEqual([]);
  // The record of a state goes before the state itself: only from the second on is there one for certain.
  if (entries.filter(({ kind }) => kind === "checkpoint").length > 1)
    expect(slots.ok && slots.value.restored.checkpoint).not.toBeNull();
  return { records: told, digest: digestOfFirst(entries, told) };
}

/** The run ends at last, and is the run that never died. */
async function expectWhole(of: InstanceSpec, epoch: number, window: KillOrder["window"]): Promise<void> {
  const order = { feed_file, window: null, skip: 0, within_us: 0, seed: 0, armed: "once_open" } as const;
  expect(await live({ ...order, spec: { ...of, epoch, start: "resume" } })).toBe(false);
  expect(reproduced(of), `killed ${epoch - 1} times during ${String(window)}`).toEqual(wanted);
  const entries = entriesOf(of);
  const sent = ordersOf(entries);
  expect(new Set(sent.map(({ id }) => id)).size, "orders once").toBe(sent.length);
  expect(new Set(lines(join(of.run_dir, "../sent"))), "and all of them left").toEqual(
    new Set(sent.map(({ id }) => id)),
  );
  const fills = entries.flatMap((entry) => (entry.kind === "fill" ? [String(entry.fill["fill_id"])] : []));
  expect(new Set(fills).size, "fills once").toBe(fills.length);
  const lives = Array.from({ length: epoch }, (_, n) => n + 1);
  const madeIn = sent.map(({ id, key }) =>
    lives.find((one) => clientOrderId({ ...of, epoch: one, idempotency_key: key }) === id),
  );
  expect(madeIn, "an order keeps the id of the life that recorded it first").not.toContain(undefined);
  if (window === "emit" && epoch > 10) expect(new Set(madeIn).size).toBeGreaterThan(3);
}

/** `kills` deaths over as many runs as they take; every run is brought to its end and compared. */
async function chain(of: (typeof WINDOWS)[number], name: string, kills: number): Promise<void> {
  const random = seededRandom(`${of.window} ${name}`);
  for (let left = kills, number = 1; left > 0; number += 1) {
    const folder = join(room.path, `${of.window}-${name}-${number}`);
    mkdirSync(folder);
    const run = spec(join(folder, "run"));
    let durable = NOTHING;
    let epoch = 1;
    for (let alive = true; alive && left > 0; epoch += 1) {
      const start = existsSync(run.run_dir) ? "resume" : "fresh";
      const died = await live({
        spec: { ...run, epoch, start },
        feed_file,
        window: of.window,
        skip: random.below(3),
        within_us: random.below(4) === 0 ? 0 : of.within_us,
        seed: random.below(1_000_000),
        armed: random.below(5) === 0 ? "at_once" : "once_open",
      });
      if (died) left -= 1;
      alive = died;
      durable = expectNothingLost(run, durable);
    }
    await expectWhole(run, epoch, of.window);
  }
}

describe(`kill -9, ${KILLS} times each`, () => {
  beforeAll(async () => {
    await build({
      entryPoints: [fileURLToPath(new URL("../../test/kill-child.ts", import.meta.url))],
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: bundle,
      logLevel: "error",
    });
    const feed = market(TRADES);
    writeFileSync(feed_file, serialize(feed));
    const whole = spec(join(room.path, "whole"));
    await finish(await openedHost(whole, feed));
    wanted = reproduced(whole);
    expect(wanted.length).toBeGreaterThan(500);
  });
  afterAll(() => room.remove());

  for (const of of WINDOWS)
    it(
      `${of.ids.map((id) => `[${id}] `).join("")}during ${of.during}: nothing is lost and nothing is there twice`,
      { timeout: 240_000 },
      async () => {
        const names = Array.from({ length: CHAINS }, (_, at) => `chain${at + 1}`);
        await Promise.all(names.map((name) => chain(of, name, KILLS / CHAINS)));
      },
    );
});
