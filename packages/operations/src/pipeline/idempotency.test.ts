import { afterEach, describe, expect, it } from "vitest";
import { type Principal } from "../index.ts";
import { type Kit, kitOn, openKit } from "../../test/kit.ts";

let kit: Kit;
afterEach(() => kit.close());

const add = (command_id: string, by = 1): Record<string, unknown> => ({
  command_id,
  counter_id: "a",
  by,
  reason: "test",
});
const value = async (): Promise<number | undefined> =>
  (await kit.rows<{ value: number }>("SELECT value FROM counter"))[0]?.value;

describe("the same command", () => {
  it("[G-6.2][L-N2] 1000 concurrent duplicates: one effect, and everyone is told the truth", async () => {
    kit = await openKit();
    const command_id = kit.id();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => kit.send("counters.add", add(command_id))));
    expect(await value()).toBe(1);
    expect((await kit.actions()).filter((action) => action === "controlplane.command.applied")).toHaveLength(1);
    expect(answers.filter((answer) => answer.kind === "done" && !answer.duplicate_suppressed)).toHaveLength(1);
    for (const answer of answers)
      if (answer.kind === "refused")
        expect(answer).toMatchObject({
          status: 409,
          failure: { code: "RUMI-CMD-001" },
          retry_after_seconds: 1,
        });
  });
  it("[G-6.2] 1000 concurrent duplicates in two processes on one store: one effect", async () => {
    kit = await openKit();
    const other = kitOn(kit.store);
    const command_id = kit.id();
    await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => (at % 2 === 0 ? kit : other).send("counters.add", add(command_id))),
    );
    expect(await value()).toBe(1);
  });
  it("[L-N2] finished: the stored answer with the same status, marked and audited", async () => {
    kit = await openKit();
    const command_id = kit.id();
    const first = await kit.send("counters.add", add(command_id));
    const second = await kit.send("counters.add", add(command_id));
    expect(second).toEqual({ ...first, duplicate_suppressed: true });
    expect((await kit.actions()).at(-1)).toBe("controlplane.command.duplicate_suppressed");
    const kept = await kit.send("vault.set", { name: "N", value: "v" }, { key: "k-1" });
    expect(await kit.send("vault.set", { name: "N", value: "v" }, { key: "k-1" })).toEqual({
      ...kept,
      duplicate_suppressed: true,
    });
    expect(kept.status).toBe(201);
  });
  it("[L-N2] defaults are part of the request: named or left out, it is the same one", async () => {
    kit = await openKit();
    const command_id = kit.id();
    const { by: _, ...implicit } = add(command_id);
    await kit.send("counters.add", implicit);
    expect((await kit.send("counters.add", add(command_id))).duplicate_suppressed).toBe(true);
  });
  it("[G-6.2] same id, other request: 422, audited, and the first one's answer stays", async () => {
    kit = await openKit();
    const command_id = kit.id();
    await kit.send("counters.add", add(command_id));
    expect(await kit.send("counters.add", add(command_id, 2))).toMatchObject({
      status: 422,
      failure: { code: "RUMI-CMD-002" },
    });
    expect((await kit.actions()).at(-1)).toBe("controlplane.command.denied");
    expect((await kit.send("counters.add", add(command_id))).duplicate_suppressed).toBe(true);
    expect(await value()).toBe(1);
  });
  it("[L-N2] somebody else's id is not a key to the answer", async () => {
    kit = await openKit();
    const command_id = kit.id();
    await kit.send("counters.add", add(command_id));
    const other: Principal = { id: "user:other", roles: ["operator"] };
    expect(await kit.send("counters.add", add(command_id), { principal: other })).toMatchObject({
      status: 422,
    });
  });
  it("[G-6.2] a refusal is an answer too: the same one comes again", async () => {
    kit = await openKit();
    const command_id = kit.id();
    const first = await kit.send("counters.add", { ...add(command_id), mode: "live" });
    expect(first).toMatchObject({ kind: "refused", status: 403 });
    expect(await kit.send("counters.add", { ...add(command_id), mode: "live" })).toEqual({
      ...first,
      duplicate_suppressed: true,
    });
  });
  it("[L-N2] header and body must not name two ids; a broken key is refused", async () => {
    kit = await openKit();
    expect(await kit.send("counters.add", add(kit.id()), { key: "other" })).toMatchObject({
      status: 400,
    });
    expect(await kit.send("vault.set", { name: "N", value: "v" }, { key: "x".repeat(256) })).toMatchObject({
      status: 400,
    });
    expect(await kit.send("vault.set", { name: "N", value: "v" }, { key: "two words" })).toMatchObject({ status: 400 });
    expect((await kit.send("vault.set", { name: "N", value: "v" })).command_id).toMatch(/^[0-9a-f-]{36}$/);
  });
  it("[L-N2] 200 concurrent commands on one row: all applied, none lost", async () => {
    kit = await openKit();
    const answers = await Promise.all(Array.from({ length: 200 }, () => kit.send("counters.add", add(kit.id()))));
    expect(answers.filter(({ kind }) => kind === "done")).toHaveLength(200);
    expect(await value()).toBe(200);
  });
  it("[L-N2] contention from other processes is bounded: a coded refusal, nothing half done", async () => {
    kit = await openKit({
      // Every decision's commit loses against a write that comes just before it.
      store: (real) => ({
        ...real,
        commit: async (batch) => {
          if (batch.writes.some(({ sql }) => sql.includes('update "counter"')))
            await real.commit({
              writes: [{ sql: "UPDATE counter SET version = version + 1", parameters: [], expect: 1 }],
              events: [],
            });
          return real.commit(batch);
        },
      }),
    });
    await kit.send("counters.add", add(kit.id()));
    expect(await kit.send("counters.add", add(kit.id()))).toMatchObject({
      status: 409,
      failure: { code: "RUMI-CMD-009" },
    });
    expect(await value()).toBe(1);
  });
});
