/** The control plane's own judgement of stop conditions: pure, and then over a runner that says nothing of them itself. */
import type { InstanceStatus, JournalEntry, StopConditions } from "@rumi/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { intentEntry, orderEntry } from "../../test/fake-runner.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { judgeEntries, judgeStatuses, shareOf, UNWATCHED, type Watched } from "./stops.ts";

type Position = InstanceStatus["positions"][number];
const position = (change: Partial<Position>): Position => ({
  instrument_id: "XRPETH.SIM",
  quantity: "0",
  average_price: "0",
  realised_profit: "0",
  unrealised_profit: "0",
  fees: "0",
  last_price: "0",
  ...change,
});
const holds = (...positions: Partial<Position>[]) => positions.map((one) => ({ positions: [position(one)] }));
const conditionOf = (
  conditions: StopConditions,
  statuses: ReturnType<typeof holds>,
  watched: Watched = UNWATCHED,
): string => judgeStatuses(watched, conditions, statuses).tripped?.reason_code ?? "";

describe("[L-08] [L-36] what is reported, judged again: at its limit nothing trips, one unit beyond it does", () => {
  it("loss and exposure, over all of a bot's instances together, exactly", () => {
    const lost = holds({ realised_profit: "-60", fees: "0.1" }, { unrealised_profit: "-39.90000001" });
    expect(conditionOf({ max_loss: "100.00000001" }, lost)).toBe("");
    expect(conditionOf({ max_loss: "100" }, lost)).toBe("L.STOP_CONDITION.LOSS");
    const held = holds({ quantity: "2", last_price: "10" }, { quantity: "-3", last_price: "10.00000001" });
    expect(conditionOf({ max_exposure: "50.00000003" }, held)).toBe("");
    expect(conditionOf({ max_exposure: "50.00000002" }, held)).toBe("L.STOP_CONDITION.EXPOSURE");
  });

  it("a drawdown counts from the highest that was ever reported, also after a restart in between", () => {
    const conditions = { max_drawdown: "10" };
    const up = judgeStatuses(UNWATCHED, conditions, holds({ realised_profit: "25" }));
    expect(up.tripped).toBeNull();
    const kept = JSON.parse(JSON.stringify(up.watched)) as Watched;
    expect(conditionOf(conditions, holds({ realised_profit: "15" }), kept)).toBe("");
    expect(conditionOf(conditions, holds({ realised_profit: "14.99999999" }), kept)).toBe("L.STOP_CONDITION.DRAWDOWN");
    expect(conditionOf(conditions, holds({ realised_profit: "14.99999999" }))).toBe("");
  });

  const rejected = (seq: number): JournalEntry => ({
    ...(orderEntry(seq, `C${seq}`, "") as Extract<JournalEntry, { kind: "order" }>),
    report: { client_order_id: `C${seq}`, report: "rejected" },
  });
  const tripOf = (conditions: StopConditions, entries: readonly JournalEntry[]) =>
    judgeEntries(UNWATCHED, conditions, entries).tripped?.reason_code ?? "";

  it("rejections and orders within their windows of event time, however the journal is cut", () => {
    const four = [1, 2, 3, 4];
    for (const [name, make, code] of [
      ["max_rejections", rejected, "REJECTIONS"],
      ["max_order_rate", (seq: number) => intentEntry(seq, `C${seq}`), "ORDER_RATE"],
    ] as const) {
      const entries = four.map(make);
      expect(tripOf({ [name]: { count: 4, within_us: 1_000 } }, entries)).toBe("");
      expect(tripOf({ [name]: { count: 3, within_us: 1_000 } }, entries)).toBe(`L.STOP_CONDITION.${code}`);
      expect(tripOf({ [name]: { count: 3, within_us: 2 } }, entries)).toBe("");
      const conditions = { [name]: { count: 3, within_us: 3 } };
      let watched = UNWATCHED;
      const trips = entries.map((entry) => {
        const judged = judgeEntries(watched, conditions, [entry]);
        watched = JSON.parse(JSON.stringify(judged.watched)) as Watched;
        return judged.tripped !== null;
      });
      expect(trips).toEqual([false, false, false, true]);
    }
    const discarded = four.map((seq): JournalEntry => {
      const entry = intentEntry(seq, `C${seq}`) as Extract<JournalEntry, { kind: "intent" }>;
      return { ...entry, verdict: "discarded", client_order_id: null };
    });
    expect(tripOf({ max_order_rate: { count: 0, within_us: 1_000 } }, discarded)).toBe("");
  });

  it("an instance has its part of the amounts, rounded down; counts are not divided", () => {
    const rate = { count: 5, within_us: 1_000 };
    const conditions = { max_loss: "100", max_drawdown: "0.00000005", max_order_rate: rate };
    expect(shareOf(conditions, 3)).toEqual({
      max_loss: "33.33333333",
      max_drawdown: "0.00000001",
      max_order_rate: rate,
    });
    expect(shareOf(conditions, 1)).toEqual(conditions);
  });
});

