import type { Store } from "@rumi/store";
import { afterEach, describe, expect, it } from "vitest";
import { addToCounter, type Kit, kitOn, openKit } from "../../test/kit.ts";
import { PIPELINE_LIMITS } from "../limits.ts";

const declarations = [{ ...addToCounter, claimed: "with_outcome" as const }];
let kit: Kit;
afterEach(() => kit.close());

const value = async (): Promise<number | undefined> =>
  (await kit.rows<{ value: number }>("SELECT value FROM counter"))[0]?.value;
const add = (command_id: string): Record<string, unknown> => ({ command_id, counter_id: "a", by: 5, reason: "test" });
/** Counts commits, and dies at one of them before or after it is durable. */
function watched(real: Store, dies?: { readonly at: number; readonly when: "before" | "after" }) {
  const seen = { commits: 0 };
  const never = new Promise<never>(() => {});
  let die = (): void => {};
  const death = new Promise<void>((resolve) => (die = resolve));
  const store: Store = {
    ...real,
    commit: async (batch) => {
      seen.commits += 1;
      if (dies !== undefined && (seen.commits > dies.at || (seen.commits === dies.at && dies.when === "before"))) {
        die();
        return never;
      }
      const receipt = await real.commit(batch);
      if (seen.commits !== dies?.at) return receipt;
      die();
      return never;
    },
  };
  return { store, seen, death };
}

describe("a command that is claimed with its outcome", () => {
  it("[L-N2] is one commit, and leaves the rows and events of any other", async () => {
    kit = await openKit({ declarations });
    const { store, seen } = watched(kit.store);
    expect(await kitOn(store, { declarations }).send("counters.add", add(kit.id()))).toMatchObject({ kind: "done" });
    expect(seen.commits).toBe(1);
    const usual = kitOn(kit.store);
    await usual.send("counters.add", add(kit.id()));
    const actions = await kit.actions();
    expect(actions.slice(0, actions.length / 2)).toEqual(actions.slice(actions.length / 2));
    const rows = await kit.rows<Record<string, unknown>>(
      "SELECT operation, state, status, recovery_point, actor, length(fingerprint) AS n FROM operation_key",
    );
    expect(rows[0]).toEqual(rows[1]);
  });
  it.each(["before", "after"] as const)("[L-N2][G-6.2] killed %s its commit it acts exactly once", async (when) => {
    kit = await openKit({ declarations });
    const { store, death } = watched(kit.store, { at: 1, when });
    const body = add(kit.id());
    void kitOn(store, { declarations }).send("counters.add", body);
    await death;
    const next = kitOn(kit.store, { declarations });
    expect(await next.pipeline.recover()).toMatchObject({ found: 0 });
    expect(await value()).toBe(when === "after" ? 5 : undefined);
    expect(await next.send("counters.add", body)).toMatchObject({
      kind: "done",
      duplicate_suppressed: when === "after",
      data: { value: 5 },
    });
    expect(await value()).toBe(5);
    expect((await kit.actions()).filter((action) => action === "controlplane.command.applied")).toHaveLength(1);
  });
  it("[G-6.2] 1000 duplicates at once, in two processes on one store: one effect, one set of events", async () => {
    kit = await openKit({ declarations });
    const other = kitOn(kit.store, { declarations });
    const body = add(kit.id());
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => (at % 2 === 0 ? kit : other).send("counters.add", body)),
    );
    expect(await value()).toBe(5);
    expect(answers.filter((answer) => answer.kind === "done" && !answer.duplicate_suppressed)).toHaveLength(1);
    expect((await kit.actions()).filter((action) => action === "controlplane.command.requested")).toHaveLength(1);
  });
  it("[G-6.2] a refusal is durable with its key too, and another request under the key is refused", async () => {
    kit = await openKit({ declarations });
    const body = add(kit.id());
    const first = await kit.send("counters.add", { ...body, mode: "live" });
    expect(first).toMatchObject({ kind: "refused", status: 403 });
    expect(await kit.send("counters.add", { ...body, mode: "live" })).toEqual({ ...first, duplicate_suppressed: true });
    expect(await kit.send("counters.add", body)).toMatchObject({ status: 422, failure: { code: "RUMI-CMD-002" } });
    expect((await kit.actions()).slice(0, 2)).toEqual([
      "controlplane.command.requested",
      "controlplane.command.denied",
    ]);
  });
  it("[L-N2] a fault of ours is on record, is tried again only so often, then it is final", async () => {
    kit = await openKit({ declarations });
    const body = { ...add(kit.id()), note: "boom" };
    for (let attempt = 1; attempt < PIPELINE_LIMITS.failed_attempts; attempt += 1)
      expect(await kit.send("counters.add", body)).toMatchObject({ failure: { code: "RUMI-SYS-001" } });
    expect(await kit.send("counters.add", body)).toMatchObject({ failure: { code: "RUMI-CMD-010" } });
    expect((await kit.actions()).filter((action) => action === "controlplane.command.requested")).toHaveLength(1);
  });
  it("what has no log or confirms something may not be declared so", () => {
    for (const more of [{ emergency: true as const }, { redeems: true as const }])
      expect(() => kitOn(kit.store, { declarations: [{ ...declarations[0], ...more } as never] })).toThrow(
        "may not be claimed",
      );
  });
});
