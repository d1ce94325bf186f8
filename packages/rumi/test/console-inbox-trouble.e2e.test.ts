/**
 * What the inbox says of trouble nobody asked for: a machine that went down under a live bot, a stop that cannot be proven,
 * a store edited behind the program's back, packs that ask for something or are known to be bad. Each is real, is followed to
 * where it is dealt with, is dealt with there, and its line is gone. `dist/` must be built.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { sampleManifest, SAMPLE_WASM, writePack } from "../../platform/test/kit.ts";
import { confirm, openConsole, see, turnTo, typePhrase, until, type Console } from "./browser.ts";
import { eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { addVenue, bot, createBot, installPack, ok, runnerPids, startBot, untilState, writeRecording } from "./rig.ts";
import { startSimulator, type Simulator } from "./simulator.ts";
import { lockFile } from "./supply-chain-rig.ts";

const SLOW_MS = 360_000;
const STUCK_MS = 61_000;
const DRIFTING = ["a", "b", "c", "d"];
const work = temporaryFolder();
const home = join(work.path, "home");
const advisories = join(work.path, "advisories");
const simulated = join(work.path, "sim");
let program: Program;
let sim: Simulator;
let chromium: Console;
let digest: string;

const start = (): Promise<Program> =>
  startProgram({ home, console: "served", environment: { RUMI_ADVISORIES_DIR: advisories } });
const line = (page: Page, kind: string, name: string | RegExp) =>
  page.locator(`[data-testid="inbox-item"][data-kind="${kind}"]`).filter({ hasText: name });
const follow = async (page: Page, kind: string, name: string | RegExp): Promise<void> => {
  await turnTo(page, "Overview");
  await line(page, kind, name).first().getByRole("link").click();
};
const gone = async (page: Page, kind: string, name: string | RegExp): Promise<void> => {
  await turnTo(page, "Overview");
  await see(page, "inbox").waitFor({ state: "attached" });
  await eventually(async () => (await line(page, kind, name).count()) === 0);
};
/** Writes into the home's database behind the running program's back. */
const edit = (sql: string): void => {
  const db = new DatabaseSync(join(home, "user_data/store/rumi.sqlite"));
  db.exec("PRAGMA busy_timeout = 10000");
  db.exec(sql);
  db.close();
};
/** Types whatever the dialog asks to be typed. */
const typeWhatIsAsked = async (page: Page): Promise<void> => {
  await see(page, "phrase").waitFor();
  const [, phrase = ""] = /type (.+) to confirm/.exec(await page.getByRole("dialog").innerText()) ?? [];
  await typePhrase(page, phrase);
};

