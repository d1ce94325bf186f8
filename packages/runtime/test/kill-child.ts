/**
 * A host that kills itself with SIGKILL inside a chosen window of its work; bundled and run by kill.test.ts.
 *
 * How to think: the host's own ports tell where it is (the strategy answered, the exchange reported, a state is being
 * saved), so no fault point is planted in the code under test. A second thread waits for a window to open, spins a random
 * number of microseconds and kills the process if the window is still open; otherwise it waits for the next one.
 *
 * Outside of the host two files are written as the world would remember: the newest seq that was told to be durable, and
 * the id of every order that reached the exchange.
 */
import { openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { deserialize } from "node:v8";
import { Worker } from "node:worker_threads";
import { createSimulatedVenue, type MarketFeed, type SimulatedVenue } from "@rumi/venues";
import { venueOptionsOf } from "../src/instance/gate-context.ts";
import { InstanceHost } from "../src/instance/host.ts";
import type { InstanceSpec } from "../src/protocol.ts";
import type { Strategy } from "../src/strategy/strategy.ts";
import { openWasmStrategy } from "../src/strategy/wasm.ts";
import { WASM } from "./support.ts";

export type KillOrder = {
  readonly spec: InstanceSpec;
  /** The feed, serialised: every life has the same without making it anew. */
  readonly feed_file: string;
  /** `null` runs to the end. */
  readonly window: "checkpoint" | "emit" | "ack" | null;
  /** Windows let go by before the first that may be the last. */
  readonly skip: number;
  /** 0: at once where the port is called, an order's already with the exchange. */
  readonly within_us: number;
  readonly seed: number;
  /** From the first breath, so that it may fall into the replay. */
  readonly armed: "at_once" | "once_open";
};

/** Milliseconds that pass between two looks at the clock. */
const LOOK_MS = 4_000;
const order = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as KillOrder;
/** [0] number of the open window, or 0; [1] armed. */
const shared = new Int32Array(new SharedArrayBuffer(8));
const ARMED = 1;

let windows = 0;
const enter = (kind: KillOrder["window"]): void => {
  if (kind !== order.window || Atomics.load(shared, ARMED) === 0) return;
  windows += 1;
  if (windows <= order.skip) return;
  if (order.within_us === 0) process.kill(process.pid, "SIGKILL");
  Atomics.store(shared, 0, windows);
  Atomics.notify(shared, 0);
};
const leave = (kind: KillOrder["window"]): void => {
  if (kind === order.window) Atomics.store(shared, 0, 0);
};

async function killer(): Promise<void> {
  const thread = new Worker(KILLER, {
    eval: true,
    workerData: { shared, within_us: order.within_us, seed: order.seed },
  });
  thread.unref();
  await new Promise((resolve) => thread.once("message", resolve));
}
const KILLER = `
const { parentPort, workerData: { shared, within_us, seed } } = require("node:worker_threads");
let state = seed;
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296;
parentPort.postMessage("ready");
for (;;) {
  Atomics.wait(shared, 0, 0);
  const window = Atomics.load(shared, 0);
  if (window === 0) continue;
  const until = performance.now() + (random() * within_us) / 1000;
  while (performance.now() < until && Atomics.load(shared, 0) === window);
  if (Atomics.load(shared, 0) === window) process.kill(process.pid, "SIGKILL");
}
`;

/** From a strategy's answer until the order that came of it is under way. */
function watchedStrategy(strategy: Strategy): Strategy {
  const invoke = strategy.invoke.bind(strategy);
  strategy.invoke = (callback, length) => {
    leave("emit");
    const answered = invoke(callback, length);
    if (answered > 0 && order.within_us > 0) enter("emit");
    return answered;
  };
  return strategy;
}

/** What reached the exchange is remembered outside; a report opens the window of its way into the journal. */
function watchedVenue(venue: SimulatedVenue, sent: number): SimulatedVenue {
  const [submit, onRow, save] = [venue.submit.bind(venue), venue.onRow.bind(venue), venue.save.bind(venue)];
  venue.submit = (wish, at_us) => {
    writeSync(sent, `${wish.client_order_id}\n`);
    if (order.within_us === 0) enter("emit");
    submit(wish, at_us);
  };
  venue.onRow = (feed, row, out) => {
    leave("checkpoint");
    onRow(feed, row, out);
    if (out.length > 0) enter("ack");
  };
  venue.save = () => {
    enter("checkpoint");
    return save();
  };
  return venue;
}

async function live(): Promise<void> {
  const { spec } = order;
  const strategy = openWasmStrategy({ bytes: WASM, memory_bytes: 2_097_152, fuel_per_event: 100_000 });
  const venue = createSimulatedVenue(venueOptionsOf(spec.instruments, spec.venue));
  if (!strategy.ok || !venue.ok) throw new Error("the fixture opens");
  const sent = openSync(join(spec.run_dir, "../sent"), "a");
  const told = openSync(join(spec.run_dir, "../told"), "a");
  await killer();
  if (order.armed === "at_once") Atomics.store(shared, ARMED, 1);
  let looks = 0;
  const opened = await InstanceHost.open({
    spec,
    feed: deserialize(readFileSync(order.feed_file)) as MarketFeed,
    strategy: watchedStrategy(strategy.value),
    venue: watchedVenue(venue.value, sent),
    wallNow: () => Date.now() * 1_000,
    // Time runs fast, so that the periodic checkpoints of minutes fall into these milliseconds.
    monotonic: () => (looks += 1) * LOOK_MS,
    mayEmit: () => true,
    onDurable: (seq) => {
      writeSync(told, `${seq}\n`);
      leave("ack");
    },
    onSegment: () => undefined,
  });
  if (!opened.ok) {
    process.stderr.write(`${JSON.stringify(opened.error)}\n`);
    process.exit(3);
  }
  Atomics.store(shared, ARMED, 1);
  const host = opened.value;
  while (host.phase === "running") await host.turn();
  process.exit(host.phase === "feed_ended" ? 0 : 4);
}

await live();
