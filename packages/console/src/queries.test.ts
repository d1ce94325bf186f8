import { describe, expect, it } from "vitest";
import { environmentOf, queriesTouchedBy } from "./queries.ts";

describe("what a change of the feed makes stale", () => {
  it.each([
    ["fill", ["positions", "fills", "orders", "instances"]],
    ["order", ["orders"]],
    ["lease.acquired", ["leases", "audit", "log"]],
    ["position", ["positions"]],
    ["health", ["instances", "bot"]],
    ["safety", ["safety"]],
    ["pack.approved", ["packs", "audit", "log"]],
    ["bot.state.transition", ["bots", "bot", "audit", "log"]],
    ["venue.registered", ["venues", "audit", "log"]],
    ["safety.transition", ["safety", "audit", "log"]],
    ["controlplane.command.denied", ["audit", "log"]],
    ["execution.killswitch.set", ["killswitch", "audit", "log"]],
    ["dangerous_op.approve", ["challenges", "audit", "log"]],
    ["change.approved", ["changes", "audit", "log"]],
    ["gate", ["gates"]],
    ["intent", ["staged"]],
    ["something new", []],
  ])("%s", (kind, keys) => {
    expect(queriesTouchedBy(kind)).toEqual(keys);
  });
});

describe("the environment", () => {
  it("is what the signed log is named after, and unknown while the log is not verified", () => {
    const origin = "rumi.local/staging/0192f0c8-0000-7000-8000-000000000001";
    expect(environmentOf({ kind: "verified", size: 1, remembered: 0, origin, instead_of: null })).toBe("staging");
    expect(environmentOf({ kind: "broken", problem: "" })).toBeNull();
    expect(environmentOf(undefined)).toBeNull();
  });
});
