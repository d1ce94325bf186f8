/**
 * The ABI's conformance suite: one table of conversations, four kinds of strategies, the same bytes from each.
 *
 * A row says the frames that go in and what is expected back: the records' names and, where it matters, a status. What
 * the kinds put out is compared byte for byte; of a refusal only the status and the report's code, its words are the
 * language's own.
 */
import {
  CALLBACK,
  type FrameViews,
  makeBarEvent,
  makeBookEvent,
  makeConfigEvent,
  makeErrorReport,
  makeExecutionEvent,
  makeIntentMeta,
  makeMigrateStateCall,
  makeQuoteEvent,
  makeSafetyEvent,
  makeTimerEvent,
  makeTradeEvent,
  missingMetadata,
  NO_INSTRUMENT,
  OUTPUT_KIND,
  readErrorReport,
  readIntentMeta,
  RecordWalker,
  REFUSAL,
  type RuntimeKind,
  STATUS,
  type TradeEvent,
  writeBarEvent,
  writeBookEvent,
  writeConfigEvent,
  writeExecutionEvent,
  writeHealthcheckCall,
  writeInitCall,
  writeMigrateStateCall,
  writeQuoteEvent,
  writeSafetyEvent,
  writeSaveStateCall,
  writeShutdownCall,
  writeSignalEvent,
  writeTimerEvent,
  writeTradeEvent,
} from "@rumi/abi";
import { join } from "node:path";
import { FeedBuilder } from "@rumi/venues";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { encode, header, initCall } from "../../abi/test/bench-market.ts";
import { type CallbackNumber, FAULTED, type Strategy } from "../src/strategy/strategy.ts";
import { buildAll, describeKind, KINDS, openKind } from "./conformance/kinds.ts";
import { type Guarding, startGuard } from "./guard.ts";
import { hosted } from "./hosted.ts";
import { spec } from "./support.ts";

const NOW = 1_700_000_000_000_000;
const ROOM = 4_096;
type Call = { readonly callback: CallbackNumber; readonly write: (to: FrameViews, at: number) => number };

const call = (callback: CallbackNumber, write: Call["write"]): Call => ({ callback, write });
const head = header(12, NOW);
const init = (
  config: unknown = {},
  state?: { readonly version: number; readonly bytes: Uint8Array },
  changes: object = {},
): Call => call(CALLBACK.init, (to, at) => writeInitCall(to, at, head, { ...initCall(config, state), ...changes }));
const trade = (price: number, changes: Partial<TradeEvent> = {}): Call =>
  call(CALLBACK.event, (to, at) =>
    writeTradeEvent(to, at, head, { ...makeTradeEvent(), price, quantity: 500, tradeId: 99, aggressor: 2, ...changes }),
  );
const event = (write: Call["write"]): Call => call(CALLBACK.event, write);
const saved = call(CALLBACK.save_state, (to, at) => writeSaveStateCall(to, at, head, {}));
const migrate = (fromVersion: number, ...state: readonly number[]): Call =>
  call(CALLBACK.migrate_state, (to, at) =>
    writeMigrateStateCall(to, at, head, {
      ...makeMigrateStateCall(),
      fromVersion,
      state: words(...state),
    }),
  );
const words = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
const levels = (count: number): { price: number; quantity: number }[] =>
  Array.from({ length: count }, (_, i) => ({ price: 100 + i, quantity: i }));
const execution = {
  ...makeExecutionEvent(),
  report: 4,
  side: 1,
  liquidity: 2,
  clientOrderId: "RX1",
  idempotencyKey: 41,
};
const REFUSED = { report: 2, side: 1, liquidity: 0, reason: REFUSAL.limit, idempotencyKey: 42, remaining: 7 };
/** A sound trade frame, damaged. */
const damaged = (damage: (to: FrameViews, at: number) => void, length?: number): Call =>
  event((to, at) => {
    const sound = trade(20).write(to, at);
    damage(to, at);
    return length ?? sound;
  });
const STARTED = ["telemetry_hint", "telemetry_hint", "telemetry_hint", "timer_request"];
const BAD = [STATUS.bad_frame];
const json = (value: unknown): Uint8Array => encode(JSON.stringify(value));

