import { afterEach, describe, expect, it } from "vitest";
import { createScrubber, type Scrubber } from "@rumi/kernel";
import { type Kit, kitOn, openKit } from "../test/kit.ts";
import { eventProblem, type LedgerEvent } from "@rumi/ledger";
import { scrubbedEvent, scrubbedStore } from "./scrubbing.ts";

const VALUE = "sesame-planted-4b1c9d-and-longer";
let kit: Kit;
afterEach(() => kit.close());

async function kitKnowing(...values: readonly string[]): Promise<Scrubber> {
  const scrubber = createScrubber();
  for (const value of values) scrubber.know("API_KEY", value);
  kit = await openKit({ settings: { scrubber }, store: (real) => scrubbedStore(real, scrubber) });
  return scrubber;
}
const written = async (): Promise<string> => {
  const tables = ["operation_key", "log_payload", "log_entry", "change_feed"];
  const rows = await Promise.all(tables.map((table) => kit.rows(`SELECT * FROM ${table}`)));
  return JSON.stringify(rows, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
  );
};
const add = (over: Record<string, unknown>) =>
  kit.send("counters.add", { command_id: kit.id(), counter_id: "a", by: 5, reason: "test", ...over });

describe("[R-10.1] a known secret in another command", () => {
  it("is in no row: not as a reason, not as a name, not in what it answers", async () => {
    await kitKnowing(VALUE);
    expect(await add({ reason: `because ${VALUE}` })).toMatchObject({
      kind: "done",
      data: { reason: "because [secret API_KEY]" },
    });
    await add({ counter_id: VALUE });
    expect(await written()).toContain("[secret API_KEY]");
    expect(await written()).not.toContain(VALUE);
  });

  it("as its id is refused: the id would have to be kept as it is", async () => {
    await kitKnowing(VALUE);
    expect(await kit.send("vault.set", { name: "N", value: "whatever" }, { key: VALUE })).toMatchObject({
      status: 400,
      failure: { code: "RUMI-VAL-002", params: { field: "Idempotency-Key" } },
    });
  });

  it("is not kept with it while it runs; interrupted, it must be sent again", async () => {
    const scrubber = await kitKnowing(VALUE);
    const never = new Promise<never>(() => {});
    let commits = 0;
    let died = (): void => {};
    const death = new Promise<void>((resolve) => (died = resolve));
    const dying = {
      ...kit.store,
      commit: (batch: Parameters<typeof kit.store.commit>[0]) => {
        commits += 1;
        if (commits === 1) return kit.store.commit(batch);
        died();
        return never;
      },
    };
    void kitOn(dying, { settings: { scrubber } }).send("counters.add", {
      command_id: kit.id(),
      counter_id: VALUE,
      by: 5,
      reason: "test",
    });
    await death;
    expect(await written()).not.toContain(VALUE);
    expect(await kitOn(kit.store, { settings: { scrubber } }).pipeline.recover()).toMatchObject({
      found: 1,
      refused: 1,
    });
  });

  it("that is a word of the log itself stops nothing: such an event is logged as it is", async () => {
    await kitKnowing("SUCCESS", "counters", "IDLE-STATE", "bot.state.transition");
    expect(await add({})).toMatchObject({ kind: "done", data: { value: 5 } });
    expect(await kit.actions()).toContain("bot.state.transition");
  });
});

it("[R-10.1] a detail whose form takes no other word is left, and its event's other details are scrubbed", () => {
  const NONE = {
    approval_id: null,
    expires_at: null,
    trace_id: "t",
    run_id: null,
    request_id: null,
    fingerprint: null,
  };
  const scrubber = createScrubber();
  scrubber.know("API_KEY", VALUE);
  scrubber.know("STATE", "RUNNING_PAPER");
  const event = {
    action: "bot.state.transition",
    actor: "user:root",
    resource_type: "bot",
    resource_id: `bot ${VALUE}`,
    outcome: "SUCCESS",
    details: { ...NONE, from: null, to: "RUNNING_PAPER", generation: 3, reason: `because of ${VALUE}` },
  } as unknown as LedgerEvent;
  expect(eventProblem(event), "it can be logged").toBeUndefined();
  const clean = scrubbedEvent(scrubber, event);
  expect(eventProblem(clean)).toBeUndefined();
  expect(clean).toMatchObject({
    resource_id: "bot [secret API_KEY]",
    details: { to: "RUNNING_PAPER", generation: 3, reason: "because of [secret API_KEY]" },
  });
});

describe("[R-10.1] what a request's own secret field holds", () => {
  it("is refused in its other fields and as its id", async () => {
    await kitKnowing();
    for (const [body, key, field] of [
      [{ name: VALUE, value: VALUE }, "k", "$.name"],
      [{ name: "N", value: VALUE }, VALUE, "Idempotency-Key"],
    ] as const)
      expect(await kit.send("vault.set", body, { key })).toMatchObject({
        status: 400,
        failure: { code: "RUMI-VAL-002", params: { field } },
      });
    expect(await written()).not.toContain(VALUE);
  });
});
