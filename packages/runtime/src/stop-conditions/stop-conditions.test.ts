/** Each condition on a recorded market, against a second way of counting that shares no code; both sides of each limit. */
import { join } from "node:path";
import { formatDecimal } from "@rumi/kernel";
import type { MarketFeed } from "@rumi/venues";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { crossing, hosted, type Hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { ScriptedStrategy } from "../../test/scripted.ts";
import { market, spec } from "../../test/support.ts";
import { comparable, isReproduced } from "../instance/recorder.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { StopCondition, StopConditions } from "./config.ts";

const ROWS = 6_000;
/** Amounts of the instrument: price at 2 decimals times quantity at 3. */
const DIGITS = 5;
const feed: MarketFeed = market(ROWS);
const folders: { remove: () => void }[] = [];
const clear = (): void => folders.splice(0).forEach((folder) => folder.remove());
afterEach(clear);
const run = (change: Partial<InstanceSpec> = {}): InstanceSpec => {
  const folder = temporaryFolder();
  folders.push(folder);
  return spec(join(folder.path, "run"), change);
};
type Make = () => Strategy;
async function ended(one: InstanceSpec, make: Make = crossing): Promise<Hosted> {
  const it = await hosted(one, { feed, strategy: make() });
  while (it.host.phase === "running") await it.host.turn();
  await it.host.checkpoint("seen");
  return it;
}

type Moment = { readonly row: number; readonly amount: bigint };
/** Where each amount was at its highest for the first time, of a run that nothing ended. */
type Extremes = { readonly [of in "loss" | "drawdown" | "exposure"]: Moment };

function extremesOf(entries: readonly JournalEntry[]): Extremes {
  const fills = new Map<number, { quantity: bigint; flow: bigint }>();
  for (const entry of entries) {
    if (entry.kind !== "fill") continue;
    const { side, price, quantity, fee } = entry.fill as Record<string, string>;
    const whole = (text: string | undefined, digits: number): bigint => {
      const [units = "0", rest = ""] = (text ?? "0").split(".");
      return BigInt(`${units}${rest.padEnd(digits, "0")}`);
    };
    const signed = whole(quantity, 3) * (side === "buy" ? 1n : -1n);
    const before = fills.get(entry.cursor) ?? { quantity: 0n, flow: 0n };
    fills.set(entry.cursor, {
      quantity: before.quantity + signed,
      flow: before.flow - whole(price, 2) * signed - whole(fee, DIGITS),
    });
  }
  let [held, cash, last, peak] = [0n, 0n, 0n, 0n];
  const most = { loss: { row: -1, amount: 0n }, drawdown: { row: -1, amount: 0n }, exposure: { row: -1, amount: 0n } };
  for (let row = 0; row < feed.length; row += 1) {
    if (feed.price[row] !== 0) last = BigInt(feed.price[row] ?? 0);
    const filled = fills.get(row);
    held += filled?.quantity ?? 0n;
    cash += filled?.flow ?? 0n;
    const equity = cash + held * last;
    if (equity > peak) peak = equity;
    const now = { loss: -equity, drawdown: peak - equity, exposure: held < 0n ? -held * last : held * last };
    for (const name of ["loss", "drawdown", "exposure"] as const)
      if (now[name] > most[name].amount) most[name] = { row, amount: now[name] };
  }
  return most;
}

let plain: readonly JournalEntry[] = [];
let extremes: Extremes;
beforeAll(async () => {
  const one = run();
  await ended(one);
  plain = journalOf(one);
  extremes = extremesOf(plain);
}, 180_000);
afterAll(clear);

const reproduced = (one: InstanceSpec) => journalOf(one).filter(isReproduced).map(comparable);
const halts = (one: InstanceSpec) =>
  journalOf(one).flatMap((entry) =>
    entry.kind === "health" && entry.health_state === "halted" ? [[entry.cursor, entry.reason_code]] : [],
  );

/** At its limit nothing trips; one unit less, and it does at the row where the amount was reached. A replay makes the same. */
async function bothSides(
  condition: StopCondition,
  at: { readonly within: StopConditions; readonly beyond: StopConditions; readonly row: number },
  { make = crossing, without = plain }: { readonly make?: Make; readonly without?: readonly JournalEntry[] } = {},
): Promise<Hosted> {
  const fits = run({ stop_conditions: at.within });
  const went = await ended(fits, make);
  expect([went.host.phase, went.host.status().stop_condition]).toEqual(["feed_ended", undefined]);
  const orders = (entries: readonly JournalEntry[]) =>
    entries.filter(({ kind }) => kind === "order" || kind === "fill");
  expect(orders(journalOf(fits)).length, "the limit itself changes nothing").toBe(orders(without).length);

  const one = run({ stop_conditions: at.beyond });
  const it = await ended(one, make);
  const reason_code = `M.STOP.${condition.toUpperCase()}`;
  expect(halts(one)).toEqual([[at.row, reason_code]]);
  expect(it.host.status()).toMatchObject({
    phase: "paused",
    health_state: "halted",
    reason_code,
    stop_condition: { condition, reason_code },
  });
  // Nothing leaves once it tripped.
  const sent = journalOf(one).filter(
    (entry) => entry.cursor > at.row && entry.kind === "intent" && entry.verdict === "forwarded",
  );
  expect(sent).toEqual([]);
  const before = reproduced(one);
  const told = it.host.status().stop_condition;
  loseCheckpoints(one);
  const again = await hosted({ ...one, start: "resume", epoch: 2 }, { feed, strategy: make() });
  expect(reproduced(one), "a replay trips at the same row").toEqual(before);
  expect(again.host.status().stop_condition).toEqual(told);
  expect(await again.host.turn()).toBe("idle");
  return it;
}

const UNIT = "0.00001";
const text = (amount: bigint): string => formatDecimal(amount, DIGITS);

describe("[L-08] stop conditions in the runtime, on recorded data", () => {
  for (const name of ["loss", "drawdown", "exposure"] as const)
    it(`${name}: at its limit it runs on, one unit of ${UNIT} beyond it is halted at that very row, in every life`, async () => {
      const { row, amount } = extremes[name];
      expect(amount, `the recording has a ${name}`).toBeGreaterThan(1n);
      const limit = `max_${name}`;
      const it = await bothSides(name, {
        within: { [limit]: text(amount) },
        beyond: { [limit]: text(amount - 1n) },
        row,
      });
      expect(it.host.status().stop_condition).toMatchObject({ observed: text(amount), limit: text(amount - 1n) });
    });

  it("order rate: as many orders in the window as are allowed run on, one more is halted before it leaves", async () => {
    const within_us = 3_600_000_000;
    const times = plain.flatMap((entry) =>
      entry.kind === "intent" && (entry.client_order_id !== null || entry.intent["kind"] === "amend") ? [entry] : [],
    );
    const counts = times.map(
      (entry, at) =>
        times.slice(0, at + 1).filter((one) => entry.event_time_us - one.event_time_us <= within_us).length,
    );
    const most = Math.max(...counts);
    const row = times[counts.indexOf(most)]?.cursor ?? -1;
    expect(most).toBeGreaterThan(2);
    await bothSides("order_rate", {
      within: { max_order_rate: { count: most, within_us } },
      beyond: { max_order_rate: { count: most - 1, within_us } },
      row,
    });
  });

  it("rejections: as many in the window as are allowed run on, with the next one it is halted", async () => {
    // Reduce-only with nothing to reduce: the exchange refuses each.
    const make: Make = () =>
      new ScriptedStrategy((_event, nth) =>
        nth % 500 === 0 ? [{ side: "sell", type: "limit", price: 10_000, quantity: 1, reduce_only: true }] : [],
      );
    const one = run();
    await ended(one, make);
    const without = journalOf(one);
    const rejected = without.filter((entry) => entry.kind === "order" && entry.report["report"] === "rejected");
    expect(rejected.length).toBeGreaterThan(5);
    const [first, , , fourth] = rejected;
    const within_us = (fourth?.event_time_us ?? 0) - (first?.event_time_us ?? 0);
    const beyond = { max_rejections: { count: 3, within_us } };
    const spans = rejected.slice(3).map((entry, at) => entry.event_time_us - (rejected[at]?.event_time_us ?? 0));
    const narrower = Math.min(...spans) - 1;
    await bothSides(
      "rejections",
      { within: { max_rejections: { count: 3, within_us: narrower } }, beyond, row: fourth?.cursor ?? -1 },
      { make, without },
    );
    const more = run({ stop_conditions: { max_rejections: { count: rejected.length, within_us: 86_400_000_000 } } });
    expect((await ended(more, make)).host.phase, "as many as there are").toBe("feed_ended");
  });
});
