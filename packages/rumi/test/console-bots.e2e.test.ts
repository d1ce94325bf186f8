/**
 * Bots in a real browser beyond their table: live against the venue simulator, configuration, proof of stops, bulks,
 * people and traces. `dist/` must be built.
 */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { addressOf, confirm, openConsole, see, textOf, turnTo, typePhrase, until, type Console } from "./browser.ts";
import { startProgram, type Program } from "./program.ts";
import {
  addVenue,
  bot,
  createBot,
  installPack,
  makePerson,
  ok,
  startBot,
  stopBot,
  untilState,
  writeRecording,
  type Data,
} from "./rig.ts";
import { startSimulator, type Simulator } from "./simulator.ts";

const SLOW_MS = 360_000;
const simHome = temporaryFolder();
let program: Program;
let chromium: Console;
let sim: Simulator;
let digest: string;
let page: Page;

const said = (more: Data = {}): Data => ({ command_id: crypto.randomUUID(), reason: "test", ...more });

describe.runIf(requires("chromium"))("bots in Chromium", () => {
  beforeAll(async () => {
    sim = await startSimulator(join(simHome.path, "sim"));
    program = await startProgram({ console: "served" });
    digest = await installPack(program);
    await addVenue(program, { path: writeRecording(program.home, 60_000), factor: 60 });
    const { url, key_file } = sim;
    program.cli("venues", "connect", "OUT", "--url", url, "--key-file", key_file, "--reason", "rehearsal");
    await createBot(program, "outside", "ema_cross", digest, { venue: "OUT" });
    for (const name of ["one", "two"]) await createBot(program, name, "ema_cross", digest);
    chromium = await openConsole(program);
    page = await chromium.open();
    await turnTo(page, "Bots");
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
    await sim?.stop();
    simHome.remove();
  });

  it(
    "[G-4.3] [G-9.1] [G-3.2] live is offered where it is possible, takes the bot's name, and is marked by colour and label",
    async () => {
      const row = see(page, "bot-outside");
      await row.getByRole("button", { name: "Start LIVE" }).waitFor();
      expect((await row.getByRole("button").allInnerTexts()).slice(1)).toEqual([
        "Start shadow",
        "Start LIVE",
        "Quarantine",
      ]);
      expect(await see(page, "bot-one").getByRole("button", { name: "Start LIVE" }).count()).toBe(0);
      await row.getByRole("button", { name: "Start LIVE" }).click();
      const dialog = page.getByRole("dialog");
      expect(await dialog.getAttribute("class")).toContain("live");
      await confirm(page, "rehearsal");
      await until(page, "impact", /RUNNING_LIVE/);
      await until(page, "remaining", /\d+ s left|1:00 left/);
      expect((await bot(program, "outside")).state, "asking alone starts nothing").toBe("IDLE");
      await see(page, "phrase").fill("Outside");
      expect(await dialog.getByRole("button", { name: "Do it" }).isDisabled()).toBe(true);
      await typePhrase(page, "outside");
      await until(page, "live-bots", /1 LIVE/);
      await until(page, "bot-outside", /RUNNING_LIVE[\s\S]*LIVE/);
      expect(await row.getAttribute("class")).toContain("is-live");
      expect(await row.getByTestId("mode").getAttribute("class")).toContain("filled");
    },
    SLOW_MS,
  );

  it(
    "[G-1.1] [G-4.1] another configuration for a live bot shows what changes, and takes the bot's name too",
    async () => {
      await page.getByRole("button", { name: "outside", exact: true }).click();
      await page.getByRole("button", { name: "Change" }).click();
      const text = see(page, "config-form").getByRole("textbox");
      await text.fill("{");
      expect(await see(page, "config-form").getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
      const config = (await bot(program, "outside"))["spec"] as { readonly config: Data };
      await text.fill(JSON.stringify({ ...config.config, slow_trades: 60 }));
      await see(page, "config-form").getByRole("button", { name: "Apply" }).click();
      await until(page, "diff", /slow_trades\s+40\s+60/);
      await confirm(page, "crosses later: a slower average");
      await see(page, "phrase").waitFor();
      expect(await see(page, "diff").count()).toBe(2);
      await typePhrase(page, "outside");
      await until(page, "config", /slow_trades\s+60/);
      await page.getByRole("button", { name: "Stop: outside" }).click();
      await confirm(page, "enough");
      await untilState(program, "outside", "IDLE");
      await until(page, "stop-proven", /proven stopped/);
    },
    SLOW_MS,
  );

  it(
    "[L-33] [L-09] [G-1.1] a bot's page shows its instances, the ladder of its stop, its admission, has a bundle made, and leads to its trace",
    async () => {
      await startBot(program, "one");
      await stopBot(program, "one");
      await page.goto(`${program.url}/#/bots/one`);
      await until(page, "instance-main", /breaker closed/);
      await until(page, "stop", /proven stopped[\s\S]*StopRequested[\s\S]*StopAttested/);
      expect(await see(page, "stop").first().locator(".ladder .good").count()).toBe(6);
      await until(page, "admission", /admitted[\s\S]*✓ descriptor[\s\S]*✓ smoke/);
      await see(page, "panel-detail").getByRole("button", { name: "Make one" }).click();
      await confirm(page, "for the vendor");
      await until(page, "bundles", /READY[\s\S]*for the vendor[\s\S]*[0-9a-f]{64}/);
      await see(page, "trace-link").click();
      await until(page, "trace", /Commands\s+\d[\s\S]*Runs\s+\d[\s\S]*Intents/);
      expect((await addressOf(page)).hash).toContain("#/trace/");
    },
    SLOW_MS,
  );

  it(
    "[L-44] a bulk shows how far it has come, what failed and why, and its failed ones are retried",
    async () => {
      await ok(program, "POST", "/api/killswitch/set", said({ scope: { bot_id: "two" }, level: "BLOCK" }));
      const requested_transition = { from: "IDLE", to: "RUNNING_PAPER" };
      await ok(
        program,
        "POST",
        "/api/bulk",
        said({ selector: { bot_ids: ["one", "two"] }, requested_transition, max_errors: 2, reason: "the desk opens" }),
      );
      await until(page, "kill-state", /BLOCK/);
      await page.goto(`${program.url}/#/bots/two`);
      await until(page, "finding", /G\.KILLSWITCH\.BLOCK[\s\S]*Next step:/);
      await see(page, "finding").first().getByTestId("runbook-link").click();
      await until(page, "runbook", /Kill switch[\s\S]*rumi killswitch set/);
      await see(page, "runbook").getByRole("button", { name: "Close" }).click();
      await turnTo(page, "Bulk");
      await until(page, "bulk", /over[\s\S]*done 1[\s\S]*failed 1[\s\S]*the desk opens[\s\S]*two G\.KILLSWITCH\.BLOCK/);
      await turnTo(page, "Controls");
      await page.getByRole("button", { name: "Lift: bot two" }).click();
      await confirm(page, "found");
      await typePhrase(page, "I UNDERSTAND LIVE RISK");
      await until(page, "kill-state", /^ALLOW$/);
      await turnTo(page, "Bulk");
      await see(page, "bulk").first().getByRole("button", { name: "Retry failed" }).click();
      await confirm(page, "once more");
      await until(page, "bulk", /over[\s\S]*done 2[\s\S]*failed 0/);
      expect(await see(page, "bulk").first().getByRole("button").count()).toBe(0);
    },
    SLOW_MS,
  );

  it(
    "[G-0.5] [L-04] an administrator sees who there is, and lets somebody in no more",
    async () => {
      const mika = await makePerson(program, "Mika", ["operator"]);
      await turnTo(page, "People");
      const row = see(page, "person").filter({ hasText: mika.id });
      expect(await row.innerText()).toMatch(/Mika[\s\S]*operator/);
      await row.getByRole("button", { name: "Mika" }).click();
      await until(page, "tokens", /until \d{4}-/);
      expect(await page.content()).not.toContain(mika.token);
      await row.getByRole("button", { name: "Disable" }).click();
      await confirm(page, "left");
      await row.getByText("disabled").waitFor();
      const tried = await program.call("GET", "/api/me", undefined, { authorization: `Bearer ${mika.token}` });
      expect(tried.status).toBe(401);
    },
    SLOW_MS,
  );

  it.each([
    ["light", 400],
    ["dark", 400],
    ["light", 1_400],
  ] as const)(
    "[G-9.1] every page keeps to its width, %s at %i pixels",
    async (scheme, width) => {
      const other = await chromium.open({ scheme, width });
      for (const at of ["Overview", "Bots", "Controls", "Approvals", "Bulk", "Runs", "Audit", "People", "Settings"]) {
        await turnTo(other, at);
        await see(other, "safety-mode").waitFor();
        const over = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        expect([at, await other.evaluate<number>(over)]).toEqual([at, 0]);
      }
      await chromium.shut(other);
    },
    SLOW_MS,
  );

  it("no page complained, and nothing said here is unproven", async () => {
    await until(page, "log-badge", /Log verified here/);
    expect(await textOf(page, "spool-state")).toBe("empty");
    expect(chromium.complaints).toEqual([]);
  });
});
