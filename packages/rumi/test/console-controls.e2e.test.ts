/**
 * The console's controls in a real browser: what each role is shown, what restrains bots, what two people approve.
 *
 * One program with people of every role; each test opens pages as the people it is about. `dist/` must be built.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { confirm, openConsole, see, turnTo, typePhrase, until, type Console } from "./browser.ts";
import { startProgram, type Program } from "./program.ts";
import {
  addVenue,
  createBot,
  installPack,
  makePerson,
  ok,
  okConfirmed,
  writeRecording,
  type Data,
  type Person,
} from "./rig.ts";

const SLOW_MS = 360_000;
const RISK_PHRASE = "I UNDERSTAND LIVE RISK";

let program: Program;
let chromium: Console;
let digest: string;
const people = new Map<string, Person>();

const person = (name: string): Person => people.get(name) ?? { id: "nobody", token: "nobody's" };
const as = (name: string, at = ""): Promise<Page> =>
  chromium.open({ token: person(name).token }).then(async (page) => {
    await until(page, "myself", /\w/);
    if (at !== "") await turnTo(page, at);
    return page;
  });
const call = (name: string, method: string, path: string, body?: unknown) =>
  program.call(method, path, body, { authorization: `Bearer ${person(name).token}` });
const said = (more: Data = {}): Data => ({ command_id: crypto.randomUUID(), reason: "test", ...more });
/** What a person could press on the page that is shown. */
const buttons = async (page: Page): Promise<readonly string[]> =>
  (await page.getByRole("button").allInnerTexts()).map((text) => text.trim());

