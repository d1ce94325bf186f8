import { afterEach, describe, expect, it } from "vitest";
import { type Kit, openKit } from "../../test/kit.ts";
import { PIPELINE_ORDER } from "./order.ts";
import { STAGE_NAMES } from "./run.ts";

let kit: Kit;
afterEach(() => kit.close());

describe("the one way in", () => {
  it("[L-0.1] stages run in the published order, and the published order is the list", async () => {
    const trace: string[] = [];
    kit = await openKit({ settings: { onStage: (stage) => trace.push(stage) } });
    const answer = await kit.send("counters.add", {
      command_id: kit.id(),
      counter_id: "a",
      reason: "test",
    });
    expect(answer).toMatchObject({ kind: "done", status: 200, data: { value: 1, by: 1 } });
    expect(trace).toEqual(PIPELINE_ORDER.map(({ name }) => name));
    expect(trace).toEqual([...STAGE_NAMES]);
    expect(trace).toEqual([
      "authenticate",
      "validate",
      "authorise",
      "dedupe",
      "request",
      "redeem",
      "load",
      "lock_freeze",
      "safety",
      "gates",
      "guardrails",
      "challenge",
      "decide",
      "commit",
    ]);
  });
  it("[G-0.4][L-N1] requested, what happened, applied: each with who, when, what, why and trace", async () => {
    kit = await openKit();
    const command_id = kit.id();
    await kit.send("counters.add", { command_id, counter_id: "a", reason: "because" });
    expect(await kit.actions()).toEqual([
      "controlplane.command.requested",
      "bot.state.transition",
      "controlplane.command.applied",
    ]);
    const payloads = await kit.rows<{ payload: string }>("SELECT payload FROM log_payload ORDER BY idx");
    for (const { payload } of payloads) {
      const { details } = JSON.parse(payload) as { details: Record<string, unknown> };
      expect(Object.keys(details)).toEqual(
        expect.arrayContaining([
          "reason",
          "approval_id",
          "expires_at",
          "trace_id",
          "run_id",
          "request_id",
          "fingerprint",
        ]),
      );
      expect(details).toMatchObject({ reason: "because", request_id: command_id });
      expect(details["fingerprint"]).toMatch(/^[0-9a-f]{64}$/);
    }
  });
  it("the newest wish of a decision is in the outbox and on the feed", async () => {
    kit = await openKit();
    await kit.send("counters.add", { command_id: kit.id(), counter_id: "a", reason: "test" });
    await kit.send("counters.add", { command_id: kit.id(), counter_id: "a", reason: "test" });
    expect(await kit.rows("SELECT kind, key, payload FROM outbox")).toEqual([
      { kind: "counter.announce", key: "a", payload: '{"value":2}' },
    ]);
    expect(await kit.rows("SELECT kind, key FROM change_feed")).toHaveLength(2);
  });
});
