/**
 * A walk through the console as a new user takes it, beginning with `rumi demo`: find why a bot stopped, approve a pack, let a
 * bot go live with a second person, trip and clear the kill switch, verify the log. Only what a page shows leads further.
 * After it the hazards: a double click, the way back, two tabs, a lost network. `dist/` must be built.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { confirm, openConsole, see, textOf, turnTo, typePhrase, until, type Console } from "./browser.ts";
import { cli, eventually, ROOT, type Answer, type Program } from "./program.ts";
import {
  bot,
  botRequest,
  HOSTILE_PACK,
  makePerson,
  ok,
  okConfirmed,
  untilState,
  type Data,
  type Person,
  type Strategy,
} from "./rig.ts";
import { startSimulator, type Simulator } from "./simulator.ts";

const SLOW_MS = 360_000;
const DEMO_BOT = "ema-cross";
const RISK_PHRASE = "I UNDERSTAND LIVE RISK";
const folder = temporaryFolder();

let demo: Program;
let chromium: Console;
let sim: Simulator;
let ann: Person;
let ben: Person;
let page: Page;

const said = (more: Data = {}): Data => ({ command_id: crypto.randomUUID(), reason: "test", ...more });
const commandsOf = async (bot_id: string): Promise<readonly Data[]> =>
  (await ok(demo, "GET", `/api/commands?bot_id=${bot_id}&limit=200`))["commands"] as Data[];

const strategyOfDemo = async (): Promise<Strategy> => ({
  pack_id: "default",
  strategy_id: "ema_cross",
  strategy_version: "1.0.0",
  digest: String((await ok(demo, "GET", "/api/packs/default/status"))["approved_digest"]),
});

/** `rumi demo` as somebody starts it, once both of its bots trade. */
async function startDemo(): Promise<Program> {
  const home = join(folder.path, "demo");
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("RUMI_")));
  const child = spawn(process.execPath, [join(ROOT, "bin/rumi"), "demo", "--home", home], {
    env: { ...environment, RUMI_API_PORT: "0", RUMI_SECOND_PERSON_WAIT_SECONDS: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += data.toString()));
  const exited = once(child, "exit");
  const [, url = "", token = ""] = await eventually(() => {
    if (child.exitCode !== null) throw new Error(`the demo ended: ${output}`);
    return /Watch it\s+(http:\/\/\S+)\/#token=(\S+)/.exec(output) ?? undefined;
  });
  const call: Program["call"] = async (method, path, body, headers = {}) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Answer["body"],
    };
  };
  const end = async (signal: "SIGINT" | "SIGKILL"): Promise<number | null> => {
    if (child.exitCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    home,
    url,
    token,
    process: child,
    call,
    output: () => output,
    cli: (...args) => cli(home, args),
    stop: () => end("SIGINT"),
    kill: async () => void (await end("SIGKILL")),
  };
}

