/**
 * Feeds as columns: allocating, slicing, putting in order, joining several into one (feed-builder.ts grows them).
 *
 * A feed is ordered by received time; rows of the same time keep the order in which they were given
 * (file order, and earlier files first).
 *
 * Invariants
 * - Nothing is lost or doubled by ordering; ordering is stable (columns.test.ts).
 */
import { joinTables, sparse } from "./tables.ts";
import { MARKET_KIND, type MarketFeed, type MixedColumns, type TradeColumns } from "./types.ts";

/** Quality flags of a row (M-11.1). */
export const FLAG_STALE = 1;
export const FLAG_GAP = 2;
export const FLAG_DUPLICATE = 4;
export const FLAG_OUT_OF_ORDER = 8;
export const FLAG_CLOCK_DRIFT = 16;

export function allocateColumns(length: number): TradeColumns {
  return {
    length,
    instrument: new Uint16Array(length),
    event_time_us: new Float64Array(length),
    received_time_us: new Float64Array(length),
    price: new Float64Array(length),
    quantity: new Float64Array(length),
    aggressor: new Uint8Array(length),
    trade_id: new Float64Array(length),
    flags: new Uint8Array(length),
  };
}

/** Columns whose first rows nobody will touch. */
export function allocateSparse(length: number): TradeColumns {
  const float = (): Float64Array => sparse(Float64Array, length);
  return {
    length,
    instrument: sparse(Uint16Array, length),
    event_time_us: float(),
    received_time_us: float(),
    price: float(),
    quantity: float(),
    aggressor: sparse(Uint8Array, length),
    trade_id: float(),
    flags: sparse(Uint8Array, length),
  };
}

/** Rows [from, to) as a view on the same memory. */
export function sliceColumns(feed: MarketFeed, from: number, to: number): MarketFeed {
  const start = Math.max(0, Math.min(from, feed.length));
  const end = Math.max(start, Math.min(to, feed.length));
  const { mixed } = feed;
  const rows: TradeColumns = {
    length: end - start,
    instrument: feed.instrument.subarray(start, end),
    event_time_us: feed.event_time_us.subarray(start, end),
    received_time_us: feed.received_time_us.subarray(start, end),
    price: feed.price.subarray(start, end),
    quantity: feed.quantity.subarray(start, end),
    aggressor: feed.aggressor.subarray(start, end),
    trade_id: feed.trade_id.subarray(start, end),
    flags: feed.flags.subarray(start, end),
  };
  if (mixed === undefined) return rows;
  return {
    ...rows,
    mixed: { ...mixed, kind: mixed.kind.subarray(start, end), detail: mixed.detail.subarray(start, end) },
  };
}

/** Rows whose received time lies in [from_us, to_us); the feed must be ordered. */
export function sliceByTime(feed: MarketFeed, from_us: number, to_us: number): MarketFeed {
  return sliceColumns(feed, firstAtOrAfter(feed, from_us), firstAtOrAfter(feed, to_us));
}

/** Joins feeds into one ordered feed. `instruments[i][k]` is the joined index of feed i's instrument k. */
export function mergeFeeds(
  parts: readonly { readonly columns: MarketFeed; readonly instruments: readonly number[] }[],
): MarketFeed {
  const joined = allocateColumns(parts.reduce((sum, part) => sum + part.columns.length, 0));
  let offset = 0;
  for (const { columns, instruments } of parts) {
    copyColumns(columns, joined, offset);
    for (let row = 0; row < columns.length; row += 1) {
      const target = instruments[columns.instrument[row] ?? 0];
      if (target === undefined)
        throw new RangeError(`row ${row} names instrument ${columns.instrument[row]}, which the merge does not map`);
      joined.instrument[offset + row] = target;
    }
    offset += columns.length;
  }
  const mixed = joinMixed(parts.map((part) => part.columns));
  return orderByReceivedTime(mixed === undefined ? joined : { ...joined, mixed });
}