describe.runIf(requires("chromium"))("[G-9.1] trouble in the inbox in Chromium", () => {
  beforeAll(async () => {
    for (const folder of [home, advisories]) mkdirSync(folder);
    sim = await startSimulator(simulated, { rate: 2 });
    program = await start();
    digest = await installPack(program);
    await addVenue(program, { path: writeRecording(home, 20_000), factor: 1 });
    const where = ["--url", sim.url, "--key-file", sim.key_file];
    expect(program.cli("venues", "connect", "OUT", ...where, "--reason", "rehearsal").out).toContain("DEMO.SIM");
    // More than so slow a market takes within the test: it rests.
    const resting = { order_quantity: "900", order_type: "limit", limit_offset_bps: 0, order_timeout: 3_600_000 };
    const config = { ...resting, fast_trades: 2, slow_trades: 4 };
    await createBot(program, "rests", "ema_cross", digest, { venue: "OUT", config, capital: "1000000" });
    const meant = ["--reason", "rehearsal", "--confirm", "rests"];
    expect(program.cli("bots", "start", "rests", "--mode", "live", ...meant).out).toContain("RUNNING_LIVE");
    const open = async () => (await sim.books()).accounts.flatMap(({ orders }) => orders);
    await eventually(async () => (await open()).some(({ state }) => state === "open"));
    await program.kill();
    for (const pid of runnerPids(home)) process.kill(pid, "SIGKILL");
    await eventually(() => processesNaming(home).length === 0);
    program = await start();
    chromium = await openConsole(program);
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
    await sim?.stop();
    for (const pid of processesNaming(home)) process.kill(pid, "SIGKILL");
    work.remove();
  });

  it(
    "[L-33] a live bot whose machine went down is in error; its stop is stuck while the venue is silent, and proven when it answers",
    async () => {
      await untilState(program, "rests", "ERROR");
      const page = await chromium.open();
      await follow(page, "inbox_error", "rests");
      const port = Number(new URL(sim.url).port);
      await sim.stop();
      await page.getByRole("button", { name: "Stop: rests" }).click();
      await confirm(page, "it is over");
      await eventually(async () => (await bot(program, "rests")).state === "STOPPING");
      await gone(page, "inbox_error", "rests");
      expect(await line(page, "inbox_stuck", "rests").count(), "it has only begun to wait").toBe(0);
      const blocked = async (): Promise<{ rung: string; why: string } | null> =>
        ((await ok(program, "GET", "/api/attestations?bot_id=rests"))["attestations"] as { blocked: never }[])[0]
          ?.blocked ?? null;
      await eventually(async () => (await blocked()) !== null);
      await page.evaluate(`{ const now = Date.now; Date.now = () => now() + ${STUCK_MS}; }`);
      await line(page, "inbox_stuck", "rests").waitFor();
      const found = await eventually(async () => (await blocked()) ?? false);
      await follow(page, "inbox_stuck", "rests");
      await until(page, "panel-detail", new RegExp(found.rung));
      sim = await startSimulator(simulated, { rate: 2, port });
      await untilState(program, "rests", "IDLE");
      await gone(page, "inbox_stuck", "rests");
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[L-14] a store that somebody edited: what the brake holds is in the inbox bot by bot, and let through among the controls",
    async () => {
      for (const bot_id of DRIFTING) await createBot(program, bot_id, "ema_cross", digest);
      for (const bot_id of DRIFTING) await startBot(program, bot_id);
      const decided = (await bot(program, "a"))["spec"];
      const names = DRIFTING.map((bot_id) => `'${bot_id}'`).join();
      edit(`UPDATE bot SET spec = replace(spec, '"fast_trades":10', '"fast_trades":2') WHERE bot_id IN (${names})`);
      expect((await bot(program, "a"))["spec"], "it was edited").not.toEqual(decided);
      const page = await chromium.open();
      await eventually(async () => (await line(page, "inbox_drift", /config:/).count()) === DRIFTING.length);
      await follow(page, "inbox_drift", /config:/);
      await until(page, "drift-brake", /4/);
      await see(page, "drift-brake").getByRole("button").click();
      await page.getByRole("dialog").getByLabel("Reason").fill("I looked");
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await typeWhatIsAsked(page);
      await eventually(async () => JSON.stringify((await bot(program, "a"))["spec"]) === JSON.stringify(decided));
      await gone(page, "inbox_drift", /config:/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[R-7.1] [L-51.1] a pack that asks for a handler and a library, and one that is known to be bad: each leads to the pack's page",
    async () => {
      const handler = {
        handler_id: "fs_read_handler",
        permission_id: "fs.read",
        entrypoint: "handler.py:execute",
        description: "Reads one file",
        risk: "It reads files of this machine",
      };
      const pack = writePack(join(work.path, "asks"), sampleManifest(), {
        "strategies/ema.wasm": SAMPLE_WASM,
        "package-lock.json": lockFile(),
        "requirements.lock": "tomli==2.0.1\n",
        "share/capability_handlers/fs_read/handler.json": JSON.stringify(handler),
        "share/capability_handlers/fs_read/handler.py": "def execute(context, args):\n    return {}\n",
      });
      const artifact_id = await installPack(program, pack, "demo_pack");
      for (const what of ["capability", "pip"]) await ok(program, "POST", `/api/${what}/candidates/scan`, {});
      const page = await chromium.open();
      await follow(page, "inbox_capability", "demo_pack");
      await see(page, "candidate").getByRole("button", { name: "Reject" }).click();
      await confirm(page, "not needed");
      await gone(page, "inbox_capability", "demo_pack");
      await follow(page, "inbox_pip", "demo_pack");
      await see(page, "library-list").getByRole("button", { name: "Reject" }).click();
      await confirm(page, "not needed");
      await gone(page, "inbox_pip", "demo_pack");

      const advisory = join(advisories, "GHSA-aaaa-bbbb-cccc.json");
      const affected = { package: { ecosystem: "npm", name: "left-pad" } };
      writeFileSync(
        advisory,
        JSON.stringify({
          id: "GHSA-aaaa-bbbb-cccc",
          modified: "2026-01-01T00:00:00Z",
          severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
          affected: [{ ...affected, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0.0" }] }] }],
        }),
      );
      await ok(program, "POST", "/api/supply_chain/gate/run", {
        command_id: crypto.randomUUID(),
        artifact_id,
        reason: "new advisories",
      });
      await follow(page, "inbox_supply", "demo_pack");
      await until(page, "supply-decision", /blocked/i);
      rmSync(advisory);
      await see(page, "panel-supply").getByRole("button", { name: "Run the gate" }).click();
      await confirm(page, "it was withdrawn");
      await until(page, "supply-decision", /may be used/i);
      await gone(page, "inbox_supply", "demo_pack");
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it("no page complained", () => expect(chromium.complaints).toEqual([]));
});
