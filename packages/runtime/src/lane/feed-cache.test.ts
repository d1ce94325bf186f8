import { failure, err, ok } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { market, spec } from "../../test/support.ts";
import { FeedCache } from "./feed-cache.ts";

const source = (path: string) => {
  const { venue, instruments } = spec("");
  const [instrument] = instruments;
  if (instrument === undefined) throw new Error("the fixture has an instrument");
  const file = { path, format: "binance_agg_trades" as const, instrument, sha256: `sha256:${"a".repeat(64)}` as const };
  return { venue: { ...venue, files: [file as never] }, instruments };
};

describe("feeds of a lane", () => {
  it("are loaded once for all that follow the same recording, and go with the last of them", async () => {
    let loads = 0;
    const cache = new FeedCache(async () => {
      loads += 1;
      return ok(market(10));
    });
    const [one, two] = await Promise.all([cache.take(source("a")), cache.take(source("a"))]);
    expect(one.ok && two.ok && one.value === two.value).toBe(true);
    await cache.take(source("b"));
    expect([loads, cache.size]).toEqual([2, 2]);
    cache.giveBack(source("a"));
    expect(cache.size).toBe(2);
    cache.giveBack(source("a"));
    cache.giveBack(source("b"));
    expect(cache.size).toBe(0);
    await cache.take(source("a"));
    expect(loads).toBe(3);
  });

  it("that cannot be loaded are tried again by the next one", async () => {
    let fails = true;
    const cache = new FeedCache(async () =>
      fails ? err(failure("RUMI-STR-034", { path: "a", problem: "gone" })) : ok(market(10)),
    );
    expect((await cache.take(source("a"))).ok).toBe(false);
    expect(cache.size).toBe(0);
    fails = false;
    expect((await cache.take(source("a"))).ok).toBe(true);
  });
});