/** The same rows in received order, stable; the argument itself when it is in order already. */
export function orderByReceivedTime(columns: MarketFeed): MarketFeed {
  const order = stableOrder(columns.received_time_us);
  if (order === undefined) return columns;
  const sorted = allocateColumns(columns.length);
  for (let row = 0; row < columns.length; row += 1) {
    const from = order[row] ?? 0;
    sorted.instrument[row] = columns.instrument[from] ?? 0;
    sorted.event_time_us[row] = columns.event_time_us[from] ?? 0;
    sorted.received_time_us[row] = columns.received_time_us[from] ?? 0;
    sorted.price[row] = columns.price[from] ?? 0;
    sorted.quantity[row] = columns.quantity[from] ?? 0;
    sorted.aggressor[row] = columns.aggressor[from] ?? 0;
    sorted.trade_id[row] = columns.trade_id[from] ?? 0;
    sorted.flags[row] = columns.flags[from] ?? 0;
  }
  const { mixed } = columns;
  if (mixed === undefined) return sorted;
  return {
    ...sorted,
    mixed: {
      ...mixed,
      kind: Uint8Array.from(order, (from) => mixed.kind[from] ?? 0),
      detail: Uint32Array.from(order, (from) => mixed.detail[from] ?? 0),
    },
  };
}

/** Copies `from`'s trade columns into `to` at row `offset`; the kinds' tables are not touched. */
export function copyColumns(from: TradeColumns, to: TradeColumns, offset: number): void {
  to.instrument.set(from.instrument, offset);
  to.event_time_us.set(from.event_time_us, offset);
  to.received_time_us.set(from.received_time_us, offset);
  to.price.set(from.price, offset);
  to.quantity.set(from.quantity, offset);
  to.aggressor.set(from.aggressor, offset);
  to.trade_id.set(from.trade_id, offset);
  to.flags.set(from.flags, offset);
}

/** `undefined` where every row of every part is a trade. */
function joinMixed(parts: readonly MarketFeed[]): MixedColumns | undefined {
  if (parts.every((part) => part.mixed === undefined)) return undefined;
  const rows = parts.reduce((sum, part) => sum + part.length, 0);
  const kind = new Uint8Array(rows).fill(MARKET_KIND.trade);
  const detail = new Uint32Array(rows);
  const { tables, offsets } = joinTables(parts.map((part) => part.mixed));
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const { mixed } = part;
    const shift = offsets[index];
    for (let row = 0; mixed !== undefined && shift !== undefined && row < part.length; row += 1) {
      const of = mixed.kind[row] ?? 0;
      kind[at + row] = of;
      detail[at + row] = (mixed.detail[row] ?? 0) + (shift[of] ?? 0);
    }
    at += part.length;
  }
  return { kind, detail, ...tables };
}

function firstAtOrAfter(columns: MarketFeed, time_us: number): number {
  let low = 0;
  let high = columns.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((columns.received_time_us[middle] ?? 0) < time_us) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Natural merge sort: recordings are a few ascending runs, so this is linear in practice. */
function stableOrder(times: Float64Array): Uint32Array | undefined {
  const count = times.length;
  let runs: number[] = [0];
  for (let i = 1; i < count; i += 1) if ((times[i] ?? 0) < (times[i - 1] ?? 0)) runs.push(i);
  if (runs.length === 1) return undefined;
  runs.push(count);
  let from = Uint32Array.from({ length: count }, (_, i) => i);
  let into = new Uint32Array(count);
  while (runs.length > 2) {
    const merged: number[] = [0];
    for (let r = 0; r + 1 < runs.length; r += 2) {
      const start = runs[r] ?? 0;
      const middle = runs[r + 1] ?? count;
      const end = runs[r + 2] ?? middle;
      mergeRuns(times, from, into, start, middle, end);
      merged.push(end);
    }
    runs = merged;
    [from, into] = [into, from];
  }
  return from;
}

function mergeRuns(
  times: Float64Array,
  from: Uint32Array,
  into: Uint32Array,
  start: number,
  middle: number,
  end: number,
): void {
  let left = start;
  let right = middle;
  for (let at = start; at < end; at += 1) {
    const takeLeft = left < middle && (right >= end || (times[from[left] ?? 0] ?? 0) <= (times[from[right] ?? 0] ?? 0));
    into[at] = (takeLeft ? from[left++] : from[right++]) ?? 0;
  }
}
