/** Groups and jobs of the whole program, over HTTP alone: real runners, real strategies, the audit log afterwards. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { addVenue, auditEvents, bot, createBot, installPack, ok, writeRecording, type Data } from "./rig.ts";

const SLOW_MS = 360_000;
const BOTS = ["one", "three", "two"];
const home = temporaryFolder();
let program: Program;

beforeAll(async () => {
  program = await startProgram({ home: home.path });
  const digest = await installPack(program);
  await addVenue(program, { path: writeRecording(home.path, 20_000), factor: 1 });
  for (const bot_id of BOTS) await createBot(program, bot_id, "ema_cross", digest);
}, SLOW_MS);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(join(home.path, "user_data"))) process.kill(pid, "SIGKILL");
  home.remove();
});

const wish = (from: string, to: string): Data => ({
  command_id: crypto.randomUUID(),
  requested_transition: { from, to },
  reason: `${from} → ${to}`,
  trace_id: crypto.randomUUID(),
  run_id: crypto.randomUUID(),
  schema_version: 1,
});
const toGroup = (from: string, to: string): Data => ({ ...wish(from, to), target: { group_id: "desk" } });
const states = async (): Promise<readonly string[]> =>
  Promise.all(BOTS.map(async (bot_id) => (await bot(program, bot_id)).state));
const untilApplied = (command_id: unknown): Promise<Data> =>
  eventually(async () => {
    const now = await ok(program, "GET", `/api/commands/${String(command_id)}`);
    return now["status"] === "applied" && now;
  });

describe("[G-1.2] groups and jobs are managed like bots", () => {
  it(
    "[L-N11] a group is made and commanded: every bot of it starts, pauses and stops by one command, with its chain in the log",
    async () => {
      const made = await ok(program, "POST", "/api/groups", {
        command_id: crypto.randomUUID(),
        group_id: "desk",
        bot_ids: BOTS,
        reason: "a desk",
      });
      expect(made).toMatchObject({ count: 3, generation: 1 });
      const start = toGroup("IDLE", "RUNNING_PAPER");
      const told = await ok(program, "POST", "/api/commands", start);
      expect(told).toMatchObject({ status: "accepted", group_id: "desk", digest: made["digest"], left_out: [] });
      const done = await untilApplied(start["command_id"]);
      expect(done["bulk"]).toMatchObject({ done: BOTS, failed: [] });
      expect(await states()).toEqual(Array(3).fill("RUNNING_PAPER"));
      expect((done["audit"] as Data[]).map(({ action }) => action)).toEqual(
        expect.arrayContaining(["controlplane.command.requested", "bulk.started", "controlplane.command.applied"]),
      );
      // The same again is the same answer; another wish under its id is none.
      expect((await program.call("POST", "/api/commands", start)).status).toBe(202);
      expect((await program.call("POST", "/api/commands", { ...start, reason: "other" })).status).toBe(422);
      const live = await program.call("POST", "/api/commands", toGroup("PAUSED", "RUNNING_LIVE"));
      expect([live.status, live.body["reason_code"]]).toEqual([409, "G.GROUP.ONE_BY_ONE"]);

      for (const [from, to] of [
        ["RUNNING_PAPER", "PAUSED"],
        ["PAUSED", "STOPPING"],
      ] as const) {
        const next = toGroup(from, to);
        await ok(program, "POST", "/api/commands", next);
        expect((await untilApplied(next["command_id"]))["bulk"]).toMatchObject({ done: BOTS, failed: [] });
      }
      expect(await states()).toEqual(Array(3).fill("IDLE"));
      const each = await auditEvents(program, { trace_id: String(start["trace_id"]), action: "bot.state.transition" });
      const started = each.filter(({ details }) => (details as Data)["to"] === "RUNNING_PAPER");
      expect(started.map(({ resource_id }) => resource_id).toSorted()).toEqual(BOTS);
    },
    SLOW_MS,
  );

  it(
    "a job is written down, started, paused, resumed and stopped; a restart of the program in its middle loses nothing of it",
    async () => {
      await ok(program, "POST", "/api/jobs", {
        command_id: crypto.randomUUID(),
        job_id: "open-desk",
        selector: { group_id: "desk" },
        requested_transition: { from: "IDLE", to: "RUNNING_PAPER" },
        max_errors: 1,
        reason: "every morning",
      });
      const move = (from: string, to: string): Promise<Data> =>
        ok(program, "POST", "/api/jobs/open-desk/commands", wish(from, to));
      await move("IDLE", "RUNNING");
      await move("RUNNING", "PAUSED");
      const paused = await eventually(async () => {
        const { bulk } = await ok(program, "GET", "/api/jobs/open-desk");
        return (bulk as { in_flight: unknown[] }).in_flight.length === 0 && (bulk as Data);
      });
      await program.kill();
      for (const pid of processesNaming(join(home.path, "user_data"))) process.kill(pid, "SIGKILL");
      program = await startProgram({ home: home.path });
      expect((await ok(program, "GET", "/api/jobs/open-desk"))["bulk"]).toMatchObject({
        bulk_id: paused["bulk_id"],
        digest: paused["digest"],
        waiting: paused["waiting"],
      });
      expect((await ok(program, "GET", "/api/jobs/open-desk"))["state"]).toBe("PAUSED");
      await move("PAUSED", "RUNNING");
      await eventually(async () => (await ok(program, "GET", "/api/jobs/open-desk"))["state"] === "IDLE");
      for (const bot_id of paused["waiting"] as string[])
        expect((await bot(program, bot_id)).state).toBe("RUNNING_PAPER");
      const refused = await program.call("POST", "/api/jobs/open-desk/commands", wish("RUNNING", "PAUSED"));
      expect([refused.status, refused.body["reason_code"]]).toEqual([409, "G.STATE_MOVED"]);
      expect(refused.body["suggestion"]).toEqual(expect.any(String));
    },
    SLOW_MS,
  );
});
