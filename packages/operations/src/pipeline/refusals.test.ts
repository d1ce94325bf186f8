import { afterEach, describe, expect, it } from "vitest";
import { err, failure, ok } from "@rumi/kernel";
import { write, type Store } from "@rumi/store";
import { type Guard, type Principal, ROOT, type SafetyMode } from "../index.ts";
import { PIPELINE_LIMITS } from "../limits.ts";
import { type CounterTables, type Kit, openKit } from "../../test/kit.ts";

let kit: Kit;
afterEach(() => kit.close());

const add = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  command_id: kit.id(),
  counter_id: "a",
  reason: "test",
  ...over,
});
const changed = async (): Promise<boolean> => (await kit.rows("SELECT * FROM counter")).length > 0;
const mode = (word: SafetyMode): { read: () => Promise<{ mode: SafetyMode; fence: null }> } => ({
  read: () => Promise.resolve({ mode: word, fence: null }),
});
const lock = (name: string): Guard => ({
  name,
  check: () =>
    Promise.resolve(
      err(
        failure("RUMI-CMD-007", { target: "counter a", rule: name, problem: "incident" }, { reasonCode: "G.FREEZE" }),
      ),
    ),
});

/** Refused with this code, nothing changed, and the last event says denied with the reason. */
async function expectDenied(answer: Awaited<ReturnType<Kit["send"]>>, code: string, reason: string): Promise<void> {
  expect(answer).toMatchObject({ kind: "refused", failure: { code, reasonCode: reason } });
  expect(await changed()).toBe(false);
  const [last] = await kit.rows<{ payload: string }>("SELECT payload FROM log_payload ORDER BY idx DESC LIMIT 1");
  expect(JSON.parse(last?.payload ?? "{}")).toMatchObject({
    action: "controlplane.command.denied",
    outcome: "REJECTED",
    details: { error_code: code, reason_code: reason },
  });
}

describe("who may refuse", () => {
  for (const word of ["SAFE", "EMERGENCY_STOP"] as const) {
    it(`[G-0.3][G-5.1] in ${word} only what tightens passes`, async () => {
      kit = await openKit({ guards: { safety: mode(word) } });
      await expectDenied(await kit.send("counters.add", add()), "RUMI-CMD-005", `G.SAFETY.${word}`);
      expect((await kit.send("vault.set", { name: "N", value: "v" })).kind).toBe("done"); // declares every mode
      expect((await kit.send("counters.add", add({ by: -1 }))).kind).toBe("done");
    });
  }
  it("[G-0.2] a dangerous operation without anybody who can confirm is refused", async () => {
    kit = await openKit();
    await expectDenied(await kit.send("counters.add", add({ mode: "live" })), "RUMI-CMD-003", "DANGEROUS_OPS_DISABLED");
  });
  it("[G-5.2] a gate that nobody reports is UNKNOWN, and UNKNOWN refuses", async () => {
    kit = await openKit();
    await expectDenied(await kit.send("gated.run", {}), "RUMI-CMD-006", "G.GATE.UNKNOWN");
  });
  it("[G-5.2] a gate that passes lets it through", async () => {
    kit = await openKit({
      guards: {
        gates: new Map([["data", { name: "data", check: () => Promise.resolve(ok(undefined)) }]]),
      },
    });
    expect((await kit.send("gated.run", {})).kind).toBe("done");
  });
  it("locks and guardrails refuse what does not tighten", async () => {
    kit = await openKit({ guards: { locks: [lock("freeze")] } });
    await expectDenied(await kit.send("counters.add", add()), "RUMI-CMD-007", "G.FREEZE");
    expect((await kit.send("counters.add", add({ by: -1 }))).kind).toBe("done");
  });
  it("a rule that throws is no permission", async () => {
    kit = await openKit({
      guards: {
        guardrails: [{ name: "broken", check: () => Promise.reject(new Error("no view")) }],
      },
    });
    expect(await kit.send("counters.add", add())).toMatchObject({ status: 500 });
    expect(await changed()).toBe(false);
  });
  it("[G-0.4] a role that may not: 403, audited, no command kept", async () => {
    kit = await openKit();
    const viewer: Principal = { id: "user:viewer", roles: ["view_only"] };
    await expectDenied(
      await kit.send("counters.add", add(), { principal: viewer }),
      "RUMI-AUTH-003",
      "PERMISSION_DENIED",
    );
    expect(await kit.rows("SELECT * FROM operation_key")).toEqual([]);
  });
  it("[G-0.3] the safety mode that changes between judgement and commit still refuses", async () => {
    kit = await openKit({
      guards: {
        safety: {
          read: async (reader) => {
            const sql = kit.store.builder<CounterTables>();
            const [row] = await reader.rows<{ value: number }>(
              sql.selectFrom("counter").select("value").where("id", "=", "mode"),
            );
            const calm = (row?.value ?? 0) === 0;
            if (calm)
              await kit.store.commit({
                writes: [write(sql.updateTable("counter").set({ value: 1 }).where("id", "=", "mode"), 1)],
                events: [],
              });
            return {
              mode: calm ? "NORMAL" : "SAFE",
              fence: write(
                sql.updateTable("counter").set({ value: 0 }).where("id", "=", "mode").where("value", "=", 0),
                1,
              ),
            };
          },
        },
      },
    });
    await kit.store.commit({
      writes: [
        write(kit.store.builder<CounterTables>().insertInto("counter").values({ id: "mode", value: 0, version: 1 }), 1),
      ],
      events: [],
    });
    expect(await kit.send("counters.add", add())).toMatchObject({
      failure: { code: "RUMI-CMD-005" },
    });
  });
});

