/* oxlint-disable unicorn/consistent-function-scoping -- helpers stay beside the cases that use them */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, venueBody, type Control } from "../../test/kit.ts";
import { BOT_STATES } from "../lifecycle/states.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
});
afterEach(async () => {
  await world.close();
});

const refusal = (answer: Awaited<ReturnType<Control["move"]>>) =>
  answer.kind === "refused" ? answer.failure : undefined;
async function running(): Promise<string> {
  await world.dialRunner();
  dataOf(await world.makeBot());
  const run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
  await world.until("running", () => world.runner.instances.has(run_id));
  return run_id;
}

describe("[L-01, L-02] the registry", () => {
  it("a bot is created IDLE with version 1.0.0, defaults echoed, audited from CREATED", async () => {
    const bot = dataOf(await world.makeBot());
    expect(bot).toMatchObject({
      state: "IDLE",
      version: "1.0.0",
      generation: 1,
      spec: { config: { fast: 10, slow: 50 }, isolation: "any" },
    });
    expect((await world.actions()).filter((action) => action.startsWith("bot."))).toEqual([
      "bot.created",
      "bot.version.created",
      "bot.state.transition",
      "bot.state.transition",
    ]);
    expect(await world.bot()).toMatchObject({
      conditions: [{ type: "Initialised", status: "True" }],
      instances: [],
      versions: [{ version: "1.0.0" }],
    });
  });
  const rows: readonly (readonly [string, Record<string, unknown>, string])[] = [
    [
      "[L-N12] a tag instead of a digest",
      { strategy: { pack_id: "demo_pack", strategy_id: "ema-cross", strategy_version: "1.0.0", digest: "latest" } },
      "RUMI-BOT-003",
    ],
    [
      "[L-N12] another digest",
      {
        strategy: {
          pack_id: "demo_pack",
          strategy_id: "ema-cross",
          strategy_version: "1.0.0",
          digest: `sha256:${"0".repeat(64)}`,
        },
      },
      "RUMI-PACK-018",
    ],
    ["an unknown venue", { venue: "NOWHERE" }, "RUMI-BOT-006"],
    ["an instrument that the venue lacks", { instruments: ["BTC.SIM"] }, "RUMI-BOT-005"],
    ["[M-2.1.4] a config out of range", { config: { fast: 0 } }, "RUMI-BOT-004"],
    ["[M-2.1.4] a missing config field", { config: {} }, "RUMI-BOT-004"],
    ["[M-2.1.4] an unknown config field", { config: { fast: 1, x: 1 } }, "RUMI-BOT-004"],
    ["[M-14.2] a secret, which would be stored and shown", { config: { fast: 1, api_key: "hunter2" } }, "RUMI-BOT-034"],
    ["no capital", { capital: "0" }, "RUMI-BOT-030"],
    ["capital that is no decimal", { capital: "1e3" }, "RUMI-BOT-030"],
  ];
  for (const [name, over, code] of rows)
    it(`refuses ${name}`, async () => {
      expect(codeOf(await world.makeBot("bot-1", over))).toBe(code);
    });
  it("refuses an unknown pack, an unknown strategy, a second bot of that name and an unknown field", async () => {
    const strategy = {
      pack_id: "demo_pack",
      strategy_id: "ema-cross",
      strategy_version: "1.0.0",
      digest: world.digest,
    };
    expect(codeOf(await world.makeBot("b", { strategy: { ...strategy, pack_id: "nobody" } }))).toBe("RUMI-PACK-005");
    expect(codeOf(await world.makeBot("b", { strategy: { ...strategy, strategy_id: "nobody" } }))).toBe(
      "RUMI-PACK-017",
    );
    dataOf(await world.makeBot("b"));
    expect(codeOf(await world.makeBot("b"))).toBe("RUMI-BOT-002");
    expect(codeOf(await world.makeBot("c", { colour: "red" }))).toBe("RUMI-VAL-008");
  });
  it("lists by state, label and words, in stable pages", async () => {
    for (const name of ["a", "b", "c", "d"])
      dataOf(await world.makeBot(name, { labels: { team: name === "d" ? "z" : "a" }, display_name: `Bot ${name}%` }));
    const list = async (query: Record<string, string>) =>
      dataOf(await world.query("bots.list", query)) as { bots: { bot_id: string }[]; next_cursor: string | null };
    const first = await list({ limit: "2" });
    expect(first.bots.map((bot) => bot.bot_id)).toEqual(["a", "b"]);
    expect((await list({ limit: "2", cursor: first.next_cursor ?? "" })).bots.map((bot) => bot.bot_id)).toEqual([
      "c",
      "d",
    ]);
    expect((await list({ label: "team=z" })).bots).toHaveLength(1);
    expect((await list({ label: "team" })).bots).toHaveLength(4);
    expect((await list({ q: "C%" })).bots.map((bot) => bot.bot_id)).toEqual(["c"]);
    expect((await list({ state: "RUNNING_PAPER" })).bots).toHaveLength(0);
    expect(codeOf(await world.query("bots.list", { limit: "201" }))).toMatch(/^RUMI-VAL/);
    expect(codeOf(await world.query("bots.list", { cursor: "%%" }))).toBe("RUMI-VAL-002");
  });
});

