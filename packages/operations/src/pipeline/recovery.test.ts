import { afterEach, describe, expect, it } from "vitest";
import type { Store } from "@rumi/store";
import { PIPELINE_LIMITS } from "../limits.ts";
import { Type } from "@sinclair/typebox";
import { addToCounter, gated, type Kit, kitOn, openKit } from "../../test/kit.ts";

let kit: Kit;
afterEach(() => kit.close());

/** Resolves when the newest dying store has died. */
let death: Promise<void> = Promise.resolve();

/** Dies at the n-th commit, before or after it is durable: whoever waits, waits for ever. */
function dying(real: Store, at: number, when: "before" | "after"): Store {
  let commits = 0;
  const never = new Promise<never>(() => {});
  let die = (): void => {};
  death = new Promise((resolve) => (die = resolve));
  return {
    ...real,
    commit: async (batch) => {
      commits += 1;
      const mine = commits;
      if (mine > at || (mine === at && when === "before")) {
        die();
        return never;
      }
      const receipt = await real.commit(batch);
      if (mine !== at) return receipt;
      die();
      return never;
    },
  };
}
const settled = (): Promise<void> => death;
const value = async (): Promise<number | undefined> =>
  (await kit.rows<{ value: number }>("SELECT value FROM counter"))[0]?.value;

describe("after a crash", () => {
  const points = [
    [1, "before"],
    [1, "after"],
    [2, "before"],
    [2, "after"],
  ] as const;
  for (const [at, when] of points) {
    it(`[L-N2][G-6.2] killed ${when} commit ${at}: the command acts exactly once`, async () => {
      kit = await openKit();
      const dead = kitOn(dying(kit.store, at, when));
      const body = { command_id: kit.id(), counter_id: "a", by: 5, reason: "test" };
      void dead.send("counters.add", body);
      await settled();
      const next = kitOn(kit.store);
      const durable = !(at === 1 && when === "before");
      const finished = at === 2 && when === "after";
      expect(await next.pipeline.recover()).toEqual({
        found: durable && !finished ? 1 : 0,
        applied: durable && !finished ? 1 : 0,
        refused: 0,
        failed: 0,
      });
      expect(await value()).toBe(durable ? 5 : undefined);
      expect(await next.send("counters.add", body)).toMatchObject({
        kind: "done",
        duplicate_suppressed: durable,
        data: { value: 5 },
      });
      expect(await next.pipeline.recover()).toMatchObject({ found: 0 });
      expect((await kit.actions()).includes("controlplane.command.resumed")).toBe(durable && !finished);
      expect(await value()).toBe(5);
      expect((await kit.actions()).filter((action) => action === "controlplane.command.applied")).toHaveLength(1);
      const [row] = await kit.rows<{ recovery_point: string | null }>("SELECT recovery_point FROM operation_key");
      expect(row?.recovery_point).toBeNull();
    });
  }
  it("[L-N2] killed while recovering: the next start still acts exactly once", async () => {
    kit = await openKit();
    const body = { command_id: kit.id(), counter_id: "a", by: 5, reason: "test" };
    void kitOn(dying(kit.store, 1, "after")).send("counters.add", body);
    await settled();
    void kitOn(dying(kit.store, 1, "after")).pipeline.recover();
    await settled();
    expect(await kitOn(kit.store).pipeline.recover()).toMatchObject({ found: 1, applied: 1 });
    expect(await value()).toBe(5);
  });
  it("[G-0.3] what was allowed before the crash is judged again after it", async () => {
    kit = await openKit();
    const body = { command_id: kit.id(), counter_id: "a", by: 5, reason: "test" };
    void kitOn(dying(kit.store, 1, "after")).send("counters.add", body);
    await settled();
    const stopped = kitOn(kit.store, {
      guards: { safety: { read: () => Promise.resolve({ mode: "SAFE", fence: null }) } },
    });
    expect(await stopped.pipeline.recover()).toMatchObject({ found: 1, refused: 1 });
    expect(await value()).toBeUndefined();
  });
  it("[L-N2] a secret is not kept with the command; an interrupted one must be sent again", async () => {
    kit = await openKit();
    void kitOn(dying(kit.store, 1, "after")).send("vault.set", { name: "N", value: "planted-secret" }, { key: "k" });
    await settled();
    expect(
      JSON.stringify([await kit.rows("SELECT * FROM operation_key"), await kit.rows("SELECT * FROM log_payload")]),
    ).not.toContain("planted-secret");
    const next = kitOn(kit.store);
    expect(await next.pipeline.recover()).toMatchObject({ found: 1, refused: 1 });
    expect(await next.send("vault.set", { name: "N", value: "planted-secret" }, { key: "k" })).toMatchObject({
      status: 409,
      failure: { code: "RUMI-CMD-012" },
    });
  });
  it("[L-N2] an operation or a form that this program does not know any more ends as interrupted", async () => {
    for (const declarations of [
      [gated],
      [
        {
          ...addToCounter,
          input: Type.Object({ command_id: Type.String(), counter_id: Type.String() }, { additionalProperties: false }),
        },
      ],
    ]) {
      kit = await openKit();
      const body = { command_id: kit.id(), counter_id: "a", by: 5, reason: "test" };
      void kitOn(dying(kit.store, 1, "after")).send("counters.add", body);
      await settled();
      expect(await kitOn(kit.store, { declarations }).pipeline.recover()).toMatchObject({
        found: 1,
        refused: 1,
        failed: 0,
      });
      expect(await value()).toBeUndefined();
      expect(await kit.send("counters.add", body)).toMatchObject({
        failure: { code: "RUMI-CMD-012" },
        duplicate_suppressed: true,
      });
      if (declarations.length > 0 && declarations[0] === gated) await kit.close();
    }
  });
});

describe("a fault of ours", () => {
  it("[L-N2] is tried again only so often, then it is final", async () => {
    kit = await openKit();
    const body = { command_id: kit.id(), counter_id: "a", note: "boom", reason: "test" };
    for (let attempt = 1; attempt < PIPELINE_LIMITS.failed_attempts; attempt += 1) {
      expect(await kit.send("counters.add", body)).toMatchObject({
        status: 500,
        failure: { code: "RUMI-SYS-001" },
        duplicate_suppressed: false,
      });
    }
    const last = await kit.send("counters.add", body);
    expect(last).toMatchObject({ status: 500, failure: { code: "RUMI-CMD-010" } });
    expect(await kit.send("counters.add", body)).toMatchObject({
      failure: { code: "RUMI-CMD-010" },
      duplicate_suppressed: true,
    });
    expect(kit.lines.filter((line) => line.includes("a planted fault"))).toHaveLength(PIPELINE_LIMITS.failed_attempts);
    expect((await kit.actions()).filter((action) => action === "controlplane.command.denied")).toHaveLength(1);
  });
});
