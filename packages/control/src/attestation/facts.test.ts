import { describe, expect, it } from "vitest";
import type { InstanceStatus } from "@rumi/runtime";
import type { InstanceRow } from "../instances/tables.ts";
import { stopFacts } from "./facts.ts";
import { climb, NO_STOP, stands } from "./model.ts";

const status = (change: Partial<InstanceStatus>): string =>
  JSON.stringify({ run_id: "r", epoch: 3, phase: "stopped", reason_code: "OPERATOR", orders_open: 0, ...change });
const row = (change: Partial<InstanceRow>): InstanceRow =>
  ({
    bot_id: "b",
    strategy_id: "s",
    instance_id: "main",
    run_id: "r",
    epoch: 3,
    mode: "live",
    phase: "stopped",
    holder: null,
    status: status({}),
    ...change,
  }) as InstanceRow;
const isClear = (instance: InstanceRow): boolean =>
  stands(stopFacts(instance, undefined, 0).reduce(climb, NO_STOP), "OrdersClear");

describe("[L-N8] [L-33] orders are clear by the venue's own word, asked after the cancels", () => {
  it("what the run counts itself is no such word, nor is silence, nor an order that is still there", () => {
    expect(isClear(row({ status: status({ orders_open: 0 }) })), "nobody asked").toBe(false);
    expect(isClear(row({ status: status({ venue_open: null }) })), "it did not say").toBe(false);
    expect(isClear(row({ status: status({ venue_open: 1 }) })), "a cancel was answered and the order is there").toBe(
      false,
    );
    expect(isClear(row({ status: status({ venue_open: 0 }) }))).toBe(true);
  });

  it("only of this run and epoch, and not of one that lost its lease; a run's own venue ends with it", () => {
    expect(isClear(row({ status: status({ venue_open: 0, epoch: 2 }) }))).toBe(false);
    expect(isClear(row({ status: status({ venue_open: 0, reason_code: "M.LEASE.LOST" }) }))).toBe(false);
    expect(isClear(row({ mode: "paper", status: status({}) }))).toBe(true);
  });
});