describe.runIf(requires("chromium"))("[G-9.1] a walk through the console", () => {
  beforeAll(async () => {
    sim = await startSimulator(join(folder.path, "sim"));
    demo = await startDemo();
    await untilState(demo, DEMO_BOT, "RUNNING_PAPER");
    ann = await makePerson(demo, "Ann", ["admin"]);
    ben = await makePerson(demo, "Ben", ["admin"]);
    const confirmations = [{ operation: "commands.submit", requires: ["second_person"] }];
    await okConfirmed(demo, "/api/policies/set", said({ cedar: "", confirmations }));
    chromium = await openConsole(demo);
    page = await chromium.open({ token: ann.token });
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await demo?.stop();
    await sim?.stop();
    folder.remove();
  }, SLOW_MS);

  it(
    "a pack waits in the inbox, which leads to it; it is approved by its digest",
    async () => {
      const { staging_id } = await ok(demo, "POST", "/api/packs/import", { path: HOSTILE_PACK });
      await ok(demo, "POST", "/api/packs/apply", { staging_id });
      const item = see(page, "inbox-item").filter({ hasText: "pack to approve" });
      await item.getByRole("link", { name: /hostile/ }).click();
      await eventually(async () => {
        await see(page, "pack-acts").getByRole("button", { name: "Approve" }).click();
        await until(page, "dry-run", /would/);
        if (/It would be done[^]*sha256:[0-9a-f]{64}/.test(await textOf(page, "dry-run"))) return true;
        await page.keyboard.press("Escape"); // it is still being moved into place
        return false;
      }, 500);
      await confirm(page, "read every line of it");
      await turnTo(page, "Overview");
      await item.waitFor({ state: "detached" });
    },
    SLOW_MS,
  );

  it(
    "a bot that stopped is in the inbox, and its page says why and what to do",
    async () => {
      // More orders than its stop condition allows, before long.
      const stop_conditions = { max_order_rate: { count: 1, within_us: 86_400_000_000 } };
      await ok(demo, "POST", "/api/bots", botRequest("unlucky", await strategyOfDemo(), { stop_conditions }));
      await turnTo(page, "Bots");
      await page.getByRole("button", { name: "Start paper: unlucky" }).click();
      await confirm(page, "a first try");
      await turnTo(page, "Overview");
      const item = see(page, "inbox-item").filter({ hasText: "bot in ERROR" });
      await item.getByRole("link", { name: "unlucky" }).click();
      await until(page, "finding", /[LM]\.STOP[\s\S]*Next step:/);
      await see(page, "finding").first().getByTestId("runbook-link").click();
      await see(page, "runbook").getByRole("button", { name: "Close" }).click();
    },
    SLOW_MS,
  );

  it(
    "live takes two people: tried first, read by the other with the exact body and the time left, confirmed by typing",
    async () => {
      const { url, key_file } = sim;
      demo.cli("venues", "connect", "OUT", "--url", url, "--key-file", key_file, "--reason", "rehearsal");
      await ok(demo, "POST", "/api/bots", botRequest("outside", await strategyOfDemo(), { venue: "OUT" }));
      await turnTo(page, "Bots");
      await page.getByRole("button", { name: "Start LIVE: outside" }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("rehearsal");
      await page.getByRole("button", { name: "Dry run" }).click();
      await until(page, "tried", /It is dangerous: it would ask for a typed phrase first[\s\S]*RUNNING_LIVE/);
      expect(await textOf(page, "rumi-line")).toBe("rumi bots start outside --mode live --reason rehearsal");
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await until(page, "refusal-code", /CONFIRMATION_REQUIRED/);
      expect(await see(page, "phrase").count(), "the second person cannot be skipped").toBe(0);
      await see(page, "to-approvals").click();

      const other = await chromium.open({ token: ben.token });
      const item = see(other, "inbox-item").filter({ hasText: "to approve" });
      await item.getByRole("link", { name: /commands\.submit · outside/ }).click();
      const row = other.locator('[data-operation="commands.submit"][data-state="AWAITING_APPROVAL"]');
      await row.waitFor(); // the inbox leads to it, unfolded
      await until(other, "challenge-detail", /outside[\s\S]*IDLE[\s\S]*RUNNING_LIVE[\s\S]*sha256:/);
      await until(other, "impact", /RUNNING_LIVE/);
      await until(other, "remaining", /left/);
      await see(other, "challenge-detail").getByRole("button", { name: "Approve" }).click();
      await confirm(other, "looked at the venue");
      await chromium.shut(other);
      expect((await bot(demo, "outside")).state, "approved is not done").toBe("IDLE");

      await page.locator('[data-operation="commands.submit"][data-state="AWAITING_CONFIRMATION"]').waitFor();
      await see(page, "challenge-detail").getByRole("button", { name: "Confirm" }).click();
      await page.getByRole("dialog").getByLabel("Reason").fill("now");
      await typePhrase(page, "outside");
      await until(page, "live-bots", /1 LIVE/);
      expect(await page.locator("header").getAttribute("class")).toContain("has-live");
    },
    SLOW_MS,
  );

  it(
    "the kill switch is tripped and seen at once, and cleared with the phrase",
    async () => {
      await turnTo(page, "Controls");
      const form = see(page, "kill-form");
      await form.getByLabel("Level").selectOption("CLOSE_ONLY");
      await form.getByRole("button", { name: "Set" }).click();
      await confirm(page, "the market is odd");
      await until(page, "kill-state", /CLOSE_ONLY/);
      await page.getByRole("button", { name: /^Lift/ }).first().click();
      await confirm(page, "it is back");
      await see(page, "phrase").waitFor();
      await typePhrase(page, RISK_PHRASE);
      await until(page, "kill-state", /^ALLOW$/);
    },
    SLOW_MS,
  );

  it(
    "the log is verified in this browser, and what was just done is proven",
    async () => {
      await turnTo(page, "Audit");
      await see(page, "verify-log").click();
      await until(page, "log-verdict", /Log verified here/);
      await see(page, "audit-form").getByLabel("Action").fill("execution.killswitch.set");
      await see(page, "audit-form").getByRole("button", { name: "Search" }).click();
      const event = see(page, "audit").locator('[data-action="execution.killswitch.set"]').first();
      await event.getByTestId("check").click();
      await until(page, "proof", /✓ The head belongs to the log/);
    },
    SLOW_MS,
  );

  it(
    "a double click asks once, and the way back takes a question away without an answer",
    async () => {
      await turnTo(page, "Bots");
      const before = (await commandsOf(DEMO_BOT)).length;
      await page.getByRole("button", { name: /^Pause: EMA cross/ }).click();
      await page.goBack();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await turnTo(page, "Bots");
      expect(await commandsOf(DEMO_BOT)).toHaveLength(before);
      await page.getByRole("button", { name: /^Pause: EMA cross/ }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("a pause");
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).dblclick();
      await untilState(demo, DEMO_BOT, "PAUSED");
      expect(await commandsOf(DEMO_BOT)).toHaveLength(before + 1);
    },
    SLOW_MS,
  );

  it(
    "of two tabs that ask for the same the second is told that it comes too late",
    async () => {
      const tab = await chromium.open({ token: ann.token, hash: `#token=${ann.token}` });
      await turnTo(tab, "Bots");
      for (const one of [page, tab]) {
        await one.getByRole("button", { name: /^Stop: EMA cross/ }).click();
        await one.getByRole("dialog").getByRole("textbox").fill("enough");
      }
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await untilState(demo, DEMO_BOT, "IDLE");
      const accepted = async (): Promise<number> =>
        (await commandsOf(DEMO_BOT)).filter(({ status }) => status === "accepted").length;
      const before = await accepted();
      await tab.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await until(tab, "refusal-code", /RUMI-[A-Z]+-\d{3}/);
      expect((await textOf(tab, "next-step")).length).toBeGreaterThan("Next step: ".length);
      expect((await bot(demo, DEMO_BOT)).state).toBe("IDLE");
      expect(await accepted()).toBe(before);
      await chromium.shut(tab);
    },
    SLOW_MS,
  );

  it(
    "a wish that the network lost is sent again under its id: done once, whether or not the first had arrived",
    async () => {
      await page.getByRole("button", { name: /^Start paper: EMA cross/ }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("once more");
      let lost = 0;
      // It arrives, and the answer is lost on its way back.
      await page.route("**/api/commands", async (route) => {
        if (lost > 0) return route.continue();
        lost += 1;
        await route.fetch();
        return route.abort();
      });
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await see(page, "refusal").waitFor();
      expect(await page.getByRole("dialog").getByRole("textbox").inputValue()).toBe("once more");
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await untilState(demo, DEMO_BOT, "RUNNING_PAPER");
      const starts = (await commandsOf(DEMO_BOT)).filter(({ reason }) => reason === "once more");
      expect([lost, starts.length]).toEqual([1, 1]);
      await page.unroute("**/api/commands");
    },
    SLOW_MS,
  );

  it("no page complained", () => expect(chromium.complaints).toEqual([]));
});
