/**
 * A bot trades live against `rumi venue-sim`, both as a user would start them; the runner is killed in the middle.
 *
 * Live in everything but money: another process holds the orders, and its books are compared with ours at the end.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { cli, eventually, processesNaming, startProgram, type Program } from "./program.ts";
import {
  auditEvents,
  bot,
  createBot,
  fills,
  installPack,
  instance,
  intents,
  ok,
  runnerPids,
  transition,
  untilState,
} from "./rig.ts";
import { startSimulator, type Simulator } from "./simulator.ts";

const home = temporaryFolder();
const simHome = temporaryFolder();
let program: Program;
let sim: Simulator;

beforeAll(async () => {
  const faults = ["duplicate_update,rate=0.2", "drop_after_accept,count=2"];
  sim = await startSimulator(join(simHome.path, "sim"), { faults });
  program = await startProgram({ home: home.path });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  await sim?.stop();
  for (const pid of processesNaming(home.path)) process.kill(pid, "SIGKILL");
  home.remove();
  simHome.remove();
});

it("[M-8.2.2] a second simulator over the same orders is refused by its code, and the first goes on", async () => {
  const second = cli(home.path, ["venue-sim", "--data", join(simHome.path, "sim"), "--port", "0", "--pace", "manual"]);
  expect([second.code, second.err]).toEqual([1, expect.stringContaining("RUMI-MKT-024")]);
  expect(second.err).toContain(String(sim.pid));
  expect((await sim.books()).duplicates_refused).toBe(0);
});

it(
  "[M-1.2.1] [M-8.2.2] live against a simulator: registered, refused on paper, traded, killed, continued, stopped; both books agree and the key is nowhere",
  { timeout: 360_000 },
  async () => {
    const { key_file } = sim;
    expect(statSync(key_file).mode & 0o077).toBe(0);
    const { secret } = JSON.parse(readFileSync(key_file, "utf8")) as { readonly secret: string };
    const digest = await installPack(program);
    const connected = program.cli(
      "venues",
      "connect",
      "OUT",
      "--url",
      sim.url,
      "--key-file",
      key_file,
      "--reason",
      "rehearsal",
    );
    expect(connected.err + connected.out).toContain("DEMO.SIM");
    await createBot(program, "live", "ema_cross", digest, { venue: "OUT" });
    const paper = await program.call("POST", "/api/commands", transition("live", "IDLE", "RUNNING_PAPER"));
    expect(paper.body).toMatchObject({ error_code: "RUMI-BOT-047" });
    const asked = program.cli("bots", "start", "live", "--mode", "live", "--reason", "rehearsal");
    expect([asked.code, asked.err]).toEqual([1, expect.stringContaining("CONFIRMATION_REQUIRED")]);
    expect((await bot(program, "live")).state).toBe("IDLE");
    const slip = program.cli("bots", "start", "live", "--mode", "live", "--reason", "rehearsal", "--confirm", "life");
    expect([slip.code, slip.err]).toEqual([1, expect.stringContaining("CONFIRMATION_MISMATCH")]);
    const started = program.cli(
      "bots",
      "start",
      "live",
      "--mode",
      "live",
      "--reason",
      "rehearsal",
      "--confirm",
      "live",
    );
    expect(started.err + started.out).toContain("RUNNING_LIVE");
    await eventually(async () => {
      const now = await bot(program, "live");
      if (now.state === "ERROR") throw new Error(JSON.stringify(now.instances[0]?.failure));
      return (await fills(program, "live")).length > 3;
    });
    const cursor = (await instance(program, "live"))?.cursor ?? 0;
    for (const pid of runnerPids(home.path)) process.kill(pid, "SIGKILL");
    await eventually(async () => {
      const now = await bot(program, "live");
      if (now.state === "ERROR") throw new Error(JSON.stringify(now.instances[0]?.failure));
      return (now.instances[0]?.epoch ?? 0) > 1 && (now.instances[0]?.cursor ?? 0) > cursor;
    });
    const before = (await fills(program, "live")).length;
    await eventually(async () => (await fills(program, "live")).length > before + 2);
    await ok(program, "POST", "/api/commands", transition("live", "RUNNING_LIVE", "STOPPING"));
    await untilState(program, "live", "IDLE");
    const { accounts, duplicates_refused } = await sim.books();
    const [account] = accounts;
    expect(
      account?.orders.filter((one) => one.state === "open"),
      "its stop cancelled at the venue",
    ).toEqual([]);
    expect(duplicates_refused).toBe(0);
    const sent = new Set((await intents(program, "live")).flatMap(({ client_order_id }) => client_order_id ?? []));
    expect(
      account?.orders.filter((one) => !sent.has(one.client_order_id)),
      "nothing there that we did not decide",
    ).toEqual([]);
    const told = await eventually(async () => {
      const all = (await fills(program, "live")).map(({ fill }) => String(fill["fill_id"]));
      return all.length === account?.fills.length && all;
    });
    expect([...told].sort()).toEqual((account?.fills ?? []).map((one) => one.fill_id).sort());
    expect(JSON.stringify(await auditEvents(program)) + program.output()).not.toContain(secret);
    // While it runs files come and go, and what it writes last counts too.
    expect(await program.stop()).toBe(0);
    for (const path of readdirSync(home.path, { recursive: true, encoding: "utf8" })) {
      const full = join(home.path, path);
      if (statSync(full).isFile()) expect(readFileSync(full).includes(secret), path).toBe(false);
    }
  },
);