describe.runIf(requires("chromium"))("the console's controls in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
    for (const [name, ...roles] of [
      ["viewer", "view_only"],
      ["operator", "operator"],
      ["admin", "admin"],
      ["holder", "break_glass"],
    ] as const)
      people.set(name, await makePerson(program, name, roles));
    digest = await installPack(program);
    await addVenue(program, { path: writeRecording(program.home, 60_000), factor: 60 });
    for (const bot of ["one", "two"]) await createBot(program, bot, "ema_cross", digest);
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
  });

  const SHOWN = {
    viewer: {
      bar: [],
      bot: [],
      pages: ["Overview", "Bots", "Controls", "Approvals", "Bulk", "Packs", "Flows", "Runs", "Audit", "Settings"],
      controls: 0,
    },
    operator: {
      bar: ["Set SAFE", "Emergency stop"],
      bot: ["Start paper", "Start shadow", "Quarantine"],
      pages: ["Overview", "Bots", "Controls", "Approvals", "Bulk", "Packs", "Flows", "Runs", "Audit", "Settings"],
      controls: 2,
    },
    admin: {
      bar: ["Set SAFE", "Emergency stop"],
      bot: ["Start paper", "Start shadow", "Quarantine"],
      pages: [
        "Overview",
        "Bots",
        "Controls",
        "Approvals",
        "Bulk",
        "Packs",
        "Flows",
        "Runs",
        "Audit",
        "People",
        "Settings",
      ],
      controls: 2,
    },
    holder: {
      bar: [],
      bot: [],
      pages: ["Overview", "Bots", "Controls", "Approvals", "Bulk", "Audit", "Settings"],
      controls: 1,
    },
  } as const;
  it.each(Object.keys(SHOWN) as (keyof typeof SHOWN)[])(
    "[G-0.5] [G-9.1] %s sees what that role may do and nothing else",
    async (name) => {
      await ok(program, "POST", "/api/killswitch/set", said({ scope: { bot_id: "two" }, level: "FLATTEN" }));
      await ok(program, "POST", "/api/gates/feed/require", said());
      const page = await as(name, "Bots");
      const { bar, bot, pages, controls } = SHOWN[name];
      const row = see(page, "bot-one");
      await row.waitFor();
      expect(await see(page, "pages").getByRole("link").allInnerTexts()).toEqual(pages);
      expect((await row.getByRole("button").allInnerTexts()).slice(1)).toEqual(bot);
      expect((await buttons(page)).filter((text) => /SAFE|NORMAL|stop$/.test(text))).toEqual(bar);
      await turnTo(page, "Controls");
      await see(page, "gate-feed").waitFor();
      await page.getByTestId("kill-rules").getByText("bot two").waitFor();
      expect(await page.locator("form.inline-form").count()).toBe(controls);
      const shown = await buttons(page);
      expect([shown.includes("Lift"), shown.includes("Disable")]).toEqual([name === "admin", name === "holder"]);
      // The address alone leads nowhere either.
      await page.goto(`${program.url}/#/people`);
      if (name === "admin") await see(page, "person").first().waitFor();
      else await until(page, "problem", /RUMI-AUTH-003/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it("[G-0.5] what is not shown is not done either, and what one may do is what the program says one may", async () => {
    const hidden: readonly (readonly [string, string, Data])[] = [
      ["viewer", "/api/safety/set", said({ mode: "SAFE" })],
      ["holder", "/api/killswitch/set", said({ scope: { all: true }, level: "BLOCK" })],
      ["operator", "/api/killswitch/set", said({ scope: { bot_id: "two" }, level: "ALLOW" })],
      ["operator", "/api/users", { display_name: "x", roles: ["admin"], reason: "x" }],
      ["admin", "/api/gates/feed/disable", said()],
    ];
    for (const [name, path, body] of hidden)
      expect([name, path, (await call(name, "POST", path, body)).body]).toEqual([
        name,
        path,
        expect.objectContaining({ error_code: "RUMI-AUTH-003" }),
      ]);
    const may = async (name: string, list = "may") =>
      ((await call(name, "GET", "/api/me")).body as { data?: Data }).data?.[list];
    expect(await may("viewer")).not.toContain("safety.set");
    expect(await may("operator")).toEqual(expect.arrayContaining(["safety.set", "commands.submit", "bulk.abort"]));
    expect(await may("operator")).not.toContain("users.list");
    // What policies forbid is hidden like what roles forbid; a tightening is never forbidden.
    const cedar =
      '@id("all") permit(principal, action, resource); @id("hands-off") forbid(principal, action in [Action::"commands.submit", Action::"killswitch.set", Action::"events.read"], resource) unless { principal in Role::"admin" };';
    await okConfirmed(program, "/api/policies/set", said({ cedar }));
    expect(await may("operator")).not.toContain("commands.submit");
    expect(await may("operator", "may_tighten")).toEqual(["commands.submit", "killswitch.set"]);
    expect(await may("admin", "may_tighten")).toEqual([]);
    const page = await as("operator", "Bots");
    // Where the stream is forbidden the page asks by itself, and what it shows is no less true.
    await until(page, "live-state", /Polling/);
    await until(page, "safety-mode", /^NORMAL$/);
    expect((await see(page, "bot-one").getByRole("button").allInnerTexts()).slice(1)).toEqual(["Quarantine"]);
    await chromium.shut(page);
    await okConfirmed(program, "/api/policies/set", said({ cedar: "" }));
  }, 180_000);

  it(
    "[G-9.1] safety, kill switch, gates and holds are in sight on every page, and follow what is done elsewhere",
    async () => {
      const page = await as("viewer");
      for (const name of ["Bots", "Controls", "Approvals", "Bulk"]) {
        await turnTo(page, name);
        for (const id of ["safety-mode", "kill-state", "gates-state", "holds-state", "spool-state"])
          expect(await see(page, id).isVisible()).toBe(true);
      }
      await until(page, "kill-state", /FLATTEN · bot two/);
      await until(page, "gates-state", /1 unknown/);
      await until(page, "spool-state", /empty/);
      await ok(program, "POST", "/api/gates/feed/report", { state: "PASS", rules: [], ttl_seconds: 3 });
      await until(page, "gates-state", /1 pass/);
      await until(page, "gates-state", /1 unknown/);
      const rules = [{ rule_id: "lag", passed: false, message: "9 s behind" }];
      await ok(program, "POST", "/api/gates/feed/report", { state: "FAIL", rules, ttl_seconds: 600 });
      await until(page, "gates-state", /1 failing/);
      await turnTo(page, "Controls");
      await until(page, "gate-feed", /reported \d+ s ago by user:root[\s\S]*left[\s\S]*lag: 9 s behind/);
      await page.route("**/api/killswitch", (route) => route.abort());
      await until(page, "kill-state", /UNKNOWN/);
      await chromium.shut(page);
      await ok(program, "POST", "/api/gates/feed/report", { state: "PASS", rules: [], ttl_seconds: 86_400 });
    },
    SLOW_MS,
  );

  it(
    "[G-5.3] [G-4.3] an operator pulls the kill switch at once; an administrator loosens it by typing the phrase",
    async () => {
      const page = await as("operator", "Controls");
      await see(page, "kill-form").getByLabel("Scope").selectOption("venue");
      await see(page, "kill-form").getByLabel("Name").fill("SIM");
      await see(page, "kill-form").getByLabel("Level").selectOption("CLOSE_ONLY");
      await see(page, "kill-form").getByRole("button", { name: "Set" }).click();
      await confirm(page, "thin book");
      await until(page, "kill-rules", /CLOSE_ONLY[\s\S]*venue SIM[\s\S]*thin book/);
      await see(page, "kill-form").getByLabel("Scope").selectOption("venue");
      await see(page, "kill-form").getByLabel("Name").fill("SIM");
      expect(await see(page, "kill-form").getByLabel("Level").locator("option").allInnerTexts()).toEqual([
        "FLATTEN",
        "BLOCK",
      ]);
      await chromium.shut(page);
      const admin = await as("admin", "Controls");
      for (const scope of ["venue SIM", "bot two"]) {
        await admin.getByRole("button", { name: `Lift: ${scope}` }).click();
        await confirm(admin, "looked at it");
        await until(admin, "impact", /to\s+ALLOW/);
        await until(admin, "blockers", /Nothing stands in its way/);
        await see(admin, "refusal").getByTestId("runbook-link").click();
        await until(admin, "runbook", /challenge/i);
        await see(admin, "runbook").getByRole("button", { name: "Close" }).click();
        await see(admin, "phrase").fill(RISK_PHRASE.toLowerCase());
        expect(await admin.getByRole("dialog").getByRole("button", { name: "Do it" }).isDisabled()).toBe(true);
        await typePhrase(admin, RISK_PHRASE);
        await admin.getByRole("dialog").waitFor({ state: "detached" });
      }
      await until(admin, "kill-state", /^ALLOW$/);
      expect((await ok(program, "GET", "/api/killswitch"))["rules"]).toEqual([]);
      await chromium.shut(admin);
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] an incident is declared and seen, a refusal names its runbook, and lifting is confirmed",
    async () => {
      const page = await as("admin", "Controls");
      await see(page, "hold-form").getByLabel("Kind").selectOption("incident");
      await see(page, "hold-form").getByLabel("Scope").selectOption("bot_id");
      await see(page, "hold-form").getByLabel("Name").fill("one");
      await see(page, "hold-form").getByLabel("Review after").selectOption("8");
      await see(page, "hold-form").getByRole("button", { name: "Set" }).click();
      await confirm(page, "odd fills");
      await until(page, "holds", /Incident[\s\S]*bot one[\s\S]*left[\s\S]*odd fills/);
      await until(page, "holds-state", /incidents: 1/);
      await turnTo(page, "Bots");
      await page.getByRole("button", { name: "Start paper: one" }).click();
      await confirm(page, "try");
      await until(page, "refusal-code", /RUMI-CMD-007 · G\.INCIDENT/);
      await see(page, "refusal").getByTestId("runbook-link").click();
      await until(page, "runbook", /Freezes, incidents, locks[\s\S]*rumi holds lift/);
      await see(page, "runbook").getByRole("button", { name: "Close" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
      await turnTo(page, "Controls");
      await page.getByRole("button", { name: "Lift: incident bot one" }).click();
      await confirm(page, "found");
      await typePhrase(page, RISK_PHRASE);
      await until(page, "holds-state", /^none$/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );
});