const failing =
  (from: number) =>
  (real: Store): Store => {
    let commits = 0;
    return {
      ...real,
      commit: (batch) =>
        (commits += 1) >= from
          ? Promise.resolve(err({ kind: "failed" as const, failure: failure("RUMI-SYS-008") }))
          : real.commit(batch),
    };
  };

describe("the audit log", () => {
  for (const from of [1, 2]) {
    it(`[G-7.2] unwritable from commit ${from} on: refused with a code, nothing changed`, async () => {
      kit = await openKit({ store: failing(from) });
      expect(await kit.send("counters.add", add())).toMatchObject({
        kind: "refused",
        status: 507,
        failure: { code: "RUMI-SYS-008", reasonCode: "AUDIT_UNAVAILABLE" },
      });
      expect(await changed()).toBe(false);
    });
  }
  it("[G-7.2] a refusal that cannot be audited is not told as a refusal of the command", async () => {
    kit = await openKit({ store: failing(2) });
    expect(await kit.send("counters.add", add({ mode: "live" }))).toMatchObject({
      failure: { code: "RUMI-SYS-008" },
    });
  });
  it("more addresses and principals than have a line share one, push out nobody's, and end no program", async () => {
    kit = await openKit();
    const many = PIPELINE_LIMITS.summary_subjects + 20;
    for (let at = 0; at < many; at += 1) kit.pipeline.noteAuthenticationFailure(`10.0.1.${at}`, "RUMI-AUTH-001");
    await kit.send("counters.add", { nonsense: 1 });
    for (let at = 0; at < many; at += 1)
      await kit.send("counters.add", { nonsense: at }, { principal: { ...ROOT, id: `user:${at}` } });
    kit.clock.advance(60_000);
    await kit.pipeline.flushSummaries("due");
    const told = await kit.rows<{ actor: string; resource_id: string; payload: string }>(
      "SELECT actor, resource_id, payload FROM log_entry JOIN log_payload USING (idx) ORDER BY idx",
    );
    const count = (payload: string): number => (JSON.parse(payload) as { details: { count: number } }).details.count;
    const others = told.filter(({ resource_id }) => resource_id === "others");
    expect(others.map(({ actor, payload }) => [actor, count(payload)])).toEqual([
      ["system:server", 20],
      ["system:server", 21],
    ]);
    expect(told.filter(({ actor }) => actor === ROOT.id)).toHaveLength(1);
    expect(told).toHaveLength(2 * (PIPELINE_LIMITS.summary_subjects + 1));
  });
  it("invalid requests: one summary a minute for each principal, never one for each", async () => {
    kit = await openKit();
    for (let at = 0; at < 50; at += 1)
      expect(await kit.send("counters.add", { nonsense: at })).toMatchObject({ status: 400 });
    for (let at = 0; at < 30; at += 1) kit.pipeline.noteAuthenticationFailure("10.0.0.9", "RUMI-AUTH-001");
    await kit.pipeline.flushSummaries("due");
    expect(await kit.actions()).toEqual([]);
    kit.clock.advance(60_000);
    await kit.pipeline.flushSummaries("due");
    await kit.pipeline.flushSummaries("due");
    expect(await kit.actions()).toEqual(["controlplane.request.invalid", "controlplane.authentication.failed"]);
    const payloads = await kit.rows<{ payload: string }>("SELECT payload FROM log_payload ORDER BY idx");
    expect(
      payloads.map(({ payload }) => (JSON.parse(payload) as { details: { count: number } }).details.count),
    ).toEqual([50, 30]);
  });
});

