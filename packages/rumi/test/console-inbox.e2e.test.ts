/**
 * The inbox, kind by kind: each line leads to the page where it is dealt with, it is dealt with there, and the line is gone.
 * Changes are read and approved by a second person there. `dist/` must be built.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
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
import { makeRepository } from "./repository.ts";
import {
  addVenue,
  bot,
  createBot,
  HOSTILE_PACK,
  installPack,
  makePerson,
  move,
  ok,
  startBot,
  writeRecording,
  type Data,
  type Person,
} from "./rig.ts";

const SLOW_MS = 360_000;
const RISK_PHRASE = "I UNDERSTAND LIVE RISK";
const ROLES = {
  ann: ["operator", "admin", "break_glass"],
  ben: ["admin", "break_glass"],
  eve: ["operator"],
  viewer: ["view_only"],
} as const;
type Name = keyof typeof ROLES;

const work = temporaryFolder();
let program: Program;
let chromium: Console;
const people = new Map<string, Person>();
const person = (name: Name): Person => people.get(name) ?? { id: "nobody", token: "nobody's" };
const said = (more: Data = {}): Data => ({ command_id: crypto.randomUUID(), reason: "test", ...more });

const as = async (name: Name): Promise<Page> => {
  const page = await chromium.open({ token: person(name).token });
  await until(page, "myself", /\w/);
  return page;
};
const calls = async (name: Name, path: string, body: Data): Promise<Data> => {
  const answer = await program.call("POST", path, body, { authorization: `Bearer ${person(name).token}` });
  return answer.body;
};
const line = (page: Page, kind: string, name: string | RegExp) =>
  page.locator(`[data-testid="inbox-item"][data-kind="${kind}"]`).filter({ hasText: name });
/** From the inbox to where it is dealt with. */
const follow = async (page: Page, kind: string, name: string | RegExp): Promise<void> => {
  await turnTo(page, "Overview");
  await line(page, kind, name).getByRole("link").click();
};
const gone = async (page: Page, kind: string, name: string | RegExp): Promise<void> => {
  await turnTo(page, "Overview");
  await see(page, "inbox").waitFor({ state: "attached" });
  await eventually(async () => (await line(page, kind, name).count()) === 0);
};
const CONFIG = { fast_trades: 11, slow_trades: 40, order_quantity: "1" };
const propose = async (by: Name, over: Data = {}): Promise<string> => {
  const input = { bot_id: "one", config: CONFIG, at: "next_tick" };
  const wish = { operation: "bots.config_apply", input, valid_for_seconds: 3_600 };
  const { data } = await calls(by, "/api/changes", said({ ...wish, reason: "the spread is wider", ...over }));
  return String((data as Data)["change_id"]);
};
const configOf = async (): Promise<unknown> => ((await bot(program, "one"))["spec"] as Data)["config"];

