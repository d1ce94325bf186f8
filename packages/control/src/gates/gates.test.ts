import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "@rumi/operations";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, type Control } from "../../test/kit.ts";
import { GATE_LIMITS } from "./model.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  dataOf(await world.makeBot());
});
afterEach(() => world.close());

const report = (state: string, rules: readonly unknown[] = [], ttl_seconds = 60, gate = "market") =>
  world.command("gates.report", { state, rules, ttl_seconds }, { params: { gate } });
const require_ = (gate = "market") => world.command("gates.require", { reason: "test" }, { params: { gate } });
const start = () => world.move("bot-1", "IDLE", "RUNNING_PAPER");
const refusal = (answer: Awaited<ReturnType<typeof start>>) =>
  answer.kind === "refused" ? [answer.failure.code, answer.failure.reasonCode] : ["done"];
const GOOD = [{ rule_id: "age", passed: true }];
const BAD = [{ rule_id: "age", passed: false, message: "12 s old" }];

describe("[G-5.2] gates", () => {
  it("a required gate lets a start through only while a PASS counts; never reported, failed, unknown and ended refuse by name", async () => {
    dataOf(await require_());
    expect(refusal(await start())).toEqual(["RUMI-CMD-006", "G.GATE.UNKNOWN"]);
    dataOf(await report("FAIL", BAD));
    const failed = await start();
    expect(refusal(failed)).toEqual(["RUMI-CMD-006", "G.GATE.FAIL"]);
    expect(failed.kind === "refused" && failed.failure.params["problem"]).toBe("age: 12 s old");
    dataOf(await report("UNKNOWN"));
    expect(refusal(await start())).toEqual(["RUMI-CMD-006", "G.GATE.UNKNOWN"]);
    dataOf(await report("PASS", GOOD, 30));
    world.clock.skip(31_000);
    expect(dataOf(await world.query("gates.list"))["gates"]).toMatchObject([
      { gate: "market", state: "UNKNOWN", passed: false, required: true },
    ]);
    expect(refusal(await start())).toEqual(["RUMI-CMD-006", "G.GATE.UNKNOWN"]);
    dataOf(await report("PASS", GOOD));
    const started = dataOf(await start());
    expect((started["preflight"] as { items: readonly { item: string; state: string }[] }).items).toContainEqual(
      expect.objectContaining({ item: "gates", state: "PASS" }),
    );
    // Stopping asks no gate.
    dataOf(await report("FAIL", BAD));
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "PAUSED"));
    expect(refusal(await world.move("bot-1", "PAUSED", "RUNNING_PAPER"))).toEqual(["RUMI-CMD-006", "G.GATE.FAIL"]);
    dataOf(await world.move("bot-1", "PAUSED", "STOPPING"));
  });

  it("a configuration is not applied either, and a gate that is not required stops nobody", async () => {
    dataOf(await report("FAIL", BAD, 60, "weather"));
    dataOf(await start());
    dataOf(await require_());
    const applied = await world.command(
      "bots.config_apply",
      { command_id: world.id(), config: { fast: 11 }, at: "next_tick", reason: "test" },
      { params: { bot_id: "bot-1" } },
    );
    expect(refusal(applied)).toEqual(["RUMI-CMD-006", "G.GATE.UNKNOWN"]);
  });

  it("a live start whose gate ended between its request and its confirmation is refused at the confirmation", async () => {
    dataOf(await require_());
    dataOf(await report("PASS", GOOD, 20));
    const asked = await world.move("bot-1", "IDLE", "RUNNING_LIVE");
    expect(codeOf(asked)).toBe("RUMI-CMD-004");
    world.clock.skip(21_000);
    expect(refusal(await world.confirm(asked))).toEqual(["RUMI-CMD-006", "G.GATE.UNKNOWN"]);
  });

  it("reports pass SAFE; a PASS with a failed rule, a time without bounds and a name that is none are refused", async () => {
    dataOf(await world.command("safety.set", { command_id: world.id(), mode: "SAFE", reason: "test" }));
    dataOf(await report("PASS", GOOD));
    expect(codeOf(await report("PASS", BAD))).toBe("RUMI-VAL-002");
    for (const ttl of [0, GATE_LIMITS.ttl_seconds + 1])
      expect(codeOf(await report("PASS", GOOD, ttl))).toMatch(/^RUMI-VAL/);
    expect(codeOf(await report("PASS", GOOD, 60, "No Gate"))).toMatch(/^RUMI-VAL/);
    expect(
      codeOf(
        await report(
          "PASS",
          Array.from({ length: GATE_LIMITS.rules + 1 }, () => GOOD[0]),
        ),
      ),
    ).toMatch(/^RUMI-VAL/);
  });

  it("[G-4.1] [L-N9] a requirement goes only inside a break-glass session, whoever asks", async () => {
    dataOf(await require_());
    const disable = (roles: readonly ("admin" | "break_glass")[]) =>
      world.command(
        "gates.disable",
        { reason: "test" },
        { params: { gate: "market" }, principal: { id: "user:x", roles } },
      );
    expect(codeOf(await disable(["admin"]))).toBe("RUMI-AUTH-003");
    expect(refusal(await disable(["break_glass"]))).toEqual(["RUMI-CMD-022", "L.BREAK_GLASS.REQUIRED"]);
    expect(refusal(await start())[0]).toBe("RUMI-CMD-006");
    const ALICE = { id: "user:01900000-0000-7000-8000-00000000000a", roles: ["admin", "break_glass"] } as const;
    const session = await world.command(
      "break_glass.open",
      { verbs: ["gates.disable"], reason: "its reporter is lost" },
      { principal: ALICE },
    );
    const { challenge_id, intent_hash } = challengeOf(session);
    dataOf(await world.query("challenges.show", {}, { challenge_id }, ROOT));
    dataOf(
      await world.command(
        "challenges.approve",
        { intent_hash, reason: "I have read it" },
        { params: { challenge_id }, principal: ROOT },
      ),
    );
    dataOf(await world.confirm(session, {}, ALICE));
    const params = { gate: "market" };
    const asked = await world.command("gates.disable", { reason: "test" }, { params, principal: ALICE });
    expect(refusal(asked)).toEqual(["RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    expect(refusal(await start())[0]).toBe("RUMI-CMD-006");
    expect(dataOf(await world.confirm(asked, {}, ALICE))).toMatchObject({ gate: "market", required: false });
    expect(await world.actions()).toContain("gate.disabled");
    dataOf(await start());
  });

  it("each change is audited, and beyond its gates a further one is refused", async () => {
    dataOf(await report("FAIL", BAD));
    dataOf(await require_());
    const actions = await world.actions();
    for (const action of ["gate.reported", "gate.required"]) expect(actions).toContain(action);
    for (let at = 1; at < GATE_LIMITS.gates; at += 1) dataOf(await report("PASS", GOOD, 60, `g${at}`));
    expect(refusal(await report("PASS", GOOD, 60, "onemore"))).toEqual(["RUMI-CMD-028", "G.GATE.FULL"]);
    dataOf(await report("PASS", GOOD));
  });
});
