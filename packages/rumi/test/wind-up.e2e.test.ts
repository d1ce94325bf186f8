/**
 * The whole machine goes down while an order rests at the venue, which does not: program and runner are killed with kill -9.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { bot, createBot, installPack, ok, runnerPids, transition, untilState, type Data } from "./rig.ts";
import { startSimulator, type Simulator } from "./simulator.ts";

const home = temporaryFolder();
const simHome = temporaryFolder();
let program: Program;
let sim: Simulator;

beforeAll(async () => {
  sim = await startSimulator(join(simHome.path, "sim"), { rate: 2 });
  program = await startProgram({ home: home.path });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  await sim?.stop();
  for (const pid of processesNaming(home.path)) process.kill(pid, "SIGKILL");
  home.remove();
  simHome.remove();
});

const openThere = async (): Promise<number> =>
  (await sim.books()).accounts.flatMap(({ orders }) => orders.filter(({ state }) => state === "open")).length;
const stops = async (): Promise<readonly Data[]> =>
  (await ok(program, "GET", "/api/attestations?bot_id=rests"))["attestations"] as readonly Data[];

it(
  "[L-N8] [L-33] [G-2.1] an order that rests at the venue through the death of everything here stays until somebody stops its bot; then it is cancelled, the venue asked, and the stop proven",
  { timeout: 240_000 },
  async () => {
    const digest = await installPack(program);
    const where = ["--url", sim.url, "--key-file", sim.key_file];
    const { err, out } = program.cli("venues", "connect", "OUT", ...where, "--reason", "rehearsal");
    expect(err + out).toContain("DEMO.SIM");
    // More than so slow a market takes within the test: it rests.
    const resting = { order_quantity: "900", order_type: "limit", limit_offset_bps: 0, order_timeout: 3_600_000 };
    const config = { ...resting, fast_trades: 2, slow_trades: 4 };
    await createBot(program, "rests", "ema_cross", digest, { venue: "OUT", config, capital: "1000000" });
    const meant = ["--reason", "rehearsal", "--confirm", "rests"];
    const started = program.cli("bots", "start", "rests", "--mode", "live", ...meant);
    expect(started.err + started.out).toContain("RUNNING_LIVE");
    await eventually(async () => (await openThere()) === 1);

    await program.kill();
    for (const pid of runnerPids(home.path)) process.kill(pid, "SIGKILL");
    await eventually(() => processesNaming(home.path).length === 0);
    program = await startProgram({ home: home.path });
    await untilState(program, "rests", "ERROR");
    await eventually(async () => (await stops())[0]?.["proven"] === false);
    expect(await openThere(), "a person may want it to go on").toBe(1);

    await ok(program, "POST", "/api/commands", transition("rests", "ERROR", "STOPPING"));
    await untilState(program, "rests", "IDLE");
    expect(await openThere()).toBe(0);
    await eventually(async () => (await stops())[0]?.["proven"] === true);
    expect(await stops()).toMatchObject([{ proven: true, open_orders: 0, blocked: null, mode: "live", epoch: 2 }]);
    expect((await bot(program, "rests")).instances).toMatchObject([{ phase: "stopped", holder: null }]);
  },
);
