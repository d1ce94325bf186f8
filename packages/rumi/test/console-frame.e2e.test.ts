/**
 * What is around every page of the console, in a real browser: who one is, where one may go, colours, keyboard, and what a
 * machine can judge of accessibility. `dist/` must be built.
 */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { accessibilityProblems } from "./axe.ts";
import { addressOf, confirm, openConsole, see, textOf, turnTo, until, type Console } from "./browser.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import { addVenue, createBot, installPack, makePerson, ok, startBot, writeRecording, type Data } from "./rig.ts";

const SLOW_MS = 360_000;
let program: Program;
let chromium: Console;

const said = (more: Data = {}): Data => ({ command_id: crypto.randomUUID(), reason: "test", ...more });
const focused = (page: Page): Promise<string> =>
  page.evaluate<string>("document.activeElement?.textContent?.trim() ?? ''");

describe.runIf(requires("chromium"))("the frame of the console in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
    const digest = await installPack(program);
    await addVenue(program, { path: writeRecording(program.home, 60_000), factor: 60 });
    for (const name of ["one", "two"]) await createBot(program, name, "ema_cross", digest);
    await startBot(program, "one");
    await ok(
      program,
      "POST",
      "/api/commands",
      said({
        target: { bot_id: "two" },
        requested_transition: { from: "IDLE", to: "QUARANTINED" },
        trace_id: crypto.randomUUID(),
        run_id: crypto.randomUUID(),
        schema_version: 1,
      }),
    );
    await ok(program, "POST", "/api/gates/feed/require", said());
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
  });

  it(
    "[G-9.1] the bar keeps to one line and its strip to another at 1300 pixels, even for who has every role",
    async () => {
      const page = await chromium.open({ width: 1_300 });
      await until(page, "log-badge", /Log verified here/);
      await until(page, "myself", /admin \+3/);
      const heights = await page
        .locator(".bar-line")
        .evaluateAll((lines) => lines.map((line) => (line as unknown as { offsetHeight: number }).offsetHeight));
      expect(heights).toHaveLength(2);
      for (const height of heights) expect(height).toBeLessThan(50);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[G-0.5] a menu says who one is, in which roles, and what one may ask for; it closes with Escape",
    async () => {
      const { token, id } = await makePerson(program, "Mika", ["operator"]);
      const page = await chromium.open({ token });
      await until(page, "myself", /^operator/);
      await see(page, "myself").click();
      expect(await textOf(page, "me-menu")).toContain(id);
      expect(await textOf(page, "my-roles")).toBe("operator");
      const mine = await textOf(page, "my-operations");
      expect(mine).toMatch(/commands\s+(list, show, )?submit/);
      expect(mine).not.toMatch(/roles_set/);
      await page.keyboard.press("Escape");
      expect(await see(page, "me-menu").isVisible()).toBe(false);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] the first stop of the keyboard leads past the frame, and another page takes the focus and the title",
    async () => {
      const page = await chromium.open();
      await until(page, "safety-mode", /NORMAL/);
      await page.keyboard.press("Tab");
      expect(await focused(page)).toBe("Skip to the content");
      await page.keyboard.press("Enter");
      expect(await page.evaluate<string>("document.activeElement?.id")).toBe("content");
      expect((await addressOf(page)).href).not.toContain("content");
      await turnTo(page, "Controls");
      await see(page, "kill-form").waitFor();
      expect(await page.evaluate<string>("document.activeElement?.id")).toBe("content");
      await eventually(async () => /^Controls · Rumi · dev$/.test(await page.title()));
      await page.goBack();
      await see(page, "inbox").waitFor({ state: "attached" });
      expect(await page.title()).toMatch(/^Overview · Rumi/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "colours follow the system until somebody chooses, and the choice stays",
    async () => {
      const page = await chromium.open({ scheme: "dark" });
      await until(page, "safety-mode", /NORMAL/);
      const ground = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      const dark = await ground();
      await page.emulateMedia({ colorScheme: "light" });
      const light = await ground();
      expect(light).not.toBe(dark);
      await see(page, "myself").click();
      await see(page, "theme").getByRole("button", { name: "Dark" }).click();
      expect(await ground()).toBe(dark);
      await page.reload();
      await until(page, "safety-mode", /NORMAL/);
      expect(await ground()).toBe(dark);
      await see(page, "myself").click();
      await see(page, "theme").getByRole("button", { name: "System" }).click();
      expect(await ground()).toBe(light);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] the overview counts the fleet, and its inbox leads to what needs a person",
    async () => {
      const page = await chromium.open();
      await until(page, "fleet", /1\s+RUNNING_PAPER[\s\S]*1\s+QUARANTINED/);
      await until(page, "exposure", /DEMO\.SIM/);
      const items = see(page, "inbox-item");
      await items.filter({ hasText: "gate does not pass" }).getByRole("link", { name: "feed" }).waitFor();
      await items.filter({ hasText: "quarantined" }).getByRole("link", { name: "two" }).click();
      await see(page, "facts").waitFor();
      expect((await addressOf(page)).hash).toMatch(/#\/bots\/two$/);
      await turnTo(page, "Overview");
      await see(page, "fleet-QUARANTINED").click();
      await see(page, "bot-two").waitFor();
      expect(await see(page, "bot-one").count()).toBe(0);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] the log is searched, an event proven and its proof saved, its trace drawn as a line of time",
    async () => {
      const page = await chromium.open();
      await turnTo(page, "Audit");
      await until(page, "log-verdict", /entries: signature, tree[\s\S]*rumi\./);
      await see(page, "verify-log").click();
      const form = see(page, "audit-form");
      await form.getByLabel("Action").fill("bot.state.transition");
      await form.getByLabel("Target", { exact: true }).fill("one");
      await form.getByRole("button", { name: "Search" }).click();
      const found = see(page, "audit").locator("tr[data-event]");
      await found.first().waitFor();
      expect(new Set(await found.evaluateAll((all) => all.map((row) => row.getAttribute("data-action"))))).toEqual(
        new Set(["bot.state.transition"]),
      );
      expect(await see(page, "rumi-line").last().innerText()).toBe(
        "rumi audit events --action bot.state.transition --resource-id one",
      );
      await found.first().getByTestId("check").click();
      await until(page, "proof", /✓ The head belongs to the log/);
      const saved = page.waitForEvent("download");
      await see(page, "save-proof").click();
      const file = JSON.parse(readFileSync(await (await saved).path(), "utf8")) as Data;
      expect(JSON.stringify(file)).toMatch(/"checkpoint":/);
      await page.getByRole("link", { name: "Trace" }).click();
      await until(page, "timeline", /command[\s\S]*IDLE → RUNNING_PAPER[\s\S]*run[\s\S]*event[\s\S]*intent[\s\S]*fill/);
      await turnTo(page, "Audit");
      await see(page, "audit-form").getByLabel("Actor").fill("user:nobody");
      await see(page, "audit-form").getByRole("button", { name: "Search" }).click();
      await see(page, "nothing-found").waitFor();
      await see(page, "audit-form").getByLabel("From (UTC)").fill("yesterday");
      await see(page, "audit-form").getByRole("button", { name: "Search" }).click();
      await until(page, "problem", /RUMI-VAL-00\d/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] settings: health and runners, policies simulated before they are set, guardrails tried first, a bundle of the house",
    async () => {
      const page = await chromium.open();
      await turnTo(page, "Settings");
      await until(page, "house-health", /^UP$/);
      await until(page, "runners", /connected/);
      await until(page, "setup", /rumi setup --web/);
      const cedar =
        '@id("all") permit(principal, action, resource); @id("x") forbid(principal, action == Action::"commands.submit", resource);';
      await see(page, "cedar").fill(cedar);
      await page.getByRole("button", { name: "Simulate" }).click();
      await until(
        page,
        "flips",
        /recorded commands: [1-9]\d* would be answered otherwise[\s\S]*commands\.submit[\s\S]*deny · x/,
      );
      await see(page, "cedar").fill("permit(nonsense");
      await page.getByRole("button", { name: "Simulate" }).click();
      await until(page, "problem", /RUMI-AUTH-013/);
      expect(await ok(program, "GET", "/api/policies"), "simulating changes nothing").toMatchObject({ version: 0 });
      const rails = see(page, "guardrails");
      await rails.fill("{");
      expect(await see(page, "panel-guardrails").getByRole("button", { name: "Put in force" }).isDisabled()).toBe(true);
      await rails.fill('{"high_risk_actions":["bots.clone"],"friction_level_by_action":{"bots.clone":["dry_run"]}}');
      await see(page, "panel-guardrails").getByRole("button", { name: "Put in force" }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("stricter");
      await page.getByRole("button", { name: "Dry run" }).click();
      await until(page, "tried", /It would be done/);
      expect(await ok(program, "GET", "/api/guardrails/policy"), "a dry run changes nothing").toMatchObject({
        version: 0,
      });
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await until(page, "guardrails-version", /version 1/);
      await see(page, "panel-bundles").getByRole("button", { name: "Make one" }).click();
      await confirm(page, "for whoever helps");
      await until(page, "house-bundles", /READY[\s\S]*for whoever helps/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it.each([
    ["dark", 1_300],
    ["light", 1_300],
    ["light", 400],
  ] as const)(
    "[G-9.1] no page breaks a rule of accessibility, %s at %i pixels",
    async (scheme, width) => {
      const page = await chromium.open({ scheme, width });
      const problems: (readonly [string, string])[] = [];
      const names = (await see(page, "pages").getByRole("link").allInnerTexts()).map(
        (text) => text.split("\n")[0] ?? "",
      );
      for (const name of names) {
        await turnTo(page, name);
        await until(page, "log-badge", /Log verified here/);
        problems.push(...(await accessibilityProblems(page)).map((problem) => [name, problem] as const));
      }
      await page.goto(`${program.url}/#/bots/one`);
      await see(page, "chart").locator("canvas").first().waitFor();
      problems.push(...(await accessibilityProblems(page)).map((problem) => ["one bot", problem] as const));
      await page.getByRole("button", { name: "Set SAFE" }).click();
      await page.getByRole("dialog").waitFor();
      problems.push(...(await accessibilityProblems(page)).map((problem) => ["a dialog", problem] as const));
      expect(problems).toEqual([]);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[L-44] bots are chosen in the table and begun as one bulk, tried first; groups fold",
    async () => {
      const page = await chromium.open();
      await turnTo(page, "Bots");
      await page.getByLabel("Group by").selectOption("state");
      await see(page, "bot-group").filter({ hasText: "QUARANTINED" }).getByRole("button").click();
      await see(page, "bot-two").waitFor({ state: "detached" });
      await page.getByLabel("Choose one", { exact: true }).check();
      await until(page, "chosen", /1 chosen/);
      await see(page, "chosen").getByRole("button", { name: "To a bulk" }).click();
      await see(page, "bulk-form").getByLabel("become").selectOption("STOPPING");
      await see(page, "bulk-form").getByRole("button", { name: "Begin" }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("the desk closes");
      await page.getByRole("button", { name: "Dry run" }).click();
      await until(page, "tried", /It would be done/);
      expect(await see(page, "rumi-line").innerText()).toMatch(/^rumi bulk start --selector '\{"bot_ids":\["one"\]\}'/);
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await until(page, "bulk", /over[\s\S]*done 1[\s\S]*the desk closes/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it("no page complained", () => expect(chromium.complaints).toEqual([]));
});
