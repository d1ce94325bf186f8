/** When a checkpoint is written, and what its absence costs: a strategy that counts and, now and then, breaks. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  CALLBACK,
  type FrameViews,
  INPUT_KIND,
  makeFrameViews,
  makeInitCall,
  readInitCall,
  writeSavedState,
  writeStateUpdate,
} from "@rumi/abi";
import { afterEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { market, spec } from "../../test/support.ts";
import type { InstanceHost } from "../instance/host.ts";
import { HOST_LIMITS } from "../instance/host-options.ts";
import type { InstanceSpec } from "../protocol.ts";
import { type CallbackNumber, FAULTED, type Strategy, type StrategyFault } from "../strategy/strategy.ts";
import { type Checkpoint, decodeCheckpoint } from "./format.ts";

const ROWS = 2_000;
const FEED = market(ROWS);
const OUTPUT = 65_536;

const folders: { remove: () => void }[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));
function fresh(): InstanceSpec {
  const folder = temporaryFolder();
  folders.push(folder);
  return spec(join(folder.path, "run"));
}

/** Its state is how many trades it has heard; it asks for a checkpoint at some of them and breaks at others. */
class Counting implements Strategy {
  readonly isolation = { level: "L0", mechanism: "counting" } as const;
  readonly views: FrameViews = makeFrameViews(OUTPUT * 2);
  readonly #important: readonly number[];
  readonly #breaksAt: number;
  /** Calls of all its lives, and what this one knows. */
  #heard = 0;
  #count = 0;
  #fault: StrategyFault | null = null;

  constructor(important: readonly number[], breaksAt = 0) {
    this.#important = important;
    this.#breaksAt = breaksAt;
  }
  room(): number {
    return this.#fault === null ? 0 : FAULTED;
  }
  invoke(callback: CallbackNumber, length: number): number {
    const { views } = this;
    if (callback === CALLBACK.init) {
      const call = makeInitCall();
      if (readInitCall(views, 0, length, call) !== "") throw new Error("the init frame is malformed");
      this.#count = call.state.length === 0 ? 0 : Buffer.from(call.state).readUInt32LE();
      return 0;
    }
    if (callback === CALLBACK.save_state) {
      const state = Buffer.alloc(4);
      state.writeUInt32LE(this.#count);
      return writeSavedState(views, OUTPUT, { schemaVersion: 1, state });
    }
    if (callback !== CALLBACK.event || views.u16[0] !== INPUT_KIND.trade_event) return 0;
    this.#heard += 1;
    if (this.#heard === this.#breaksAt) {
      this.#fault = { kind: "trap", reason_code: "M.SANDBOX.TRAP", detail: "as it was told" };
      return FAULTED;
    }
    this.#count += 1;
    return this.#important.includes(this.#count) ? writeStateUpdate(views, OUTPUT, { checkpoint: 1 }) : 0;
  }
  outputAt(): number {
    return OUTPUT;
  }
  fault(): StrategyFault | null {
    return this.#fault;
  }
  reset(): null {
    this.#fault = null;
    return null;
  }
  close(): void {
    // Nothing is held.
  }
}

const countOf = ({ strategy }: Checkpoint): number => Buffer.from(strategy).readUInt32LE();

function slots(of: InstanceSpec): readonly Checkpoint[] {
  const folder = join(of.run_dir, "checkpoints");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => decodeCheckpoint(readFileSync(join(folder, name))))
    .filter((one) => typeof one !== "string")
    .toSorted((a, b) => b.header.generation - a.header.generation);
}
/** `why` and cursor of every checkpoint on record. */
const written = (of: InstanceSpec): readonly string[] =>
  journalOf(of).flatMap((entry) =>
    entry.kind === "checkpoint" ? [`${String(entry.checkpoint["why"])} ${String(entry.checkpoint["cursor"])}`] : [],
  );

/** A clock on which every look takes a while, so that a turn ends. */
function ticking(from = { ms: 0 }): () => number {
  return () => (from.ms += 0.1);
}

async function toEnd(host: InstanceHost): Promise<void> {
  while (host.phase === "running") await host.turn();
}