describe("[G-2.2a] commands", () => {
  it("[G-2.1a] [G-11] live never comes of asking: a challenge from where the bot stands, a refusal from everywhere else", async () => {
    dataOf(await world.makeBot());
    for (const from of BOT_STATES) {
      const answer = await world.move("bot-1", from, "RUNNING_LIVE");
      expect(refusal(answer)?.reasonCode, from).toBe(from === "IDLE" ? "CONFIRMATION_REQUIRED" : "G.STATE_MOVED");
    }
    const actions = await world.actions();
    expect(actions.filter((action) => action === "controlplane.command.denied")).toHaveLength(8);
    expect(actions.filter((action) => action === "dangerous_op.challenge")).toHaveLength(1);
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
  });
  it("starts, pauses, goes on with the same run, stops with proof", async () => {
    const run_id = await running();
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER", status: { run_id, mode: "paper" } });
    expect(dataOf(await world.move("bot-1", "RUNNING_PAPER", "PAUSED"))).toMatchObject({ state: "PAUSED", run_id });
    await world.until("paused", () => world.runner.instances.get(run_id)?.status.phase === "paused");
    expect(dataOf(await world.move("bot-1", "PAUSED", "RUNNING_PAPER"))).toMatchObject({ run_id });
    await world.until("running again", () => world.runner.instances.get(run_id)?.status.phase === "running");
    const stop = await world.move("bot-1", "RUNNING_PAPER", "STOPPING");
    expect(dataOf(stop)).toMatchObject({ status: "accepted", state: "STOPPING" });
    await world.until("IDLE", async () => (await world.bot())["state"] === "IDLE");
    const chain = dataOf(await world.query("commands.show", {}, { command_id: String(dataOf(stop)["command_id"]) }));
    expect(chain).toMatchObject({ status: "applied" });
    const actions = (chain["audit"] as { action: string }[]).map((event) => event.action);
    expect(actions).toEqual(
      expect.arrayContaining([
        "controlplane.command.requested",
        "controlplane.command.applied",
        "bot.state.transition",
        "instance.started",
        "instance.stopped",
      ]),
    );
    const again = dataOf(await world.move("bot-1", "IDLE", "RUNNING_SHADOW"));
    expect(again["run_id"]).not.toBe(run_id);
    await world.until("shadow", () => world.runner.instances.get(String(again["run_id"]))?.spec.mode === "shadow");
    const leases = await world.store.rows<{ epoch: number }>({ sql: "SELECT epoch FROM lease", parameters: [] });
    expect(leases).toEqual([{ epoch: 2 }]);
  });
  it("refuses what was meant for another moment", async () => {
    dataOf(await world.makeBot());
    const answer = await world.move("bot-1", "PAUSED", "STOPPING");
    expect(refusal(answer)).toMatchObject({ code: "RUMI-BOT-011", details: { current_state: "IDLE" } });
    expect(codeOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER", { expires_at: "2020-01-01T00:00:00Z" }))).toBe(
      "RUMI-BOT-013",
    );
    for (const expires_at of ["soon, but not at an instant", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
      expect(codeOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER", { expires_at }))).toBe("RUMI-VAL-002");
    expect(codeOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER", { actor: "user:other" }))).toBe("RUMI-VAL-002");
    expect(codeOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER", { target: { group_id: "g" } }))).toBe(
      "RUMI-BOT-015",
    );
    expect(codeOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER", { target: {} }))).toBe("RUMI-BOT-029");
    expect(codeOf(await world.move("nobody", "IDLE", "RUNNING_PAPER"))).toBe("RUMI-BOT-001");
    expect(codeOf(await world.move("bot-1", "IDLE", "STOPPING"))).toBe("RUMI-BOT-010");
    expect(codeOf(await world.move("bot-1", "IDLE", "ERROR"))).toBe("RUMI-BOT-033");
    expect(codeOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER", { schema_version: 2 }))).toMatch(/^RUMI-VAL/);
  });
  it("quarantine stops the run and is not left by command", async () => {
    const run_id = await running();
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "QUARANTINED"));
    await world.until("stopped", () => world.runner.instances.get(run_id)?.status.phase === "stopped");
    await world.rounds();
    expect(await world.bot()).toMatchObject({ state: "QUARANTINED", instances: [{ phase: "stopped", holder: null }] });
    for (const to of BOT_STATES) expect((await world.move("bot-1", "QUARANTINED", to)).kind).toBe("refused");
  });
  it("[G-6.2, L-N2] the same command acts once; a dry run acts never", async () => {
    await world.dialRunner();
    dataOf(await world.makeBot());
    const command_id = world.id();
    const same = { command_id, run_id: world.id(), trace_id: world.id() };
    const dry = await world.move("bot-1", "IDLE", "RUNNING_PAPER", { dry_run: true });
    expect(dry.kind).toBe("done");
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => world.move("bot-1", "IDLE", "RUNNING_PAPER", same)),
    );
    expect(answers.some((answer) => answer.kind === "done")).toBe(true);
    const late = await world.move("bot-1", "IDLE", "RUNNING_PAPER", same);
    expect(late).toMatchObject({ kind: "done", duplicate_suppressed: true });
    expect(await world.store.rows({ sql: "SELECT run_id FROM run", parameters: [] })).toHaveLength(1);
    expect(dataOf(await world.query("commands.list"))).toMatchObject({ count: 1 });
  });
});

describe("[L-N3] the preflight refuses each thing that is not right", () => {
  it("no runner", async () => {
    dataOf(await world.makeBot());
    expect(refusal(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toMatchObject({
      code: "RUMI-BOT-018",
      details: { failed_item: "runner" },
    });
  });
  it("[R-5.1] an altered pack, [L-N12] with the state kept", async () => {
    await world.runner.dial();
    dataOf(await world.makeBot());
    writeFileSync(join(world.folder, "ecosystem/demo_pack/strategies/ema.wasm"), "x");
    expect(refusal(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toMatchObject({
      code: "RUMI-PACK-007",
      details: { failed_item: "artifact_digest" },
    });
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
    expect(await world.actions()).toContain("pack.modified");
  });
  it("an altered recording", async () => {
    await world.runner.dial();
    dataOf(await world.makeBot());
    const path = join(world.folder, "recordings/trades.csv");
    writeFileSync(path, readFileSync(path, "utf8").replace("0.00150", "0.00151"));
    expect(refusal(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toMatchObject({ code: "RUMI-BOT-008" });
  });
  it("[G-5.1] SAFE and EMERGENCY_STOP, while a stop still passes", async () => {
    await running();
    for (const mode of ["SAFE", "EMERGENCY_STOP"]) {
      dataOf(await world.command("safety.set", { command_id: world.id(), mode, reason: "test" }));
      dataOf(
        await world
          .makeBot(`safe-${mode.toLowerCase().replace("_", "-")}`)
          .then((answer) =>
            answer.kind === "done"
              ? answer
              : { kind: "done" as const, status: 200, data: {}, command_id: null, duplicate_suppressed: false },
          ),
      );
    }
    expect(codeOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"))).toBe("done 202");
    await world.until("IDLE", async () => (await world.bot())["state"] === "IDLE");
    expect(codeOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toBe("RUMI-CMD-005");
    await world.until("the runner hears it", () =>
      world.runner.received.some((message) => message.type === "safety" && message.mode === "EMERGENCY_STOP"),
    );
  });
});

describe("[G-7.1] safety", () => {
  const set = (mode: string, principal = { id: "user:root", roles: ["view_only", "operator", "admin"] as const }) =>
    world.command("safety.set", { command_id: world.id(), mode, reason: "because" }, { principal });
  it("tightens always, loosens only for an administrator who confirms; each transition audited", async () => {
    const operator = { id: "user:op", roles: ["operator"] as const };
    expect(dataOf(await set("EMERGENCY_STOP", operator as never))).toMatchObject({
      mode: "EMERGENCY_STOP",
      changed: true,
      schema_version: 1,
    });
    expect(codeOf(await set("NORMAL", operator as never))).toBe("RUMI-AUTH-003");
    expect(dataOf(await world.confirm(await set("NORMAL")))).toMatchObject({ mode: "NORMAL", changed: true });
    expect(dataOf(await set("NORMAL"))).toMatchObject({ changed: false });
    expect(dataOf(await world.query("safety.show"))).toMatchObject({
      mode: "NORMAL",
      reason: "because",
      activated_by: "user:root",
    });
    expect((await world.actions()).filter((action) => action === "safety.transition")).toHaveLength(2);
  });
});

describe("venues", () => {
  it("keeps hash and load report, refuses a second of that name and a useless file", async () => {
    expect(dataOf(await world.query("venues.show", {}, { venue_id: "SIM" }))).toMatchObject({
      kind: "recording",
      report: { rows_accepted: 20 },
      pace: { kind: "multiple", factor: 1 },
    });
    expect(codeOf(await world.command("venues.register", venueBody(world)))).toBe("RUMI-BOT-007");
    const missing = { ...venueBody(world), venue_id: "OTHER" } as unknown as { files: { path: string }[] };
    missing.files = missing.files.map((file) => ({ ...file, path: "/nowhere.csv" }));
    expect(codeOf(await world.command("venues.register", missing))).toMatch(/^RUMI-MKT/);
  });
});

describe("configuration of a running bot", () => {
  it("[L-02] makes a new version and reaches the runner", async () => {
    const run_id = await running();
    const answer = dataOf(
      await world.command(
        "bots.config_apply",
        { command_id: world.id(), config: { fast: 20 }, at: "next_tick", reason: "tune" },
        { params: { bot_id: "bot-1" } },
      ),
    );
    expect(answer).toMatchObject({
      version: "1.1.0",
      generation: 2,
      observed_generation: 1,
      changed: ["fast"],
      applied: true,
    });
    await world.until("observed", async () => (await world.bot())["observed_generation"] === 2);
    expect(world.runner.received.find((message) => message.type === "config")).toMatchObject({
      run_id,
      config: { fast: 20, slow: 50 },
      actor: "user:root",
    });
    expect(
      codeOf(
        await world.command(
          "bots.config_apply",
          { command_id: world.id(), config: { fast: "x" }, at: "next_tick", reason: "tune" },
          { params: { bot_id: "bot-1" } },
        ),
      ),
    ).toBe("RUMI-BOT-004");
  });
});
