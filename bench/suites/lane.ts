/**
 * Latencies of a lane: event to gated intent in the lane's own thread; the same from a feed's thread over the ring until
 * the venue has the order; the same until the intent is durable in the journal.
 *
 * The strategy is the default pack's EMA cross with short averages, so that about every twentieth event is an intent.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker, workerData } from "node:worker_threads";
import type { StrategyDescriptor } from "@rumi/abi";
import { createRing, MeasuredLane, RING_RECORD, RingReader, RingWriter } from "@rumi/runtime";
import { DEMO_INSTRUMENT, DEMO_MARKET, generateMarket } from "@rumi/venues";
import { measured, type Measured, percentile, repeat } from "../measure.ts";

/** The first runs are the compiler's as well; the median is of those that came after. */
const RUNS = 7;
const EVENTS = 400_000;
/** Until the compiler has seen some thousands of intents; whoever trades all day has them behind him. */
const WARM = 200_000;
const PACED_EVENTS = 20_000;
const PACED_PER_S = 10_000;
const DURABLE_INTENTS = 300;
const FRAME = 96;

export type LaneArgument = { readonly root: string; readonly folder: string };
type Argument = LaneArgument;
const now = (): number => Number(process.hrtime.bigint());

export function openLane({ root, folder }: Argument, journal: boolean): MeasuredLane {
  const pack_dir = join(root, "packs/default");
  const manifest = JSON.parse(readFileSync(join(pack_dir, "ecosystem.json"), "utf8")) as {
    readonly strategies: readonly StrategyDescriptor[];
  };
  const descriptor = manifest.strategies.find((one) => one.strategy_id === "ema_cross");
  const market = generateMarket({ ...DEMO_MARKET, trades: EVENTS, seed: "bench-lane" });
  if (descriptor === undefined || !market.ok) throw new Error("the default pack and the generator are there");
  const lane = MeasuredLane.open({
    descriptor,
    pack_dir,
    config: { order_quantity: "1", fast_trades: 2, slow_trades: 5 },
    instruments: [DEMO_INSTRUMENT],
    feed: market.value,
    capital: "1000000000000",
    ...(journal ? { journal: join(folder, `journal-${process.pid}-${now()}`) } : {}),
  });
  if (!lane.ok) throw new Error(`the lane was refused: ${lane.error.code} ${JSON.stringify(lane.error.params)}`);
  return lane.value;
}

/** Each event by itself, the clock's own cost taken off. */
function inLane(argument: Argument): { readonly all: readonly number[]; readonly intents: readonly number[] } {
  const lane = openLane(argument, false);
  const clock = percentile(
    Array.from({ length: 10_000 }, () => {
      const from = now();
      return now() - from;
    }),
    0.5,
  );
  const all: number[] = [];
  const intents: number[] = [];
  for (let n = 0; n < EVENTS; n += 1) {
    const before = lane.intents;
    const from = now();
    lane.row();
    const took = now() - from - clock;
    lane.send();
    if (n < WARM) continue;
    all.push(took);
    if (lane.intents > before) intents.push(took);
  }
  if (lane.health !== "healthy" || intents.length < 1_000) throw new Error(`${lane.health}, ${intents.length} intents`);
  lane.close();
  return { all, intents };
}

/** The feed's thread: so many frames a second, each with the moment of its publishing. */
export function feedThread(): void {
  const { shared, frames, per_s } = workerData as {
    readonly shared: SharedArrayBuffer;
    readonly frames: number;
    readonly per_s: number;
  };
  const writer = new RingWriter(shared);
  const started = now();
  const idle = new Int32Array(new SharedArrayBuffer(4));
  for (let n = 0; n < frames; n += 1) {
    const due = started + (n * 1e9) / per_s;
    // The last tenth of a millisecond is spent awake, or the kernel's own slack would be measured as the feed's.
    for (let left = due - now(); left > 0; left = due - now())
      if (left > 200_000) Atomics.wait(idle, 0, 0, (left - 100_000) / 1e6);
    const at = writer.reserve(FRAME);
    if (at < 0) continue;
    writer.views.u8.fill(0, at, at + FRAME);
    writer.publish(FRAME, RING_RECORD.market, now());
  }
  writer.close();
}

/** Feed thread → ring → lane → venue has it; microseconds of each event, those with an order apart. */
export async function handover(
  argument: Argument,
): Promise<{ readonly all: readonly number[]; readonly lost: number }> {
  const lane = openLane(argument, false);
  for (let n = 0; n < WARM; n += 1) {
    lane.row();
    lane.send();
  }
  const shared = createRing(1 << 20);
  const reader = new RingReader(shared);
  const script = process.argv[1] ?? "";
  const worker = new Worker(script, { workerData: { shared, frames: PACED_EVENTS, per_s: PACED_PER_S }, name: "feed" });
  await new Promise((resolve) => worker.once("online", resolve));
  const all: number[] = [];
  while (!reader.ended) {
    if (!reader.next()) {
      reader.wait(100);
      continue;
    }
    const { at_ns } = reader;
    reader.release();
    lane.row();
    if (lane.pending) lane.send();
    all.push((now() - at_ns) / 1e3);
  }
  await new Promise((resolve) => worker.once("exit", resolve));
  lane.close();
  return { all, lost: reader.refused };
}

async function untilDurable(argument: Argument): Promise<readonly number[]> {
  const lane = openLane(argument, true);
  const took: number[] = [];
  while (took.length < DURABLE_INTENTS) {
    const from = now();
    lane.row();
    if (!lane.pending) continue;
    await lane.durable();
    took.push((now() - from) / 1e3);
    lane.send();
  }
  lane.close();
  return took.slice(50);
}

export async function laneSuite(text: string): Promise<readonly Measured[]> {
  const argument = JSON.parse(text) as Argument;
  const inside = await repeat(RUNS, () => inLane(argument));
  const over = await repeat(RUNS, () => handover(argument));
  const durable = await repeat(RUNS, () => untilDurable(argument));
  const lost = over.reduce((sum, one) => sum + one.lost, 0);
  if (lost > 0) throw new Error(`the ring refused ${lost} frames`);
  const at = (runs: readonly (readonly number[])[], share: number): readonly number[] =>
    runs.map((run) => percentile(run, share));
  const all = inside.map((one) => one.all);
  const intents = inside.map((one) => one.intents);
  const handed = over.map((one) => one.all);
  return [
    measured("event_in_lane_p50_ns", "ns", at(all, 0.5)),
    measured("event_in_lane_p99_ns", "ns", at(all, 0.99)),
    measured("event_to_intent_p50_ns", "ns", at(intents, 0.5)),
    measured("event_to_intent_p99_ns", "ns", at(intents, 0.99)),
    measured("lane_handover_p50_us", "us", at(handed, 0.5)),
    measured("lane_handover_p99_us", "us", at(handed, 0.99)),
    measured("intent_durable_p50_us", "us", at(durable, 0.5)),
  ];
}