describe.runIf(requires("chromium"))("[G-9.1] the inbox in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served", environment: { RUMI_SECOND_PERSON_WAIT_SECONDS: "0" } });
    chromium = await openConsole(program);
    for (const [name, roles] of Object.entries(ROLES)) people.set(name, await makePerson(program, name, roles));
    const digest = await installPack(program);
    await addVenue(program, { path: writeRecording(program.home, 60_000), factor: 60 });
    for (const name of ["one", "odd", "late"]) await createBot(program, name, "ema_cross", digest);
    // Its review is due when the last tests come to it.
    const hold = { kind: "incident", scope: { bot_id: "late" }, valid_for_seconds: 60 };
    await ok(program, "POST", "/api/holds", said(hold));
    const staging = { expires_after_ms: 86_400_000, max_staged: 4 };
    const config = { order_quantity: "1", fast_trades: 10, slow_trades: 40, cooldown: 0, order_timeout: 3_600_000 };
    await createBot(program, "careful", "ema_cross", digest, { config, staging });
    await startBot(program, "careful");
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
    work.remove();
  });

  it(
    "[L-10] [L-45] a proposed change: the inbox opens it, a second person reads body, diff and time left and approves, its proposer commits it",
    async () => {
      await propose("ann");
      const ben = await as("ben");
      await follow(ben, "inbox_change", /bots\.config_apply · one/);
      await until(ben, "change-detail", /config\s+[\s\S]*"fast_trades": 11[\s\S]*bot_generation/);
      expect(await see(ben, "diff").count(), "said once").toBe(1);
      expect(await textOf(ben, "diff")).toMatch(/fast_trades\s+10\s+11/);
      await until(ben, "blockers", /Nothing stands in its way/);
      const left = await textOf(ben, "remaining");
      expect(left).toMatch(/^(1 h 00|59:\d\d|[0-5]\d:\d\d).* left$/);
      await eventually(async () => (await textOf(ben, "remaining")) !== left, 100);
      expect(await accessibilityProblems(ben)).toEqual([]);
      expect(await overflowOf(ben, 400)).toBe(0);
      await picture(ben, "approvals-change");
      await see(ben, "change-detail").getByRole("button", { name: "Approve" }).click();
      expect(await ben.getByRole("dialog").innerText()).toMatch(/sha256:[0-9a-f]{64}/);
      await confirm(ben, "read it");
      await until(ben, "change", /APPROVED/);
      // Whoever approved has nothing more to say than no.
      expect(await see(ben, "change-detail").getByRole("button").allInnerTexts()).toEqual(["Reject"]);
      expect(await configOf(), "approved is not done").toMatchObject({ fast_trades: 10 });

      const ann = await as("ann");
      await follow(ann, "inbox_change", /bots\.config_apply · one/);
      await until(ann, "approval", new RegExp(`Approved by ${person("ben").id}.*read it`));
      await see(ann, "change-detail").getByRole("button", { name: "Commit" }).click();
      await confirm(ann, "now");
      await until(ann, "change", /COMMITTED/);
      await until(ann, "diff", /fast_trades\s+10\s+11/);
      expect(await configOf()).toMatchObject({ fast_trades: 11 });
      await gone(ann, "inbox_change", "one");
      for (const page of [ann, ben]) await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[G-0.5] [L-10] a change is rejected with a reason, taken back by its proposer, and shown without acts to who is not entitled",
    async () => {
      const id = await propose("ann", {
        input: { bot_id: "one", config: { ...CONFIG, fast_trades: 12 }, at: "next_tick" },
      });
      const viewer = await as("viewer");
      await viewer.goto(`${program.url}/#/approvals/${id}`);
      await see(viewer, "change").first().waitFor();
      expect(await see(viewer, "change-detail").getByRole("button").count()).toBe(0);
      const ann = await as("ann");
      await ann.goto(`${program.url}/#/approvals/${id}`);
      await see(ann, "change-detail").waitFor();
      expect(await see(ann, "change-detail").getByRole("button").allInnerTexts()).toEqual(["Take back"]);
      const eve = await as("eve");
      await eve.goto(`${program.url}/#/approvals/${id}`);
      await see(eve, "change-detail").getByRole("button", { name: "Reject" }).click();
      await confirm(eve, "eleven is enough");
      await until(ann, "change-detail", /eleven is enough/);
      expect(await see(ann, "change-detail").getByRole("button").count()).toBe(0);
      const own = await propose("ann", { operation: "safety.set", input: { mode: "SAFE" } });
      await ann.goto(`${program.url}/#/approvals/${own}`);
      await until(ann, "diff", /mode\s+NORMAL\s+SAFE/);
      await see(ann, "change-detail").getByRole("button", { name: "Take back" }).click();
      await confirm(ann, "a slip");
      await until(ann, "changes", /WITHDRAWN/);
      for (const page of [ann, eve, viewer]) await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[L-45] a change that is refused when it is carried out says so with its code, and nothing was done",
    async () => {
      const id = await propose("ann", { operation: "killswitch.set", input: { scope: { all: true }, level: "ALLOW" } });
      const ben = await as("ben");
      await ben.goto(`${program.url}/#/approvals/${id}`);
      await see(ben, "change-detail").getByRole("button", { name: "Approve" }).click();
      await confirm(ben, "read");
      await until(ben, "change", /APPROVED/);
      await ok(program, "POST", "/api/killswitch/set", said({ scope: { all: true }, level: "CLOSE_ONLY" }));
      const ann = await as("ann");
      await ann.goto(`${program.url}/#/approvals/${id}`);
      await see(ann, "change-detail").getByRole("button", { name: "Commit" }).click();
      const dialog = ann.getByRole("dialog");
      await dialog.getByLabel("Reason").fill("now");
      if ((await see(ann, "phrase").count()) > 0) await see(ann, "phrase").fill(RISK_PHRASE);
      await dialog.getByRole("button", { name: "Do it" }).click();
      await until(ann, "refusal-code", /RUMI-CMD-\d{3}/);
      expect((await textOf(ann, "next-step")).length).toBeGreaterThan("Next step: ".length);
      expect((await ok(program, "GET", "/api/killswitch"))["rules"]).toMatchObject([{ level: "CLOSE_ONLY" }]);
      for (const page of [ann, ben]) await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "the kill switch's challenge: from the inbox to its confirmation",
    async () => {
      await calls("ann", "/api/killswitch/set", said({ scope: { all: true }, level: "ALLOW" }));
      const ann = await as("ann");
      await follow(ann, "inbox_confirm", /killswitch\.set/);
      await see(ann, "challenge-detail").getByRole("button", { name: "Confirm" }).click();
      await ann.getByRole("dialog").getByLabel("Reason").fill("it is calm");
      await typePhrase(ann, RISK_PHRASE);
      await until(ann, "kill-state", /^ALLOW$/);
      await gone(ann, "inbox_confirm", /killswitch\.set/);
      await chromium.shut(ann);
    },
    SLOW_MS,
  );

  it(
    "a staged intent, a quarantined bot and a pending pack",
    async () => {
      const ann = await as("ann");
      await follow(ann, "inbox_intent", "careful");
      await see(ann, "staged").getByRole("button", { name: "Reject" }).first().click();
      await confirm(ann, "not today");
      await see(ann, "staged").locator('[data-state="rejected"]').first().waitFor();
      await move(program, "careful", "STOPPING");

      await move(program, "odd", "QUARANTINED");
      await follow(ann, "inbox_quarantine", "odd");
      await ann.getByRole("button", { name: "Release: odd" }).click();
      await confirm(ann, "looked at it");
      await see(ann, "phrase").waitFor();
      const [, phrase = ""] = /type (.+) to confirm/.exec(await ann.getByRole("dialog").innerText()) ?? [];
      await typePhrase(ann, phrase);
      await eventually(async () => (await bot(program, "odd")).state === "IDLE");
      await gone(ann, "inbox_quarantine", "odd");

      const { staging_id } = await ok(program, "POST", "/api/packs/import", { path: HOSTILE_PACK });
      await ok(program, "POST", "/api/packs/apply", { staging_id });
      await follow(ann, "inbox_pack", "hostile");
      await eventually(async () => {
        await see(ann, "pack-acts").getByRole("button", { name: "Reject" }).click();
        await ann.getByRole("dialog").waitFor();
        return true;
      });
      await confirm(ann, "it is hostile");
      await gone(ann, "inbox_pack", "hostile");
      await chromium.shut(ann);
    },
    SLOW_MS,
  );

  it(
    "a required gate, a hold and a session to review",
    async () => {
      await ok(program, "POST", "/api/gates/feed/require", said());
      const ann = await as("ann");
      await follow(ann, "inbox_gate", "feed");
      await see(ann, "gate-feed").waitFor();
      await ok(program, "POST", "/api/gates/feed/report", { state: "PASS", rules: [], ttl_seconds: 86_400 });
      await gone(ann, "inbox_gate", "feed");

      await turnTo(ann, "Overview");
      await eventually(async () => (await line(ann, "inbox_hold", "incident bot late").count()) > 0, 500);
      await follow(ann, "inbox_hold", "incident bot late");
      await ann.getByRole("button", { name: "Lift: incident bot late" }).click();
      await confirm(ann, "found");
      await typePhrase(ann, RISK_PHRASE);
      await gone(ann, "inbox_hold", "incident bot late");

      const asked = await calls("eve", "/api/break_glass", said({ verbs: ["gates.disable"], valid_for_seconds: 300 }));
      expect(asked["error_code"], "an operator breaks no glass").toBe("RUMI-AUTH-003");
      const wish = await calls("ben", "/api/break_glass", said({ verbs: ["gates.disable"], valid_for_seconds: 300 }));
      const { challenge_id } = wish["challenge"] as Data;
      await follow(ann, "inbox_approve", /break_glass\.open/);
      await see(ann, "challenge-detail").getByRole("button", { name: "Approve" }).click();
      await confirm(ann, "the feed is gone");
      const ben = await as("ben");
      await ben.goto(`${program.url}/#/approvals/${String(challenge_id)}`);
      await see(ben, "challenge-detail").getByRole("button", { name: "Confirm" }).click();
      await ben.getByRole("dialog").getByLabel("Reason").fill("now");
      await typePhrase(ben, "BREAK GLASS");
      await turnTo(ben, "Controls");
      await see(ben, "session-OPEN").getByRole("button", { name: "End now" }).click();
      await confirm(ben, "it is back");
      await follow(ann, "inbox_session", person("ben").id);
      await see(ann, "session-REVIEW_PENDING").getByRole("button", { name: "Review" }).click();
      await confirm(ann, "nothing was done");
      await gone(ann, "inbox_session", person("ben").id);
      for (const page of [ann, ben]) await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "a flow's question is answered among the approvals, and what waits elsewhere is named there with the way",
    async () => {
      mkdirSync(join(program.home, "flows"), { recursive: true });
      writeFileSync(
        join(program.home, "flows/ask.flow.yaml"),
        "flow_id: ask\nphases: [p]\nsteps: [{ id: sure, phase: p, type: approval, input: { question: 'Sure?' } }]\n",
      );
      await eventually(async () => (await program.call("GET", "/api/flows/ask/definition")).status === 200);
      await program.call("POST", "/api/flows/ask/run", { inputs: {} });
      const ann = await as("ann");
      await follow(ann, "inbox_flow", "ask · sure");
      await until(ann, "flow-question", /Sure\?/);
      await turnTo(ann, "Approvals");
      await see(ann, "flow-question").getByRole("button", { name: "Approve" }).click();
      await confirm(ann, "yes");
      await until(ann, "panel-flow-approvals", /No run waits for anybody/);
      await gone(ann, "inbox_flow", "ask");
      await move(program, "odd", "QUARANTINED");
      await turnTo(ann, "Approvals");
      await until(ann, "elsewhere", /quarantined\s+odd/i);
      expect(await accessibilityProblems(ann)).toEqual([]);
      await chromium.shut(ann);
    },
    SLOW_MS,
  );

  it.runIf(requires("bubblewrap"))(
    "[P-9] what a run did outside its scope",
    async () => {
      const repo = join(work.path, "repo");
      makeRepository(repo, { "src/a.txt": "one\n" });
      const wish = { repo, prompt: "p", scope: { write: ["src/**"] }, dod: { required_checks: [] } };
      const { run_id } = await ok(program, "POST", "/api/runs", { ...wish, command: ["sh", "-c", "echo x > README"] });
      const ann = await as("ann");
      await follow(ann, "inbox_violation", `#${String(run_id)}`);
      await see(ann, "violations").getByRole("button", { name: "Approve" }).click();
      await confirm(ann, "it was meant");
      await gone(ann, "inbox_violation", `#${String(run_id)}`);
      await chromium.shut(ann);
    },
    SLOW_MS,
  );

  it("no page complained", () => expect(chromium.complaints).toEqual([]));
});
