import { join } from "node:path";
import { CALLBACK, INPUT_KIND, makeInitCall, readInitCall, writeSavedState } from "@rumi/abi";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { type Heard, type OrderWish, ScriptedStrategy, type ToldReport, type Wish } from "../../test/scripted.ts";
import { spec } from "../../test/support.ts";
import type { InstanceSpec } from "../protocol.ts";
import type { CallbackNumber } from "../strategy/strategy.ts";
import { comparable, isReproduced } from "./recorder.ts";

const folders: { remove: () => void }[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));

const STATE_AT = 262_144;
const BROKE = -1;
type Memory = { orders: number; ended: number; fills: number };
/** Which call breaks it: told a word (a report's or "trade") for the nth time, as it remembers. */
type Breaks = (word: string, memory: Memory) => boolean;

const AT_THE_MARKET: OrderWish = { side: "buy", type: "market", price: 0, quantity: 1_000 };
const TWO_SMALL: readonly OrderWish[] = Array.from({ length: 2 }, () => ({ ...AT_THE_MARKET, quantity: 10 }));
const RESTING: OrderWish = { side: "buy", type: "limit", price: 100, quantity: 1_000 };
const ENDED = { kind: "exit", reason_code: "M.SANDBOX.PROCESS_EXIT", detail: "the process ended" } as const;
const isFill = (word: string): boolean => word === "filled" || word === "partially_filled";

/** Buys now and then while it knows of no open order; all that it knows is in its state, and a break forgets the rest. */
class Mindful extends ScriptedStrategy {
  memory: Memory = { orders: 0, ended: 0, fills: 0 };
  /** Each as it was right before. */
  readonly broke: Memory[] = [];
  readonly #breaks: Breaks;
  #left: number;
  /** The number of the save that breaks it, from 1; 0: none does. */
  #badSave: number;
  #saves = 0;

  constructor(breaks: Breaks, { times = 1, wishes = [AT_THE_MARKET] as readonly OrderWish[], badSave = 0 } = {}) {
    super(
      ({ event_time_us }: Heard): readonly Wish[] => {
        if (event_time_us % 101 !== 0 || this.memory.orders > this.memory.ended) return [];
        this.memory.orders += wishes.length;
        return wishes;
      },
      ({ report }: ToldReport): readonly Wish[] => {
        if (isFill(report)) this.memory.fills += 1;
        if (report === "filled" || report === "cancelled") this.memory.ended += 1;
        return [];
      },
    );
    this.#breaks = breaks;
    this.#left = times;
    this.#badSave = badSave;
  }