/** What it is → the calls → names of the records of the last answer, or its status. */
const TABLE: readonly (readonly [string, readonly Call[], readonly (string | number)[]])[] = [
  ["[M-2.3.1] on_init", [init()], STARTED],
  ["[M-2.3.1] on_init with a state", [init({}, { version: 2, bytes: words(5, 6) })], STARTED],
  ["on_init that refuses its configuration", [init({ refuse: true })], [STATUS.config_refused]],
  ["on_init that refuses its state", [init({}, { version: 2, bytes: words(5) })], [STATUS.state_refused]],
  ["on_init of another ABI", [init({}, undefined, { abiVersion: 2 })], [STATUS.bad_abi_version]],
  ["a call before on_init", [trade(20)], [STATUS.not_initialised]],
  ["[M-4.1.1] a trade that says nothing", [init(), trade(20)], []],
  ["[M-4.1.1] a trade, field by field", [init(), trade(12)], Array<string>(5).fill("telemetry_hint")],
  [
    "[M-4.1.1] a quote",
    [init(), event((to, at) => writeQuoteEvent(to, at, head, { ...makeQuoteEvent(), bidPrice: -3, askPrice: 4 }))],
    ["telemetry_hint"],
  ],
  [
    "[M-4.1.1] a bar",
    [init(), event((to, at) => writeBarEvent(to, at, head, { ...makeBarEvent(), close: 2 ** 40, trades: 5 }))],
    ["telemetry_hint"],
  ],
  [
    "[M-4.1.1] a book",
    [
      init(),
      event((to, at) =>
        writeBookEvent(to, at, head, { ...makeBookEvent(), action: 2, bids: levels(3), asks: levels(2) }),
      ),
    ],
    ["telemetry_hint", "telemetry_hint"],
  ],
  [
    "[M-4.1.1] an execution",
    [init(), event((to, at) => writeExecutionEvent(to, at, head, { ...execution, fee: -7 }))],
    Array<string>(3).fill("telemetry_hint"),
  ],
  [
    "[M-4.1.1] [M-8.1.2] an intent that the gate refused: no order id, no instrument of the table, its reason",
    [
      init(),
      event((to, at) =>
        writeExecutionEvent(to, at, { ...head, instrument: NO_INSTRUMENT }, { ...makeExecutionEvent(), ...REFUSED }),
      ),
    ],
    Array<string>(3).fill("telemetry_hint"),
  ],
  [
    "[M-4.1.1] a reason that a later host may know",
    [
      init(),
      event((to, at) => writeExecutionEvent(to, at, head, { ...makeExecutionEvent(), ...REFUSED, reason: 4_242 })),
    ],
    Array<string>(3).fill("telemetry_hint"),
  ],
  [
    "[M-4.1.1] a safety event",
    [init(), event((to, at) => writeSafetyEvent(to, at, head, { ...makeSafetyEvent(), mode: 3, killSwitch: 2 }))],
    ["telemetry_hint"],
  ],
  [
    "[M-4.1.1] a manual signal",
    [init(), event((to, at) => writeSignalEvent(to, at, head, { json: json({ n: 7, word: "über" }) }))],
    ["telemetry_hint"],
  ],
  [
    "[M-4.1.1] a new configuration",
    [
      init(),
      event((to, at) => writeConfigEvent(to, at, head, { ...makeConfigEvent(), apply: 1, json: json({ n: 8 }) })),
    ],
    ["telemetry_hint"],
  ],
  [
    "[M-2.3.1] [M-4.1.1] on_timer",
    [
      init(),
      call(CALLBACK.timer, (to, at) =>
        writeTimerEvent(to, at, head, { ...makeTimerEvent(), timerId: 7, dueUs: NOW + 1_000 }),
      ),
    ],
    ["telemetry_hint", "timer_request"],
  ],
  [
    "[M-2.3.1] on_shutdown",
    [init(), call(CALLBACK.shutdown, (to, at) => writeShutdownCall(to, at, head, { reason: 2 }))],
    ["telemetry_hint"],
  ],
  [
    "[M-2.3.1] on_healthcheck",
    [init(), call(CALLBACK.healthcheck, (to, at) => writeHealthcheckCall(to, at, head, {}))],
    ["health_report"],
  ],
  ["[M-2.4.1] an order", [init(), trade(1)], ["order_intent"]],
  ["[M-2.4.1] a cancel", [init(), trade(2)], ["cancel_intent"]],
  ["[M-2.4.1] an amendment", [init(), trade(3)], ["amend_intent"]],
  ["[M-2.4.1] a position", [init(), trade(4)], ["position_intent"]],
  ["[M-2.4.1] an alert", [init(), trade(5)], ["alert_intent"]],
  ["[M-2.4.1] a no-op", [init(), trade(6)], ["noop_intent"]],
  ["[M-2.4.1] a risk hint", [init(), trade(7)], ["risk_hint"]],
  ["[M-15.4] keys count up over intents", [init(), trade(1), trade(6), trade(20), trade(6)], ["noop_intent"]],
  [
    "[M-0.7] chance is the seed's",
    [init(), trade(8), trade(8)],
    ["telemetry_hint", "telemetry_hint", "telemetry_hint"],
  ],
  ["[M-5.2.4] a log line, in UTF-8", [init(), trade(9)], ["log_line"]],
  ["[M-2.3.2] hints and wishes", [init(), trade(11)], ["state_update", "telemetry_hint", "timer_request"]],
  ["a refusal", [init(), trade(1), trade(10)], [STATUS.strategy_error]],
  ["the call after a refusal", [init(), trade(10), trade(6)], ["noop_intent"]],
  ["[M-6.1.1] a saved state", [init(), trade(20), trade(2 ** 52), saved], ["saved_state"]],
  ["a state saved before there is one", [saved], [STATUS.not_initialised]],
  [
    "[M-6.1.1] a saved state of a second life",
    [init({}, { version: 2, bytes: words(2 ** 52, -1) }), trade(20), saved],
    ["saved_state"],
  ],
  ["[M-6.2.3] a migrated state", [migrate(1, 2 ** 40)], ["saved_state"]],
  ["[M-6.2.3] a state that cannot be migrated", [migrate(1, 3, 4)], [STATUS.unsupported]],
  ["[M-6.2.3] a state of an unknown version", [migrate(9, 3)], [STATUS.unsupported]],
  ["[M-2.4.2] an intent of a strategy without a name", [init({}, undefined, { bot: 0 }), trade(6)], ["noop_intent"]],
  ["a frame cut short", [init(), damaged(() => undefined, 88)], BAD],
  ["a frame shorter than its header", [init(), damaged(() => undefined, 56)], BAD],
  ["a frame that claims another length", [init(), damaged((to, at) => void (to.u32[(at + 4) >> 2] = 104))], BAD],
  ["a frame of another schema", [init(), damaged((to, at) => void (to.u32[(at + 44) >> 2] = 2))], BAD],
  ["a frame of an unknown kind", [init(), damaged((to, at) => void (to.u16[at >> 1] = 31))], BAD],
  ["a word that is not listed", [init(), damaged((to, at) => void (to.u32[(at + 88) >> 2] = 3))], BAD],
  ["a price of 2^53", [init(), damaged((to, at) => void (to.u32[(at + 68) >> 2] = 1 << 21))], BAD],
  [
    "a price of -2^53",
    [
      init(),
      damaged((to, at) => {
        to.i32[(at + 68) >> 2] = -(2 ** 21);
        to.u32[(at + 64) >> 2] = 0;
      }),
    ],
    BAD,
  ],
  ["the lowest price", [init(), trade(-(2 ** 53 - 1)), saved], ["saved_state"]],
  ["a time of 2^53", [init(), damaged((to, at) => void (to.i32[(at + 36) >> 2] = 1 << 21))], BAD],
  ["an event's frame in another callback", [init(), { ...trade(20), callback: CALLBACK.timer }], BAD],
  ["a call's frame as an event", [init(), event((to, at) => writeShutdownCall(to, at, head, { reason: 1 }))], BAD],
  ["the call after a bad frame", [init(), damaged((to, at) => void (to.u16[at >> 1] = 31)), trade(6)], ["noop_intent"]],
];

