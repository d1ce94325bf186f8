/** What waits in the spool while the log is away, and what becomes of it when the log returns. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { err, failure, micros } from "@rumi/kernel";
import type { EmergencyEntry, Pipeline } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import type { EmergencyFile } from "../index.ts";
import { EMERGENCY_LIMITS, emergencySpool } from "./spool.ts";

let world: Control;
let kept: string | null;
let writes: number;
const file: EmergencyFile = {
  read: () => kept,
  write: (text) => {
    kept = text;
    writes += 1;
  },
};
beforeEach(async () => {
  [kept, writes] = [null, 0];
  world = await openControl({ emergency_file: file });
  await world.dialRunner();
});
afterEach(() => world.close());

type Batch = Parameters<Store["commit"]>[0];
function breakLog(isLost: (batch: Batch) => boolean = () => true): { mend(): void } {
  const store = world.store as { commit: Store["commit"] };
  const whole = store.commit;
  store.commit = (batch) =>
    isLost(batch)
      ? Promise.resolve(err({ kind: "failed", failure: failure("RUMI-STO-004", { path: "store.db" }) }))
      : whole(batch);
  return { mend: () => void (store.commit = whole) };
}
const OPERATOR = { id: "user:op", roles: ["operator"] } as const;
const kill = (level: string, scope: Record<string, unknown> = { all: true }, command_id = world.id()) =>
  world.command("killswitch.set", { command_id, scope, level, reason: "smoke" }, { principal: OPERATOR });
const safety = (mode: string, command_id = world.id()) =>
  world.command("safety.set", { command_id, mode, reason: "smoke" }, { principal: OPERATOR });
const waiting = () => (JSON.parse(kept ?? "[]") as readonly EmergencyEntry[]).map(({ command_id }) => command_id);
const reasonOf = (answer: Awaited<ReturnType<typeof kill>>) =>
  answer.kind === "refused" ? [answer.failure.code, answer.failure.reasonCode] : ["done"];
const gaps = async () => (await world.actions()).filter((action) => action === "audit.gap").length;

describe("[G-5.3] [G-7.2] an id is one command", () => {
  it("a confirmation is never spooled, whatever its wish has become meanwhile", async () => {
    dataOf(await safety("EMERGENCY_STOP"));
    const ask = (mode: string) => world.command("safety.set", { command_id: world.id(), mode, reason: "over" });
    const [milder, over] = [await ask("SAFE"), await ask("NORMAL")];
    const store = world.store as { commit: Store["commit"] };
    const whole = store.commit;
    store.commit = async (batch) => {
      if (!batch.events.some(({ action }) => action === "safety.transition")) return whole(batch);
      store.commit = whole;
      // While this one is on its way all is loosened, so that it would be a tightening now; and the log takes it not.
      dataOf(await world.confirm(over));
      return err({ kind: "failed", failure: failure("RUMI-STO-004", { path: "store.db" }) });
    };
    expect((await world.confirm(milder)).kind).toBe("refused");
    expect(waiting()).toEqual([]);
    expect(dataOf(await world.query("safety.show"))["mode"]).toBe("NORMAL");
  });

  it("another tightening under an id that waits, or that the log has, is refused and not told as in force", async () => {
    const known = world.id();
    dataOf(await kill("CLOSE_ONLY", { venue: "SIM" }, known));
    const log = breakLog();
    const id = world.id();
    dataOf(await kill("CLOSE_ONLY", { all: true }, id));
    for (const answer of [
      await kill("BLOCK", { all: true }, id),
      await safety("SAFE", id),
      await kill("BLOCK", { all: true }, known),
    ])
      expect(reasonOf(answer)).toEqual(["RUMI-CMD-002", "COMMAND_ID_REUSED"]);
    expect(waiting()).toEqual([id]);
    // The same once more is the same command.
    expect(dataOf(await kill("CLOSE_ONLY", { all: true }, id))).toMatchObject({ spooled: true });
    expect(dataOf(await kill("CLOSE_ONLY", { venue: "SIM" }, known))).toMatchObject({ changed: true });
    log.mend();
  });

  it("what is as strict as what waits, or as the rows, is answered and not spooled again; what is stricter is", async () => {
    dataOf(await kill("FLATTEN", { venue: "SIM" }));
    const log = breakLog();
    dataOf(await kill("FLATTEN"));
    const before = writes;
    for (const level of ["CLOSE_ONLY", "FLATTEN"])
      expect(dataOf(await kill(level))).toMatchObject({ spooled: true, durable: true });
    expect(dataOf(await kill("FLATTEN", { venue: "SIM" }))).toMatchObject({ spooled: true, durable: true });
    expect([waiting().length, writes]).toEqual([1, before]);
    dataOf(await kill("BLOCK"));
    expect(waiting()).toHaveLength(2);
    log.mend();
    await world.control.emergency(world.pipeline).run();
    expect(dataOf(await world.query("killswitch.show"))["rules"]).toMatchObject([
      { scope: { all: true }, level: "BLOCK" },
      { scope: { venue: "SIM" }, level: "FLATTEN" },
    ]);
    expect(kept).toBe("[]");
  });

  it("what the rows say already is no outcome: its id, sent again when the log is back, has its first one then", async () => {
    dataOf(await safety("SAFE"));
    const log = breakLog();
    dataOf(await safety("EMERGENCY_STOP"));
    const [id, taken] = [world.id(), waiting()];
    expect(await safety("SAFE", id)).toMatchObject({
      kind: "done",
      status: 202,
      data: { command_id: id, spooled: true, durable: true, effect: "in force already; nothing was added" },
    });
    expect(waiting()).toEqual(taken);
    // Another wish under an id that waits is never told as in force, whatever the rows say.
    expect(reasonOf(await safety("SAFE", taken[0] ?? ""))).toEqual(["RUMI-CMD-002", "COMMAND_ID_REUSED"]);
    log.mend();
    await world.control.emergency(world.pipeline).run();
    expect(dataOf(await world.query("safety.show"))["mode"]).toBe("EMERGENCY_STOP");
    // By now it would loosen, which an operator may not.
    expect(codeOf(await safety("SAFE", id))).toBe("RUMI-AUTH-003");
    expect(dataOf(await world.query("safety.show"))["mode"]).toBe("EMERGENCY_STOP");
  });

  it("its memory has an end for single scopes, and none is needed for what is for everybody", () => {
    const spool = emergencySpool(file);
    const entry = (operation: string, input: Record<string, unknown>): EmergencyEntry => ({
      command_id: `${operation} ${JSON.stringify(input)}`,
      operation,
      principal: OPERATOR,
      input,
      trace_id: "t",
      at: micros(1),
    });
    const group = (at: number) => entry("killswitch.set", { scope: { group_id: `g${at}` }, level: "BLOCK" });
    for (let at = 0; at < EMERGENCY_LIMITS.scoped; at += 1)
      expect(spool.tighten(group(at), false)).toMatchObject({
        kind: "in_force",
        durable: at < EMERGENCY_LIMITS.entries,
        added: true,
      });
    expect(spool.tighten(group(EMERGENCY_LIMITS.scoped), false)).toMatchObject({
      kind: "refused",
      failure: { code: "RUMI-CMD-026" },
    });
    expect(spool.tighten(entry("killswitch.set", { scope: { all: true }, level: "BLOCK" }), false).kind).toBe(
      "in_force",
    );
    expect(spool.tighten(entry("safety.set", { mode: "SAFE" }), false).kind).toBe("in_force");
    expect(spool.waiting).toHaveLength(EMERGENCY_LIMITS.scoped + 2);
    // What is for everybody outlives a restart before anything else does.
    const again = emergencySpool(file);
    expect([again.mode("NORMAL"), again.rules([])[0]]).toEqual(["SAFE", { scope: "all", id: "", level: "BLOCK" }]);
  });
});

describe("[G-5.3] [G-7.2] when the log returns", () => {
  it("a start is refused by what waits before it is carried out, and it is shown as in force", async () => {
    dataOf(await world.makeBot());
    dataOf(await world.makeBot("bot-2"));
    const log = breakLog();
    dataOf(await kill("BLOCK", { bot_id: "bot-1" }));
    log.mend();
    expect(reasonOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toEqual([
      "RUMI-CMD-007",
      "G.KILLSWITCH.BLOCK",
    ]);
    expect(dataOf(await world.query("killswitch.show", { bot_id: "bot-1" }))).toMatchObject({
      rules: [{ scope: { bot_id: "bot-1" }, level: "BLOCK", set_by: "user:op", reason: "smoke", spooled: true }],
      effective: { level: "BLOCK" },
    });
    const again = breakLog();
    dataOf(await safety("EMERGENCY_STOP"));
    again.mend();
    expect(reasonOf(await world.move("bot-2", "IDLE", "RUNNING_PAPER"))).toEqual([
      "RUMI-CMD-005",
      "G.SAFETY.EMERGENCY_STOP",
    ]);
    expect(dataOf(await world.query("safety.show"))).toMatchObject({
      mode: "EMERGENCY_STOP",
      activated_by: "user:op",
      spooled: true,
    });
    await world.control.emergency(world.pipeline).run();
    const shown = dataOf(await world.query("safety.show"));
    expect([shown["mode"], shown["spooled"]]).toEqual(["EMERGENCY_STOP", undefined]);
  });

  it("one that is refused for good stays in force and does not hold up those behind it, until the rows are as strict", async () => {
    const log = breakLog();
    const [taken, sound] = [world.id(), world.id()];
    dataOf(await kill("BLOCK", { venue: "SIM" }, taken));
    dataOf(await kill("FLATTEN", { all: true }, sound));
    log.mend();
    // Somebody else's command bears the id by now.
    dataOf(await world.command("gates.require", { command_id: taken, reason: "test" }, { params: { gate: "market" } }));
    const replay = world.control.emergency(world.pipeline);
    await replay.run();
    expect([waiting(), await gaps()]).toEqual([[taken], 1]);
    const rules = async () => dataOf(await world.query("killswitch.show"))["rules"];
    expect(await rules()).toMatchObject([
      { level: "FLATTEN" },
      { scope: { venue: "SIM" }, level: "BLOCK", spooled: true },
    ]);
    const count = (await world.actions()).length;
    await replay.run();
    expect((await world.actions()).length).toBe(count);
    dataOf(await kill("BLOCK", { venue: "SIM" }));
    await replay.run();
    expect([waiting(), await gaps()]).toEqual([[], 2]);
    expect(await rules()).toMatchObject([{ level: "FLATTEN" }, { scope: { venue: "SIM" }, level: "BLOCK" }]);
  });

  it("a fault of ours that is stored under an id is answered for ever: it holds up nobody, and another fault is tried again", async () => {
    const log = breakLog();
    const [stored, passing, sound] = [world.id(), world.id(), world.id()];
    dataOf(await safety("SAFE", stored));
    dataOf(await kill("CLOSE_ONLY", { venue: "SIM" }, passing));
    dataOf(await kill("BLOCK", { all: true }, sound));
    log.mend();
    let isIll = true;
    const pipeline: Pipeline = {
      ...world.pipeline,
      execute: (operation, request) => {
        const { idempotencyKey: command_id } = request;
        if (command_id !== stored && !(command_id === passing && isIll))
          return world.pipeline.execute(operation, request);
        const why = failure("RUMI-SYS-001", { trace_id: "t" });
        const duplicate_suppressed = command_id === stored;
        return Promise.resolve({
          kind: "refused",
          failure: why,
          status: 500,
          extras: {},
          command_id,
          duplicate_suppressed,
        });
      },
    };
    const replay = world.control.emergency(pipeline);
    await replay.run();
    expect(waiting()).toEqual([stored, passing]);
    isIll = false;
    await replay.run();
    expect(waiting()).toEqual([stored]);
    expect(dataOf(await world.query("safety.show"))).toMatchObject({ mode: "SAFE", spooled: true });
  });

  it("nothing is forgotten before the gap is on record", async () => {
    const log = breakLog();
    dataOf(await kill("BLOCK"));
    log.mend();
    const noGap = breakLog(({ events }) => events.some(({ action }) => action === "audit.gap"));
    const replay = world.control.emergency(world.pipeline);
    await replay.run().catch(() => undefined);
    expect([waiting().length, await gaps()]).toEqual([1, 0]);
    noGap.mend();
    await replay.run();
    expect([waiting().length, await gaps()]).toEqual([0, 1]);
    expect(codeOf(await kill("BLOCK"))).toMatch(/^done/);
  });
});
