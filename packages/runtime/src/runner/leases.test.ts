import { describe, expect, it } from "vitest";
import { LEASE_TIMES, LeaseFence } from "./leases.ts";

const MS = 1_000_000n;
function fence(slots = 2): { readonly fence: LeaseFence; readonly at: (ms: number) => void } {
  let now = 1n;
  return { fence: new LeaseFence(slots, () => now), at: (ms) => (now = BigInt(ms) * MS) };
}

describe("lease fence", () => {
  it("[M-7.1.2] opens until the sending moment + ttl − margin, and never again after that", () => {
    const { fence: of, at } = fence();
    const slot = of.take() ?? -1;
    expect(of.isOpen(slot)).toBe(false);
    of.open(slot, 1_000n * MS, 10_000);
    const deadline = 1_000 + 10_000 - LEASE_TIMES.margin_ms;
    at(deadline - 1);
    expect(of.isOpen(slot)).toBe(true);
    at(deadline);
    expect(of.isOpen(slot)).toBe(false);
    expect(of.renew(slot, BigInt(deadline) * MS, 10_000), "too late").toBe(false);
    at(deadline - 1);
    expect(of.isOpen(slot), "even if the clock were to go back").toBe(false);
  });
  it("a renewal in time moves the deadline; closing ends it; a slot given back is closed; no more slots than there are", () => {
    const { fence: of, at } = fence(1);
    const slot = of.take() ?? -1;
    expect(of.take()).toBe(undefined);
    of.open(slot, 0n, 5_000);
    at(2_000);
    expect(of.renew(slot, 2_000n * MS, 5_000)).toBe(true);
    at(4_000);
    expect(of.isOpen(slot)).toBe(true);
    of.giveBack(slot);
    expect(of.isOpen(slot)).toBe(false);
    expect(of.take()).toBe(slot);
  });
});