type Answer = { readonly status: number; readonly names: readonly string[]; readonly hex: string };

function play(strategy: Strategy, calls: readonly Call[]): Answer[] {
  return calls.map(({ callback, write }) => {
    const at = strategy.room(ROOM);
    const length = write(strategy.views, at);
    if (length < 0) throw new Error("the row's frame does not fit the ABI");
    const answer = strategy.invoke(callback, length);
    if (answer === FAULTED) throw new Error(`broke: ${JSON.stringify(strategy.fault())}`);
    const from = strategy.outputAt(Math.max(answer, 0));
    if (answer < 0) return { status: answer, names: [], hex: "" };
    const names: string[] = [];
    const walker = new RecordWalker();
    walker.begin(strategy.views, from, answer);
    for (let kind = walker.step(); kind !== 0; kind = walker.step())
      names.push(Object.entries(OUTPUT_KIND).find(([, number]) => number === kind)?.[0] ?? walker.fault);
    return { status: 0, names, hex: Buffer.from(strategy.views.u8.slice(from, from + answer)).toString("hex") };
  });
}

describe.runIf(requires("bubblewrap") && requires("python3") && requires("rust-wasm"))("the ABI, in four kinds", () => {
  const folder = temporaryFolder();
  const guards: Guarding[] = [];
  const strategies = new Map<RuntimeKind, Strategy>();
  const ended = new Set<RuntimeKind>();
  const played = (kind: RuntimeKind, calls: readonly Call[]): Answer[] => {
    const strategy = strategies.get(kind);
    if (strategy === undefined) throw new Error(`no ${kind}`);
    // on_init begins anew by itself; what comes before it, or after on_shutdown, needs a strategy that has seen nothing.
    if (calls[0]?.callback !== CALLBACK.init || ended.delete(kind)) expect(strategy.reset()).toBeNull();
    if (calls.some(({ callback }) => callback === CALLBACK.shutdown)) ended.add(kind);
    return play(strategy, calls);
  };
  beforeAll(async () => {
    await buildAll(folder.path);
    for (const kind of KINDS) {
      // A guard watches one process.
      const guard = await startGuard();
      guards.push(guard);
      strategies.set(kind, openKind(folder.path, kind, guard));
    }
  }, 180_000);
  afterAll(async () => {
    for (const strategy of strategies.values()) strategy.close();
    for (const guard of guards) await guard.stop();
    folder.remove();
  });

  it.each(TABLE)("[M-1.1.2] %s", (_, calls, expected) => {
    const reference = played("rust_wasm", calls);
    const last = reference.at(-1);
    expect(last?.status === 0 ? last.names : [last?.status]).toEqual(expected);
    for (const kind of KINDS) expect([kind, played(kind, calls)]).toEqual([kind, reference]);
  });

  it("[M-1.1.2] [M-8.1.2] an order that the gate refused comes back to its strategy, in every kind", async () => {
    const builder = new FeedBuilder(3);
    // At price 1 it sells 50 at the trade's quantity: 5.00 of a capital of 1.
    for (const [row, price] of [20, 1, 20].entries())
      builder.trade({
        instrument: 0,
        event_time_us: NOW + row,
        received_time_us: NOW + row,
        flags: 0,
        price,
        quantity: 10_000,
        aggressor: 0,
        trade_id: row + 1,
      });
    const feed = builder.finish();
    for (const kind of KINDS) {
      const strategy = strategies.get(kind);
      if (strategy === undefined) throw new Error(kind);
      expect(strategy.reset()).toBeNull();
      const heard: string[] = [];
      const base = spec(join(folder.path, `run-${kind}`), { descriptor: describeKind(folder.path, kind) });
      const { host } = await hosted(
        { ...base, limits: { ...base.limits, capital: "1" } },
        { feed, strategy, onResult: ({ tag, score }) => heard.push(`${tag} ${score}`) },
      );
      while (host.status().phase === "running") await host.turn();
      expect([kind, heard.filter((tag) => tag.startsWith("execution."))]).toEqual([
        kind,
        ["execution.key 1", `execution.reason ${REFUSAL.limit}`, "execution.fee 0"],
      ]);
    }
  });

  it("[M-1.1.2] [M-5.2.6] a refusal leaves a report with its code, in every kind", () => {
    for (const kind of KINDS) {
      const strategy = strategies.get(kind);
      expect(strategy?.reset()).toBeNull();
      if (strategy === undefined) continue;
      expect(play(strategy, [init(), trade(10)]).at(-1)?.status).toBe(STATUS.strategy_error);
      const at = strategy.outputAt(0);
      const report = makeErrorReport();
      expect(readErrorReport(strategy.views, at, strategy.views.u32[(at + 4) >> 2] ?? 0, report)).toBe("");
      expect([kind, report.code, Buffer.from(report.text).toString()]).toEqual([kind, 5, "ten"]);
    }
  });

  it("[M-1.1.2] [M-2.4.2] what every kind leaves out is named as missing", () => {
    for (const kind of KINDS) {
      const answer = played(kind, [init({}, undefined, { bot: 0 }), trade(6)]).at(-1);
      const strategy = strategies.get(kind);
      const meta = makeIntentMeta();
      if (strategy === undefined) throw new Error(kind);
      expect(readIntentMeta(strategy.views, strategy.outputAt((answer?.hex.length ?? 0) / 2), meta)).toBe("");
      expect([kind, missingMetadata(meta)]).toEqual([kind, "bot_id"]);
    }
  });
});
