import { afterEach, describe, expect, it } from "vitest";
import { err, failure, ok, type Result, type Failure } from "@rumi/kernel";
import { type Kit, openKit } from "../test/kit.ts";
import { createReconciler, type Reconcile, type Reconciler, type Wish } from "./reconciler.ts";

let kit: Kit;
afterEach(() => kit.close());

const make = (handler: Reconcile): Reconciler =>
  createReconciler({
    store: kit.store,
    clock: kit.clock,
    logger: kit.pipeline.settings.logger,
    handlers: new Map([["counter.announce", handler]]),
    idle_ms: 100,
  });
const add = (counter_id = "a"): Promise<unknown> =>
  kit.send("counters.add", { command_id: kit.id(), counter_id, reason: "test" });
const left = async (): Promise<number> => (await kit.rows("SELECT * FROM outbox")).length;

describe("effects", () => {
  it("are carried out once from the newest wish, then forgotten", async () => {
    kit = await openKit();
    await add();
    await add();
    const seen: Wish[] = [];
    const reconciler = make((wish) => (seen.push(wish), Promise.resolve(ok(undefined))));
    expect(await reconciler.round()).toBe(1);
    expect(await reconciler.round()).toBe(0);
    expect(seen.map(({ payload }) => payload)).toEqual([{ value: 2 }]);
    expect(await left()).toBe(0);
  });
  it("a wish that changed while it was worked on is worked on again", async () => {
    kit = await openKit();
    await add();
    const seen: unknown[] = [];
    const reconciler = make(async ({ payload }) => {
      seen.push(payload);
      if (seen.length === 1) await add();
      return ok(undefined);
    });
    await reconciler.round();
    expect(await left()).toBe(1);
    await reconciler.round();
    expect(seen).toEqual([{ value: 1 }, { value: 2 }]);
    expect(await left()).toBe(0);
  });
  it("failing and throwing ones wait longer each time and stop nobody else", async () => {
    kit = await openKit();
    await add("bad");
    await add("worse");
    await add("good");
    const tried: string[] = [];
    const reconciler = make(({ key }): Promise<Result<void, Failure>> => {
      tried.push(key);
      if (key === "worse") throw new Error("a planted fault");
      return Promise.resolve(key === "bad" ? err(failure("RUMI-SYS-009")) : ok(undefined));
    });
    await reconciler.round();
    expect(await left()).toBe(2);
    expect(await reconciler.round()).toBe(0); // not due yet
    kit.clock.advance(1_000);
    expect(await reconciler.round()).toBe(2);
    kit.clock.advance(500);
    expect(await reconciler.round()).toBe(0);
    kit.clock.advance(1_000);
    expect(await reconciler.round()).toBe(2);
    expect(tried.filter((key) => key === "good")).toHaveLength(1);
  });
  it("runs until told to stop", async () => {
    kit = await openKit();
    await add();
    const stop = new AbortController();
    const done = make(() => {
      stop.abort();
      return Promise.resolve(ok(undefined));
    }).run(stop.signal);
    await done;
    expect(await left()).toBe(0);
  });
});