it("[M-6.1.2] a checkpoint stands at every important event and before every end: begin, the strategy's own word, pause, the feed's end, stop", async () => {
  const one = fresh();
  const { host } = await hosted(one, { feed: FEED, strategy: new Counting([500, 1_500]), monotonic: ticking() });
  expect(written(one)).toEqual(["start 0"]);
  const until = async (cursor: number): Promise<void> => {
    while (host.status().cursor < cursor) await host.turn();
  };
  await until(500);
  expect(slots(one).map(({ header }) => header.last_event_cursor)).toEqual([500, 0]);
  await until(600);
  const paused = host.status().cursor;
  await host.pause("looked at");
  await host.continue();
  await toEnd(host);
  await host.stop("enough");
  expect(written(one)).toEqual([
    "start 0",
    "wished 500",
    `pause ${paused}`,
    "wished 1500",
    `feed_ended ${ROWS}`,
    `stop ${ROWS}`,
  ]);
  const [newest, before] = slots(one);
  expect([newest, before].map((slot) => slot && [slot.header.generation, countOf(slot)])).toEqual([
    [6, ROWS],
    [5, ROWS],
  ]);
});

it.each([
  ["handover", (host: InstanceHost) => host.handover()],
  ["suspend", (host: InstanceHost) => host.suspend()],
] as const)("[M-6.1.2] %s leaves with everything in its checkpoint", async (why, leave) => {
  const one = fresh();
  const { host } = await hosted(one, { feed: FEED, strategy: new Counting([]), monotonic: ticking() });
  while (host.status().cursor < 700) await host.turn();
  const { cursor } = host.status();
  await leave(host);
  expect(written(one)).toEqual(["start 0", `${why} ${cursor}`]);
  expect(slots(one).map(countOf)).toEqual([cursor, 0]);
});

it("[M-6.1.2] time alone brings one, and only where something has happened since", async () => {
  const one = fresh();
  const now = { ms: 0 };
  const { host } = await hosted(one, { feed: FEED, strategy: new Counting([]), monotonic: ticking(now) });
  await host.turn();
  now.ms = HOST_LIMITS.checkpoint_every_ms - 100;
  await host.turn();
  expect(written(one)).toEqual(["start 0"]);
  now.ms += 100;
  await host.turn();
  const { cursor } = host.status();
  expect(written(one)).toEqual(["start 0", `periodic ${cursor}`]);
  await host.stop("enough");
});

it.each([
  ["with its checkpoint at the important event, ten trades", [990], 10],
  ["without one, everything since it began", [], 1_000],
] as const)(
  "[M-6.1.2] [M-5.2.6] what a strategy that breaks has forgotten afterwards: %s; the runtime forgets nothing",
  async (_, important, lost) => {
    const one = fresh();
    const { host } = await hosted(one, { feed: FEED, strategy: new Counting(important, 1_000), monotonic: ticking() });
    await toEnd(host);
    expect(host.status()).toMatchObject({ cursor: ROWS, events_total: ROWS });
    expect(journalOf(one).filter((entry) => entry.kind === "input" && entry.input["input"] === "fault")).toHaveLength(
      1,
    );
    await host.stop("enough");
    const [newest] = slots(one);
    expect(newest === undefined ? -1 : countOf(newest)).toBe(ROWS - lost);
  },
);

it("[M-6.1.2] [M-0.7] a kill forgets nothing with or without: the journal brings the state back from the first row", async () => {
  const states: (number | undefined)[] = [];
  for (const important of [[990], []]) {
    const one = fresh();
    const { host } = await hosted(one, { feed: FEED, strategy: new Counting(important), monotonic: ticking() });
    while (host.status().cursor < 1_200) await host.turn();
    const { cursor } = host.status();
    // As after kill -9: nothing more is written, and here not even a checkpoint is left.
    loseCheckpoints(one);
    const again = await hosted(
      { ...one, start: "resume", epoch: 2 },
      { feed: FEED, strategy: new Counting(important), monotonic: ticking() },
    );
    expect(again.host.status().cursor).toBeLessThanOrEqual(cursor);
    await toEnd(again.host);
    await again.host.stop("enough");
    const [newest] = slots(one);
    states.push(newest && countOf(newest));
  }
  expect(states).toEqual([ROWS, ROWS]);
});