  override invoke(callback: CallbackNumber, length: number): number {
    const { views } = this;
    if (callback === CALLBACK.init) {
      const init = makeInitCall();
      readInitCall(views, 0, length, init);
      const [orders = 0, ended = 0, fills = 0] =
        init.state.length === 0 ? [] : new Uint32Array(init.state.slice().buffer);
      this.memory = { orders, ended, fills };
    }
    if (callback === CALLBACK.save_state && (this.#saves += 1) === this.#badSave) return BROKE;
    if (callback === CALLBACK.save_state) {
      const { orders, ended, fills } = this.memory;
      const state = new Uint8Array(Uint32Array.of(orders, ended, fills).buffer);
      return writeSavedState(views, STATE_AT, { schemaVersion: 1, state });
    }
    const before = { ...this.memory };
    const answer = super.invoke(callback, length);
    if (callback !== CALLBACK.event) return answer;
    const word = views.u16[0] === INPUT_KIND.execution_event ? (this.reports.at(-1)?.report ?? "") : "trade";
    if (this.#left === 0 || !this.#breaks(word, before)) return answer;
    this.#left -= 1;
    this.broke.push(before);
    return BROKE;
  }
}

async function day(strategy: Mindful, venue = (plain: InstanceSpec["venue"]): InstanceSpec["venue"] => plain) {
  const folder = temporaryFolder();
  folders.push(folder);
  const plain = spec(join(folder.path, "run"));
  const one = { ...plain, venue: venue(plain.venue) };
  const it = await hosted(one, { strategy });
  while (it.host.phase === "running") await it.host.turn();
  return { one, host: it.host, memory: strategy.memory, fills: it.host.status().counters["fills_total"] ?? 0 };
}
const recorded = (one: InstanceSpec): readonly string[] =>
  journalOf(one)
    .filter((entry) => isReproduced(entry))
    .map((entry) => comparable(entry));

describe("a strategy that breaks forgets neither its orders nor its fills", () => {
  it.each<readonly [string, Breaks, readonly OrderWish[]]>([
    ["at a fill itself", (word, { fills }) => isFill(word) && fills === 2, [AT_THE_MARKET]],
    ["at the next trade after a fill", (word, { fills }) => word === "trade" && fills === 3, [AT_THE_MARKET]],
    ["at the second of two fills in one row", (word, { fills }) => isFill(word) && fills === 1, TWO_SMALL],
  ])("[M-5.2.6] [M-6.1.2] %s", async (_, breaks, wishes) => {
    const strategy = new Mindful(breaks, { wishes });
    const { host, memory, fills, one } = await day(strategy);
    expect(strategy.broke).toHaveLength(1);
    expect(fills).toBeGreaterThan(10);
    expect(memory.fills).toBe(fills);
    // One that forgot an open order would have sent another beside it.
    expect(memory.orders - memory.ended).toBeLessThanOrEqual(wishes.length);
    expect(new Set(strategy.told).size, "what was told twice").toBeGreaterThanOrEqual(strategy.told.length - 1);
    expect((await host.stop("done")).ok).toBe(true);

    // [M-0.6] A life that makes it all again comes to the same record, fault and second telling included.
    const before = recorded(one);
    loseCheckpoints(one);
    const again = await hosted(
      { ...one, start: "resume", epoch: 2 },
      { strategy: new Mindful(() => false, { wishes }) },
    );
    expect(recorded(one)).toEqual(before);
    await again.host.stop("done");
  });

  it.each([2, 3, 4, 5, 6, 7])(
    "[M-0.7] a save that fails (the %i.) comes out again where it failed",
    async (badSave) => {
      const { host, one } = await day(new Mindful(() => false, { badSave }));
      expect((await host.stop("done")).ok).toBe(true);
      const before = recorded(one);
      expect(before.filter((entry) => entry.includes('"save_state"'))).toHaveLength(1);
      loseCheckpoints(one);
      const again = await hosted({ ...one, start: "resume", epoch: 2 }, { strategy: new Mindful(() => false) });
      expect(recorded(one)).toEqual(before);
      await again.host.stop("done");
    },
  );

  it("[M-5.2.6] [M-6.1.2] at the next trade after an order went out: it sends no other beside it", async () => {
    const strategy = new Mindful((word, { orders }) => word === "trade" && orders === 1, { wishes: [RESTING] });
    // Its acceptance is on the way for an hour.
    const { host } = await day(strategy, (venue) => ({ ...venue, latency_us: 3_600_000_000 }));
    expect(strategy.broke).toEqual([{ orders: 1, ended: 0, fills: 0 }]);
    expect(host.status().counters['intent_emitted_total{type="order"}']).toBe(1);
  });

  it.each([
    [1, "healthy"],
    [2, "halted"],
  ])("[M-5.2.6] one that ends %i times before it has begun again is %s", async (times, health_state) => {
    const strategy = new Mindful(isFill);
    let left = times;
    const invoke = strategy.invoke.bind(strategy);
    strategy.invoke = (callback, length) =>
      callback === CALLBACK.init && strategy.broke.length > 0 && left-- > 0 ? BROKE : invoke(callback, length);
    strategy.fault = () => (strategy.broke.length === 0 ? null : ENDED);
    const { host } = await day(strategy);
    expect(host.status()).toMatchObject({ health_state });
    await host.stop("done");
  });

  it("[M-5.3.1] a report that breaks it every time is told it twice, not for ever", async () => {
    const strategy = new Mindful(isFill, { times: Number.POSITIVE_INFINITY });
    const { host, fills } = await day(strategy);
    expect(host.status()).toMatchObject({ health_state: "degraded" });
    expect([fills, strategy.broke.length]).toEqual([1, 2]);
  });
});
