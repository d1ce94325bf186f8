/**
 * The house in a real browser: people let in, given roles and tokens, policies put in force, support bundles made and taken
 * away. `dist/` must be built.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { accessibilityProblems } from "./axe.ts";
import {
  confirm,
  openConsole,
  overflowOf,
  picture,
  see,
  textOf,
  turnTo,
  typePhrase,
  until,
  type Console,
} from "./browser.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import { makePerson, ok, type Data } from "./rig.ts";

const SLOW_MS = 360_000;
let program: Program;
let chromium: Console;
let token: string;

describe.runIf(requires("chromium"))("[G-9.1] the house in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
  });

  it(
    "[G-0.5] somebody is let in, comes in with a token that is shown once, may what their roles say and no more after they changed",
    async () => {
      const page = await chromium.open();
      await turnTo(page, "People");
      const form = see(page, "person-form");
      expect(await form.getByRole("button", { name: "Add a person" }).isDisabled()).toBe(true);
      await form.getByLabel("Name").fill("Mika");
      await form.getByLabel("operator").check();
      await form.getByLabel("view_only").uncheck();
      await form.getByRole("button", { name: "Add a person" }).click();
      expect(await page.getByRole("dialog").innerText()).toContain("Let Mika in as operator?");
      await confirm(page, "joins the desk");
      const row = see(page, "person").filter({ hasText: "Mika" });
      await row.getByRole("button", { name: "Mika" }).click();
      await until(page, "tokens", /No token/);
      await row.getByLabel("Days").fill("400");
      expect(await row.getByRole("button", { name: "Issue a token" }).isDisabled()).toBe(true);
      await row.getByLabel("Days").fill("1");
      await row.getByRole("button", { name: "Issue a token" }).click();
      await confirm(page, "her first day");
      await until(page, "issued-token", /shown this once/);
      token = await textOf(page, "token-text");
      expect(token).toMatch(/^rumi_/);
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(await overflowOf(page, 400)).toBe(0);
      await picture(page, "people");
      await row.getByRole("button", { name: "It is handed over" }).click();
      expect(await page.locator("main").innerText()).not.toContain(token);

      const mika = await chromium.open({ token });
      await until(mika, "myself", /^operator/);
      await mika.getByRole("button", { name: "Set SAFE" }).waitFor();
      await row.getByLabel("view_only").check();
      await row.getByLabel("operator").uncheck();
      await row.getByRole("button", { name: "Change roles" }).click();
      expect(await page.getByRole("dialog").innerText()).toContain("operator → view_only");
      await confirm(page, "only looks on");
      await until(mika, "myself", /^view_only/);
      expect(await mika.getByRole("button", { name: "Set SAFE" }).count()).toBe(0);
      await row.getByRole("button", { name: "Disable" }).click();
      await confirm(page, "left the desk");
      await see(mika, "token-form").waitFor();
      expect(await row.getByRole("button", { name: /roles|token/ }).count()).toBe(0);
      for (const one of [page, mika]) await chromium.shut(one);
    },
    SLOW_MS,
  );

  it(
    "a token whose answer was lost is not shown a second time, and the page says what to do",
    async () => {
      const { id } = await makePerson(program, "Rin", ["view_only"]);
      const page = await chromium.open();
      await turnTo(page, "People");
      const row = page.locator(`[data-testid="person"][data-id="${id}"]`);
      await row.getByRole("button", { name: "Rin" }).click();
      let lost = false;
      await page.route("**/api/users/*/tokens", async (route) => {
        if (lost || route.request().method() !== "POST") return route.continue();
        lost = true;
        await route.fetch();
        return route.abort();
      });
      await row.getByLabel("What it is for").fill("a laptop");
      await row.getByRole("button", { name: "Issue a token" }).click();
      await confirm(page, "for the laptop");
      await see(page, "refusal").waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await until(page, "issued-token", /Nobody can show it again: revoke it/);
      expect(await see(page, "token-text").count()).toBe(0);
      await eventually(async () => (await row.locator("li", { hasText: "a laptop" }).count()) === 1);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[G-0.5] a support bundle is begun, followed, and taken away as the very archive that is listed; who may only look takes none",
    async () => {
      const page = await chromium.open();
      await turnTo(page, "Settings");
      let isHeld = true;
      await page.route("**/api/support_bundles?*", async (route) => {
        const answer = (await (await route.fetch()).json()) as { data: { bundles: Data[] } };
        // As it looks while it is made, which is over quickly.
        if (isHeld)
          answer.data.bundles = answer.data.bundles.map((one) => ({
            ...one,
            state: "REQUESTED",
            archive_sha256: null,
            archive_bytes: null,
            manifest: null,
          }));
        await route.fulfill({ json: answer });
      });
      await see(page, "panel-bundles").getByRole("button", { name: "Make one" }).click();
      await confirm(page, "for whoever helps");
      await until(page, "bundle-progress", /being made/);
      isHeld = false;
      await until(page, "bundle", /READY/);
      const [bundle] = (await ok(program, "GET", "/api/support_bundles"))["bundles"] as Data[];
      const [download] = await Promise.all([page.waitForEvent("download"), see(page, "take-bundle").click()]);
      expect(download.suggestedFilename()).toBe(`rumi-bundle-${String(bundle?.["bundle_id"])}.zip`);
      const sha256 = createHash("sha256")
        .update(readFileSync(await download.path()))
        .digest("hex");
      expect(sha256).toBe(bundle?.["archive_sha256"]);
      expect(await textOf(page, "bundle")).toContain(sha256);
      await until(page, "bundle-taken", /checked here/);
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(await overflowOf(page, 400)).toBe(0);
      await picture(page, "settings");
      const { token: of } = await makePerson(program, "Guest", ["view_only"]);
      const guest = await chromium.open({ token: of });
      await turnTo(guest, "Settings");
      await until(guest, "bundle", /READY/);
      expect(await see(guest, "take-bundle").count()).toBe(0);
      expect(await see(guest, "panel-bundles").getByRole("button", { name: "Make one" }).count()).toBe(0);
      for (const one of [page, guest]) await chromium.shut(one);
    },
    SLOW_MS,
  );

  it(
    "[G-0.5] policies are put in force with the phrase, and what they forbid is gone from another's page",
    async () => {
      const { token: of } = await makePerson(program, "Ops", ["operator"]);
      const ops = await chromium.open({ token: of });
      await turnTo(ops, "Settings");
      await see(ops, "panel-bundles").getByRole("button", { name: "Make one" }).waitFor();
      const page = await chromium.open();
      await turnTo(page, "Settings");
      await see(page, "cedar").fill(
        '@id("all") permit(principal, action, resource); @id("x") forbid(principal, action == Action::"support_bundles.list", resource) unless { principal in Role::"admin" };',
      );
      await see(page, "panel-policies").getByRole("button", { name: "Put in force" }).click();
      await confirm(page, "bundles are an administrator's");
      await see(page, "phrase").waitFor();
      expect(await ok(program, "GET", "/api/policies"), "asked is not done").toMatchObject({ version: 0 });
      const [, phrase = ""] = /type (.+) to confirm/.exec(await page.getByRole("dialog").innerText()) ?? [];
      await typePhrase(page, phrase);
      await until(page, "policy-version", /version 1/);
      await eventually(async () => (await see(ops, "panel-bundles").count()) === 0, 500);
      for (const one of [page, ops]) await chromium.shut(one);
    },
    SLOW_MS,
  );

  it("no page complained", () => expect(chromium.complaints).toEqual([]));
});
