/** Drift of the whole program: its runner is killed, and its store is edited by hand while it runs. */
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { eventually, processesNaming, startProgram, type Program } from "./program.ts";
import {
  addVenue,
  auditEvents,
  bot,
  createBot,
  installPack,
  instance,
  ok,
  runnerPids,
  startBot,
  untilState,
  writeRecording,
  type Data,
} from "./rig.ts";

const SLOW_MS = 360_000;
const home = temporaryFolder();
let program: Program;

beforeAll(async () => {
  program = await startProgram({ home: home.path });
  const digest = await installPack(program);
  await addVenue(program, { path: writeRecording(home.path, 20_000), factor: 1 });
  for (const bot_id of ["kept", "other"]) await createBot(program, bot_id, "ema_cross", digest);
}, SLOW_MS);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(join(home.path, "user_data"))) process.kill(pid, "SIGKILL");
  home.remove();
});

const drift = async (query = ""): Promise<readonly Data[]> =>
  (await ok(program, "GET", `/api/drift${query}`))["drift"] as Data[];
const settled = (drift_class: string, bot_id: string): Promise<Data> =>
  eventually(async () =>
    (await drift(`?bot_id=${bot_id}`)).find((one) => one["drift_class"] === drift_class && one["state"] === "settled"),
  );
const applyConfig = async (bot_id: string, fast: number, at: string): Promise<void> => {
  const config = { order_quantity: "1", fast_trades: fast, slow_trades: 40 };
  const body = { command_id: crypto.randomUUID(), config, at, reason: "another" };
  await ok(program, "POST", `/api/bots/${bot_id}/config/apply`, body);
};

/** Writes into the home's database behind the running program's back. */
function edit(sql: string): void {
  const db = new DatabaseSync(join(home.path, "user_data/store/rumi.sqlite"));
  db.exec("PRAGMA busy_timeout = 10000");
  db.exec(sql);
  db.close();
}
describe("[L-N5] [L-N6] [L-13] [L-14] drift", () => {
  it(
    "what runs as it was decided is left alone: started, with another configuration at once and at a checkpoint",
    async () => {
      for (const bot_id of ["kept", "other"]) await startBot(program, bot_id);
      await applyConfig("kept", 12, "next_tick");
      await applyConfig("other", 12, "next_checkpoint");
      // Three looks and more.
      await new Promise((resolve) => setTimeout(resolve, 8_000));
      expect(await drift()).toEqual([]);
    },
    SLOW_MS,
  );

  it(
    "a runner that is killed: told as missing, started again from its state, told as repaired; nothing else moves",
    async () => {
      const before = await instance(program, "kept");
      for (const pid of runnerPids(home.path)) process.kill(pid, "SIGKILL");
      await settled("missing_instance", "kept");
      const after = await eventually(async () => {
        const now = await instance(program, "kept");
        return now?.phase === "running" && (now.epoch > (before?.epoch ?? 0) ? now : false);
      });
      expect(after.run_id).toBe(before?.run_id);
      expect((await bot(program, "kept")).state).toBe("RUNNING_PAPER");
      const told = await auditEvents(program, { action: "drift.repaired" });
      expect(told.map(({ resource_id }) => resource_id).toSorted()).toEqual(["kept", "other"]);
    },
    SLOW_MS,
  );

  it(
    "a configuration that somebody edits in the store is put back, and a bot that would run another pack is ended",
    async () => {
      const decided = (await bot(program, "kept"))["spec"];
      edit(`UPDATE bot SET spec = replace(spec, '"fast_trades":12', '"fast_trades":2') WHERE bot_id = 'kept'`);
      expect((await bot(program, "kept"))["spec"]).not.toEqual(decided);
      expect(await settled("config", "kept")).toMatchObject({ outcome: "repaired", place: "bot" });
      expect((await bot(program, "kept"))["spec"]).toEqual(decided);
      edit(
        `UPDATE bot SET spec = replace(spec, '"strategy_version":"1.0.0"', '"strategy_version":"9.9.9"') WHERE bot_id = 'other'`,
      );
      expect(await settled("digest", "other")).toMatchObject({ outcome: "quarantined" });
      await untilState(program, "other", "QUARANTINED");
      await eventually(async () => (await instance(program, "other"))?.phase === "stopped");
      expect((await bot(program, "kept")).state).toBe("RUNNING_PAPER");
      const told = await auditEvents(program, { action: "drift.detected" });
      expect(told.length).toBeGreaterThanOrEqual(4);
    },
    SLOW_MS,
  );
});