describe("[L-08] a bot whose stop condition tripped", () => {
  let world: Control;
  let run_id = "";
  const CONDITIONS = { max_loss: "100", max_rejections: { count: 1, within_us: 1_000_000 } };
  const start = async (from: string): Promise<string> =>
    String(dataOf(await world.move("bot-1", from, "RUNNING_PAPER"))["run_id"]);
  const acknowledge = (over: Record<string, unknown> = {}) =>
    world.command(
      "bots.stops_acknowledge",
      { command_id: world.id(), reason: "looked at it", ...over },
      { params: { bot_id: "bot-1" } },
    );
  const stops = async () => dataOf(await world.query("bots.stops", {}, { bot_id: "bot-1" }));
  beforeEach(async () => {
    world = await openControl();
    await world.dialRunner();
    dataOf(await world.makeBot("bot-1", { stop_conditions: CONDITIONS }));
    run_id = await start("IDLE");
    await world.until("running", () => world.runner.instances.has(run_id));
  });
  afterEach(() => world.close());

  const ended = async (reason_code: string): Promise<void> => {
    await world.until("ended", async () => (await world.bot())["state"] === "ERROR");
    expect(await world.bot()).toMatchObject({ status: { reason: reason_code } });
    await world.until("stopped", () => world.runner.instances.get(run_id)?.status.phase === "stopped");
    expect((await world.actions()).filter((action) => action === "bot.stop_condition.tripped")).toHaveLength(1);
  };

  it("[L-36] [L-N13] is ended by the control plane although its runner says nothing of it: its limits went there, and are judged here again", async () => {
    expect(world.runner.instances.get(run_id)?.spec.stop_conditions).toEqual(CONDITIONS);
    const lost = (realised_profit: string) =>
      world.runner.report(run_id, {
        cursor: realised_profit.length,
        positions: [position({ realised_profit })],
      });
    lost("-100");
    await world.rounds(3);
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER" });
    lost("-100.00000001");
    await ended("L.STOP_CONDITION.LOSS");
    expect(await stops()).toMatchObject({
      state: "tripped",
      tripped: { condition: "loss", observed: "100.00000001", limit: "100", source: "control_plane" },
    });
  });

  it("is ended by its journal's refused orders", async () => {
    const rejected = [1, 2].map((seq) => ({ ...orderEntry(seq, `C${seq}`, ""), report: { report: "rejected" } }));
    const [first, second] = rejected as unknown as [JournalEntry, JournalEntry];
    const tell = (entries: readonly JournalEntry[]) =>
      world.runner.send({ type: "journal", run_id: run_id as InstanceStatus["run_id"], entries });
    tell([first]);
    tell([first]);
    await world.rounds(3);
    expect(await world.bot(), "the same entry twice is one").toMatchObject({ state: "RUNNING_PAPER" });
    tell([first, second]);
    await ended("L.STOP_CONDITION.REJECTIONS");
  });

  it("is ended for the runtime's own word", async () => {
    const stop_condition = {
      condition: "loss",
      reason_code: "M.STOP.LOSS",
      observed: "101",
      limit: "100",
      at_us: 5,
    } as const;
    world.runner.report(run_id, {
      phase: "paused",
      health_state: "halted",
      reason_code: "M.STOP.LOSS",
      stop_condition,
    });
    await ended("M.STOP.LOSS");
    expect(await stops()).toMatchObject({ state: "tripped", tripped: { source: "runtime", observed: "101" } });
  });

  it("does not start again before somebody acknowledged it, and then begins a new run", async () => {
    world.runner.report(run_id, { positions: [position({ realised_profit: "-101" })] });
    await ended("L.STOP_CONDITION.LOSS");
    const attempts = async (): Promise<void> => {
      const refused = await world.move("bot-1", String((await world.bot())["state"]), "RUNNING_PAPER");
      expect(refused.kind === "refused" && [refused.failure.code, refused.failure.reasonCode]).toEqual([
        "RUMI-RSK-007",
        "L.STOP_CONDITION.NOT_ACKNOWLEDGED",
      ]);
      expect(refused.kind === "refused" && refused.failure.details).toMatchObject({ failed_item: "limits" });
    };
    await attempts();
    // Neither by way of IDLE nor by other limits.
    dataOf(await world.move("bot-1", "ERROR", "STOPPING"));
    await world.until("idle", async () => (await world.bot())["state"] === "IDLE");
    await attempts();
    const limits = { command_id: world.id(), stop_conditions: {}, reason: "none" };
    dataOf(await world.command("bots.limits", limits, { params: { bot_id: "bot-1" } }));
    await attempts();
    const back = { ...limits, command_id: world.id(), stop_conditions: CONDITIONS };
    dataOf(await world.command("bots.limits", back, { params: { bot_id: "bot-1" } }));
    expect(codeOf(await acknowledge({ reason: " " }))).toMatch(/^RUMI-VAL-/);
    expect(dataOf(await acknowledge({ dry_run: true }))).toMatchObject({ preview: { state: "tripped" } });
    expect(dataOf(await acknowledge())).toMatchObject({ changed: true, state: "acknowledged" });
    expect(dataOf(await acknowledge())).toMatchObject({ changed: false });
    expect(await world.actions()).toContain("bot.stop_condition.acknowledged");
    const next = await start("IDLE");
    expect(next).not.toBe(run_id);
    expect(await stops()).toMatchObject({ state: "watching", tripped: null, conditions: CONDITIONS });
    await world.until("running", () => world.runner.instances.has(next));
    await world.rounds(3);
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER" });
  });

  it("out of ERROR a new run begins too: what tripped the former one is not taken up again", async () => {
    world.runner.report(run_id, { positions: [position({ realised_profit: "-101" })] });
    await ended("L.STOP_CONDITION.LOSS");
    await world.rounds(2);
    dataOf(await acknowledge());
    await world.until("free", async () => (await world.bot())["state"] === "ERROR");
    const next = await start("ERROR");
    expect(next).not.toBe(run_id);
  });

  it("what is no stop condition is refused where it comes in", async () => {
    const of = (stop_conditions: unknown) => world.makeBot("bot-2", { stop_conditions });
    for (const bad of [{ max_los: "1" }, { max_loss: 1 }, { max_loss: "-1" }, { max_order_rate: { count: 1 } }, []])
      expect(codeOf(await of(bad))).toMatch(/^RUMI-VAL-/);
  });

  it("a stored version of before they were checked does not start until it has sound ones", async () => {
    dataOf(await world.makeBot("old"));
    const spec = JSON.stringify({ ...((await world.bot("old"))["spec"] as object), stop_conditions: { anything: 1 } });
    const change = { sql: "UPDATE bot SET spec = ? WHERE bot_id = 'old'", parameters: [spec], expect: 1 };
    expect((await world.store.commit({ writes: [change], events: [] })).ok).toBe(true);
    expect(codeOf(await world.move("old", "IDLE", "RUNNING_PAPER"))).toBe("RUMI-RSK-008");
  });
});
