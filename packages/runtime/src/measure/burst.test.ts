import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { entriesOf } from "../../test/host-kit.ts";
import { descriptor, market, spec } from "../../test/support.ts";
import { runBurst } from "./burst.ts";

const TRADES = 100_000;
const CANCELS = 1_000;
/**
 * Trades that may come before a cancel although they were later: a few slices, of a hundred thousand. How long that takes
 * is the bench's figure (`burst_cancel_p99_ms`): on a busy machine time says nothing.
 */
const OVERTAKEN = 10_000;

const rooms: { remove: () => void }[] = [];
afterEach(() => {
  for (const room of rooms.splice(0)) room.remove();
});

function burstSpec() {
  const room = temporaryFolder();
  rooms.push(room);
  const base = descriptor();
  return spec(join(room.path, "run"), {
    mode: "live",
    descriptor: {
      ...base,
      resources: { ...base.resources, intents_per_event: CANCELS, intents_per_second: 1_000_000 },
    },
    limits: { capital: "1000000000000", intents_per_second: 1_000_000, max_open_orders: CANCELS },
  });
}

it(
  "[M-4.2.2] [M-4.2.3] a thousand cancels inside a hundred thousand trades: each heard once, in its order, and soon",
  { timeout: 120_000 },
  async () => {
    const of = burstSpec();
    const result = await runBurst({ spec: of, trades: market(TRADES), cancels: CANCELS });
    expect(result.heard).toHaveLength(CANCELS);
    expect(result.heard.every((one) => one.cancelled)).toBe(true);
    const sent = entriesOf(of).flatMap((entry) => (entry.kind === "intent" ? [entry.client_order_id] : []));
    expect(sent).toHaveLength(CANCELS);
    expect(result.heard.map((one) => one.client_order_id)).toEqual(sent);
    expect(result.rows).toBe(TRADES);
    expect(Math.max(...result.overtaken)).toBeLessThan(OVERTAKEN);
  },
);