describe("a dry run", () => {
  it("shows the preview and who would refuse, and changes nothing", async () => {
    kit = await openKit({ guards: { safety: mode("SAFE"), locks: [lock("freeze")] } });
    const answer = await kit.send("counters.add", add({ dry_run: true, mode: "live", by: 3 }));
    expect(answer).toMatchObject({
      kind: "done",
      status: 200,
      data: { dry_run: true, would: "refuse", preview: { before: 0, after: 3 } },
    });
    const { refusals } = (answer as { data: { refusals: { stage: string; suggestion: string }[] } }).data;
    expect(refusals.map(({ stage }) => stage)).toEqual(["lock_freeze", "safety", "challenge"]);
    for (const { stage, suggestion } of refusals)
      expect([stage, suggestion]).toEqual([stage, expect.stringMatching(/\w/)]);
    expect(await changed()).toBe(false);
    expect(await kit.actions()).toEqual(["controlplane.command.dry_run"]);
    expect(await kit.rows("SELECT * FROM operation_key")).toEqual([]);
  });
  it("says apply where nothing refuses, and refuses a request that is no request", async () => {
    kit = await openKit();
    expect(await kit.send("counters.add", add({ dry_run: true }))).toMatchObject({
      data: { would: "apply", refusals: [] },
    });
    expect(await kit.send("counters.add", add({ dry_run: "true" }))).toMatchObject({
      status: 400,
      failure: { code: "RUMI-VAL-009" },
    });
    expect(await kit.send("vault.set", { name: "N", value: "v", dry_run: true })).toMatchObject({
      status: 400,
      failure: { code: "RUMI-VAL-008" },
    });
  });
});

describe("an observation", () => {
  it("commits and audits only what changed", async () => {
    kit = await openKit();
    const observation = kit.pipeline.settings.registry.observations.get("counters.report");
    if (observation === undefined) throw new Error("no observation");
    await kit.send("counters.add", add());
    const report = (value: number): ReturnType<typeof kit.pipeline.observe> =>
      kit.pipeline.observe(observation, {
        input: { counter_id: "a", value },
        source: "runner:r1",
        trace_id: kit.id(),
      });
    const before = (await kit.actions()).length;
    expect(await report(1)).toEqual(ok({ changed: false }));
    expect(await kit.actions()).toHaveLength(before);
    expect(await report(9)).toEqual(ok({ changed: true }));
    expect(await kit.actions()).toHaveLength(before + 1);
    expect(
      await kit.pipeline.observe(observation, {
        input: { counter_id: "a", value: "9" },
        source: "runner:r1",
        trace_id: "t",
      }),
    ).toMatchObject({ ok: false, error: { code: "RUMI-VAL-009" } });
  });
});
