/**
 * Latencies of a lane: event to gated intent in the lane's own thread; from a venue's thread over its stream, as a live
 * bot reads it, until the venue has the order; until the intent is durable in the journal.
 *
 * The strategy is the default pack's EMA cross with short averages. Without its cooldown about every twentieth event is an
 * intent; with it (`event_to_rare_intent`) about every hundredth is, and what an intent needs is out of the caches by then.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { StrategyDescriptor } from "@rumi/abi";
import { MeasuredLane } from "@rumi/runtime";
import { DEMO_INSTRUMENT, DEMO_MARKET, generateMarket, type MarketMessage, VenueSimMarket } from "@rumi/venues";
import { type WebSocket, WebSocketServer } from "ws";
import { measured, type Measured, percentile, repeat } from "../measure.ts";

/** The first runs are the compiler's as well; the median is of those that came after. */
const RUNS = 7;
const EVENTS = 400_000;
/** Until the compiler has seen some thousands of intents; whoever trades all day has them behind him. */
const WARM = 200_000;
const PACED_EVENTS = 20_000;
const PACED_PER_S = 10_000;
const DURABLE_INTENTS = 300;
/** What a pause of the feed's thread is at least: the kernel's own slack. */
const PAUSE_MS = 0.05;

export type LaneArgument = { readonly root: string; readonly folder: string };
type Argument = LaneArgument;
const now = (): number => Number(process.hrtime.bigint());

type LaneOf = { readonly journal?: boolean; readonly rare?: boolean };

export function openLane({ root, folder }: Argument, { journal = false, rare = false }: LaneOf = {}): MeasuredLane {
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
    config: { order_quantity: "1", fast_trades: 2, slow_trades: 5, ...(rare ? {} : { cooldown: 0 }) },
    instruments: [DEMO_INSTRUMENT],
    feed: market.value,
    capital: "1000000000000",
    ...(journal ? { journal: join(folder, `journal-${process.pid}-${now()}`) } : {}),
  });
  if (!lane.ok) throw new Error(`the lane was refused: ${lane.error.code} ${JSON.stringify(lane.error.params)}`);
  return lane.value;
}

/** Each event by itself, the clock's own cost taken off. */
function inLane(
  argument: Argument,
  rare = false,
): { readonly all: readonly number[]; readonly intents: readonly number[] } {
  const lane = openLane(argument, { rare });
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

/**
 * The venue's thread: so many trades a second over a WebSocket, the moment of sending in the trade's id. It sleeps
 * between them, as a venue does: one that waits awake holds a core, and the lane's own wake-ups stand behind it.
 */
export function feedThread(): void {
  const { feed } = workerData as { readonly feed: { readonly trades: number; readonly per_s: number } };
  // The question for what was missed: nothing was, and the stream begins a moment later.
  const server = createServer((_request, response) => {
    response.end(JSON.stringify({ trades: [], last_seq: 0, ended: false }));
    setTimeout(() => sockets.forEach((socket) => pace(socket, feed)), 100);
  });
  const sockets: WebSocket[] = [];
  new WebSocketServer({ server, path: "/v1/market" }).on("connection", (socket) => sockets.push(socket));
  server.listen(0, "127.0.0.1", () => parentPort?.postMessage((server.address() as AddressInfo).port));
}

function pace(socket: WebSocket, { trades, per_s }: { readonly trades: number; readonly per_s: number }): void {
  const idle = new Int32Array(new SharedArrayBuffer(4));
  const send = (message: MarketMessage): void => socket.send(JSON.stringify(message));
  const base = { instrument_id: DEMO_INSTRUMENT.instrument_id, quantity: "1", aggressor: "buyer" } as const;
  const started = now();
  let sent = 0;
  const step = (): void => {
    for (const due = Math.min(trades, ((now() - started) * per_s) / 1e9); sent < due; sent += 1) {
      const trade = { ...base, seq: sent + 1, price: "100.25", time_us: Date.now() * 1_000, trade_id: now() };
      send({ type: "trades", trades: [trade] });
    }
    if (sent >= trades) return send({ type: "end", last_seq: trades });
    Atomics.wait(idle, 0, 0, PAUSE_MS);
    setImmediate(step);
  };
  step();
}

/** Venue's stream → lane → venue has it; microseconds of each event. */
export async function handover(argument: Argument): Promise<readonly number[]> {
  const lane = openLane(argument);
  for (let n = 0; n < WARM; n += 1) {
    lane.row();
    lane.send();
  }
  const script = process.argv[1] ?? "";
  const feed = { trades: PACED_EVENTS, per_s: PACED_PER_S };
  const worker = new Worker(script, { workerData: { feed }, name: "feed" });
  const [port] = (await once(worker, "message")) as [number];
  const market = new VenueSimMarket({
    url: `http://127.0.0.1:${port}`,
    key: { key_id: "bench", secret: "bench" },
    recv_window_ms: 1_000,
    timeout_ms: 5_000,
    wallNow_us: () => Date.now() * 1_000,
    instruments: [DEMO_INSTRUMENT],
    stale_after_ms: 3_600_000,
  });
  const all: number[] = [];
  await new Promise<void>((resolve) => {
    market.start(null, {
      row: (row) => {
        lane.row();
        if (lane.pending) lane.send();
        if (row.kind === "trade") all.push((now() - row.trade_id) / 1e3);
      },
      notice: () => undefined,
      end: resolve,
    });
  });
  await worker.terminate();
  lane.close();
  if (all.length !== PACED_EVENTS) throw new Error(`${all.length} of ${PACED_EVENTS} trades came through`);
  return all;
}

async function untilDurable(argument: Argument): Promise<readonly number[]> {
  const lane = openLane(argument, { journal: true });
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
  const rare = await repeat(RUNS, () => inLane(argument, true).intents);
  const over = await repeat(RUNS, () => handover(argument));
  const durable = await repeat(RUNS, () => untilDurable(argument));
  const at = (runs: readonly (readonly number[])[], share: number): readonly number[] =>
    runs.map((run) => percentile(run, share));
  const all = inside.map((one) => one.all);
  const intents = inside.map((one) => one.intents);
  return [
    measured("event_in_lane_p50_ns", "ns", at(all, 0.5)),
    measured("event_in_lane_p99_ns", "ns", at(all, 0.99)),
    measured("event_to_intent_p50_ns", "ns", at(intents, 0.5)),
    measured("event_to_intent_p99_ns", "ns", at(intents, 0.99)),
    measured("event_to_rare_intent_p50_ns", "ns", at(rare, 0.5)),
    measured("event_to_rare_intent_p99_ns", "ns", at(rare, 0.99)),
    measured("lane_handover_p50_us", "us", at(over, 0.5)),
    measured("lane_handover_p99_us", "us", at(over, 0.99)),
    measured("intent_durable_p50_us", "us", at(durable, 0.5)),
  ];
}
