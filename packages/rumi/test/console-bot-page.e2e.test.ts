/**
 * The page of one bot in a real browser, of bots that really trade: orders and fills on the chart and as a table, intents
 * as they happen, the lease and its loss, the ladder of a stop, reasons in plain words, configuration and its moment, and
 * dry runs that are read and not parsed. `dist/` must be built.
 */
import { join } from "node:path";
import type { Page, Route } from "playwright-core";
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
  typePhrase,
  until,
  type Console,
  type PageOptions,
} from "./browser.ts";
import { cliIn, eventually, ROOT, startProgram, type Program } from "./program.ts";
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
/** Orders at the last price, which rest, and are cancelled where nobody takes them. */
const RESTING = {
  order_quantity: "1",
  fast_trades: 3,
  slow_trades: 9,
  threshold_ppm: 0,
  cooldown: 200,
  order_type: "limit",
  limit_offset_bps: 0,
  order_timeout: 2_000,
} as const;
const CALM = { order_quantity: "1", fast_trades: 10, slow_trades: 40, threshold_ppm: 0 } as const;

const simHome = temporaryFolder();
let program: Program;
let chromium: Console;
let sim: Simulator;
let page: Page;

const openBot = async (bot_id: string, options: Omit<PageOptions, "hash"> = {}): Promise<Page> => {
  const opened = await chromium.open(options);
  await until(opened, "safety-mode", /NORMAL/);
  await opened.goto(`${program.url}/#/bots/${bot_id}`);
  await see(opened, "facts").waitFor();
  return opened;
};
/** What the server answered, as somebody between it and the page would have it. */
const answering =
  (change: (data: Data) => Data) =>
  async (route: Route): Promise<void> => {
    const response = await route.fetch();
    const answer = (await response.json()) as { readonly data: Data };
    await route.fulfill({ response, json: { ...answer, data: change(answer.data) } });
  };

describe.runIf(requires("chromium"))("the page of a bot in Chromium", () => {
  beforeAll(async () => {
    sim = await startSimulator(join(simHome.path, "sim"), { rate: 40 });
    program = await startProgram({ console: "served" });
    const digest = await installPack(program);
    await addVenue(program, { path: writeRecording(program.home, 60_000), factor: 20 });
    const { url, key_file } = sim;
    program.cli("venues", "connect", "OUT", "--url", url, "--key-file", key_file, "--reason", "rehearsal");
    await createBot(program, "outside", "ema_cross", digest, { venue: "OUT", config: RESTING });
    await createBot(program, "poor", "ema_cross", digest, { config: CALM, capital: "0.01" });
    await createBot(program, "careful", "ema_cross", digest, {
      config: { ...CALM, order_timeout: 3_600_000 },
      staging: { expires_after_ms: 86_400_000, max_staged: 4 },
    });
    await createBot(program, "fresh", "ema_cross", digest);
    chromium = await openConsole(program);
    page = await openBot("fresh");
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
    await sim?.stop();
    simHome.remove();
  });

  it(
    "[G-9.1] of a bot that never ran each block says what will be there, and why",
    async () => {
      for (const words of [
        /No order and no fill in this run yet/,
        /No intent yet\. An intent is what the strategy wishes for/,
        /Nobody ever ran this bot/,
        /Nothing was stopped yet/,
      ])
        await until(page, "panel-detail", words);
      await until(page, "conditions", /Initialised True[\s\S]*INITIALISED it was set up and can be started/);
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] a dry run of a start is read in sentences and a table; its JSON lies behind a fold",
    async () => {
      await page.getByRole("button", { name: "Start paper: fresh" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("textbox").fill("what if");
      await dialog.getByRole("button", { name: "Dry run" }).click();
      await until(page, "tried", /It would be done/);
      expect(await textOf(page, "told-move")).toBe("It would go from IDLE to RUNNING_PAPER.");
      expect(await textOf(page, "told-preflight")).toMatch(/The preflight passes: \d+ of \d+ checks/);
      const read = await textOf(page, "impact");
      expect(read, "nothing is left as JSON").not.toMatch(/[{}[\]]/);
      await see(page, "impact").getByText("Show as JSON").click();
      expect(await textOf(page, "impact")).toContain('"preflight": {');
      await picture(page, "dry-run");
      await page.keyboard.press("Escape");
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] what a preflight refuses is a row: the check, what it found, what to do",
    async () => {
      await ok(program, "POST", "/api/safety/set", {
        command_id: crypto.randomUUID(),
        mode: "SAFE",
        reason: "to be refused",
      });
      const other = await chromium.open();
      await until(other, "safety-mode", /SAFE/);
      await other.goto(`${program.url}/#/bots/fresh`);
      await other.getByRole("button", { name: "Start paper: fresh" }).click();
      await other.getByRole("dialog").getByRole("textbox").fill("what if");
      await other.getByRole("dialog").getByRole("button", { name: "Dry run" }).click();
      await until(other, "told-preflight", /The preflight does not pass: \d+ of \d+ checks do/);
      expect(await textOf(other, "told-preflight")).toMatch(/✗ safety\s+RUMI-BOT-021[\s\S]*NORMAL/);
      await chromium.shut(other);
      await back();
    },
    SLOW_MS,
  );

  const back = async (): Promise<void> => {
    const asked = await program.call("POST", "/api/safety/set", {
      command_id: crypto.randomUUID(),
      mode: "NORMAL",
      reason: "over",
    });
    const { challenge } = asked.body as unknown as { readonly challenge: Data };
    await ok(program, "POST", `/api/challenges/${String(challenge["challenge_id"])}/confirm`, {
      intent_hash: challenge["intent_hash"],
      phrase: challenge["phrase"],
      reason: "over",
    });
  };

  it(
    "[G-9.1] intents are on the page as they happen, with the gate's word, its reason in plain words, and the way to the trace",
    async () => {
      await startBot(program, "poor");
      const poor = await openBot("poor");
      await until(poor, "intents", /refused[\s\S]*order[\s\S]*M\.LIMIT\.CAPITAL it would exceed the bot's capital/);
      const rows = see(poor, "intents").locator("tbody tr");
      await see(poor, "hold-intents").click();
      const first = await rows.first().innerText();
      await until(poor, "hold-intents", /Resume \([1-9]\d* newer\)/);
      expect(await rows.first().innerText(), "held, nothing moves").toBe(first);
      await see(poor, "hold-intents").click();
      await eventually(async () => (await rows.first().innerText()) !== first);
      expect(await rows.count()).toBeLessThanOrEqual(60);
      await rows.first().getByTestId("runbook-link").click();
      await until(poor, "runbook", /Reasons of the intent gate/);
      await see(poor, "runbook").getByRole("button", { name: "Close" }).click();
      await see(poor, "hold-intents").click();
      await rows.first().getByRole("link", { name: "Trace" }).click();
      await until(poor, "trace", /Intents/);
      await chromium.shut(poor);
      await stopBot(program, "poor");
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] an intent that waits for a person says so, and the filter leaves only what was held back",
    async () => {
      await startBot(program, "careful");
      const careful = await openBot("careful");
      const staged = see(careful, "intents").locator('tr[data-verdict="staged"]');
      await staged.first().waitFor();
      expect(await staged.first().innerText()).toContain("waits for a person");
      await careful.getByLabel("only what was changed, refused or waits").check();
      const verdicts = await see(careful, "intents")
        .locator("tbody tr")
        .evaluateAll((all) => all.map((row) => row.getAttribute("data-verdict")));
      expect(verdicts.length).toBeGreaterThan(0);
      expect(verdicts).not.toContain("forwarded");
      await chromium.shut(careful);
    },
    SLOW_MS,
  );

  it(
    "[L-15] [G-9.1] the lease says who holds the bot under which token and until when, stays held, and shows its loss",
    async () => {
      page = await openBot("careful");
      await until(page, "lease", /main\s+held[\s\S]*Runner\s+\S+ \(connected\)[\s\S]*Fencing token\s+1\s/);
      const left = async (): Promise<number> => Number(/(\d+) s left/.exec(await textOf(page, "lease-left"))?.[1]);
      const seen: number[] = [];
      for (let at = 0; at < 8; at += 1) {
        seen.push(await left());
        await page.waitForTimeout(1_000);
      }
      // It counts down, and is renewed before it is over.
      expect(Math.min(...seen)).toBeGreaterThan(5);
      expect(seen.some((now, at) => at > 0 && now < (seen[at - 1] ?? 0))).toBe(true);
      expect(seen.some((now, at) => at > 0 && now > (seen[at - 1] ?? 99))).toBe(true);
      const lost = answering((data) => ({
        ...data,
        leases: (data["leases"] as readonly Data[]).map((lease) => ({ ...lease, expires_at: data["as_of"] })),
      }));
      await page.route("**/api/leases?*", lost);
      await until(page, "lease", /RAN OUT[\s\S]*Nobody renewed token 1 in time: nothing that is sent under it passes/);
      expect(await see(page, "lease-left").count()).toBe(0);
      await page.unroute("**/api/leases?*");
      await until(page, "lease-state", /held/);
    },
    SLOW_MS,
  );

  it(
    "[G-0.5] who may only look sees what happens and is offered no change",
    async () => {
      const { token } = await makePerson(program, "Eve", ["view_only"]);
      const looking = await openBot("careful", { token });
      await see(looking, "intents").waitFor();
      await until(looking, "lease", /held/);
      expect(await looking.getByRole("button", { name: "Change", exact: true }).count()).toBe(0);
      expect(await looking.getByRole("button", { name: "Make one" }).count()).toBe(0);
      await chromium.shut(looking);
    },
    SLOW_MS,
  );

  it(
    "[G-1.1] [G-9.1] a configuration shows what changes and when it is taken before it is asked, and afterwards whether it was taken",
    async () => {
      const { spec } = (await bot(program, "careful")) as unknown as { readonly spec: { readonly config: Data } };
      await page.getByRole("button", { name: "Change", exact: true }).click();
      const form = see(page, "config-form");
      expect(await see(page, "config-diff").count()).toBe(0);
      await form.getByRole("textbox").fill(JSON.stringify({ ...spec.config, order_timeout: 3_000 }));
      await until(page, "config-diff", /order_timeout\s+3600000\s+3000/);
      await form.getByRole("combobox").selectOption("next_tick");
      expect(await form.innerText()).toContain("Hot: what runs takes it before its next market event");
      await form.getByRole("button", { name: "Apply" }).click();
      expect(await textOf(page, "config-timing")).toContain("before its next market event");
      await page.getByRole("dialog").getByRole("textbox").fill("waits longer for its orders: three seconds");
      await page.getByRole("dialog").getByRole("button", { name: "Dry run" }).click();
      await until(page, "tried", /It would be done/);
      expect(await textOf(page, "tried")).toMatch(/state\s+RUNNING_PAPER/);
      expect(await page.getByRole("dialog").getByTestId("rumi-line").innerText()).toMatch(
        /^rumi bots config-apply careful --config '\{.*"order_timeout":3000.*\}' --at next_tick --reason 'waits longer for its orders: three seconds'$/,
      );
      await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
      await until(page, "config", /order_timeout\s+3000/);
      await until(page, "config-standing", /What runs has taken generation 2/);
    },
    SLOW_MS,
  );

  it(
    "[G-1.1] [G-9.1] one that what runs does not have yet says so, and what is still different",
    async () => {
      const early = await chromium.open({
        prepare: (fresh) =>
          fresh.route(
            "**/api/audit/events?*instance.config.effective*",
            answering((data) => ({ ...data, events: [] })),
          ),
      });
      await until(early, "safety-mode", /NORMAL/);
      await early.goto(`${program.url}/#/bots/careful`);
      await until(early, "config-standing", /does not have generation 2 yet \(0 of 1 have it\)[\s\S]*order_timeout/);
      await until(early, "config-waits", /order_timeout\s+3600000\s+3000/);
      await chromium.shut(early);
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] health and its reasons are told in plain words, with the page that says more",
    async () => {
      const sick = await chromium.open({
        prepare: (fresh) =>
          fresh.route(
            /\/api\/instances$/,
            answering((data) => ({
              ...data,
              instances: (data["instances"] as readonly Data[]).map((one) => ({
                ...one,
                health_state: "degraded",
                reason_code: "M.DATA.GAP",
                runbook: "docs/runbooks/reasons/data.md",
              })),
            })),
          ),
      });
      await until(sick, "safety-mode", /NORMAL/);
      await sick.goto(`${program.url}/#/bots/careful`);
      await until(sick, "instance-main", /degraded[\s\S]*M\.DATA\.GAP ids, bars or book rows are missing before a row/);
      await see(sick, "instance-main").getByTestId("runbook-link").click();
      await until(sick, "runbook", /Reasons of data quality/);
      await chromium.shut(sick);
    },
    SLOW_MS,
  );

  it(
    "[L-33] [G-9.1] the ladder of a stop says what was done and when, what is waited for, and what remains",
    async () => {
      await page.getByRole("button", { name: "Stop: careful" }).click();
      await confirm(page, "enough");
      await untilState(program, "careful", "IDLE");
      await until(page, "stop", /proven stopped[\s\S]*StopRequested somebody asked for the stop\s+\d\d:\d\d:\d\d/);
      await until(page, "stop", /OrdersClear the venue says that none of its orders is open\s+\d\d:\d\d:\d\d/);
      await until(page, "lease", /free[\s\S]*Runner\s+nobody/);
      const half = answering((data) => ({
        ...data,
        attestations: (data["attestations"] as readonly Data[]).map((stop) => ({
          ...stop,
          proven: false,
          rungs: (stop["rungs"] as readonly Data[]).slice(0, 3),
          blocked: { rung: "OrdersClear", why: "2 orders are open at the venue", since: "2026-02-24T12:00:00.000000Z" },
        })),
      }));
      await page.route("**/api/attestations?*", half);
      await until(page, "stop", /NOT PROVEN[\s\S]*OrdersClear[^\n]*\s+waits[\s\S]*StopAttested[^\n]*\s+to come/);
      expect(await textOf(page, "stop-blocked")).toContain("2 orders are open at the venue");
      expect(await see(page, "stop").first().locator(".ladder .good").count()).toBe(3);
      await page.unroute("**/api/attestations?*");
      await until(page, "stop", /proven stopped/);
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] every line of the page is one that the command line takes",
    async () => {
      const lines = await see(page, "panel-detail").getByTestId("rumi-line").allInnerTexts();
      expect(lines.length).toBeGreaterThanOrEqual(9);
      const answers = [...new Set(lines)].map((line) => [
        line,
        cliIn(ROOT, program.home, line.replace(/^rumi /, "")).code,
      ]);
      expect(answers.filter(([, code]) => code !== 0)).toEqual([]);
    },
    SLOW_MS,
  );

  it(
    "[G-9.1] live orders stand on the chart and in its table with side, limit, time and what became of them",
    async () => {
      page = await openBot("outside");
      await page.getByRole("button", { name: "Start LIVE: outside" }).click();
      await confirm(page, "rehearsal");
      await typePhrase(page, "outside");
      await untilState(program, "outside", "RUNNING_LIVE");
      await see(page, "chart").locator("canvas").first().waitFor();
      const placed = async (): Promise<readonly Data[]> =>
        (await ok(program, "GET", "/api/bots/outside/orders?limit=200"))["orders"] as readonly Data[];
      await eventually(async () => {
        const states = new Set((await placed()).map(({ state }) => state));
        return states.has("filled") && states.has("cancelled");
      }, 500);
      await until(page, "legend", /filled: [1-9]\d*\s+cancelled or over: [1-9]/);
      await picture(page, "chart");
      await see(page, "chart-table-toggle").click();
      await until(page, "run-table", /order\s+(buy|sell)\s+\d+\.\d+\s+1[\s\S]*cancelled/);
      const [cancelled] = (await placed()).filter(({ state }) => state === "cancelled");
      const row = see(page, "run-table").locator("tr", {
        has: page.locator(`a[href="#/trace/${String(cancelled?.["trace_id"])}"]`),
      });
      await eventually(async () => (await row.count()) > 0);
      const cells = await row.first().innerText();
      expect(cells).toContain(String(cancelled?.["price"]));
      expect(cells).toContain(String(cancelled?.["side"]));
      expect(await see(page, "run-table").locator('tr[data-kind="fill"]').count()).toBeGreaterThan(0);
      await page.getByLabel("orders", { exact: true }).uncheck();
      await eventually(async () => (await see(page, "run-table").locator('tr[data-kind="order"]').count()) === 0);
      await page.getByLabel("orders", { exact: true }).check();
      await see(page, "chart-table-toggle").click();
    },
    SLOW_MS,
  );

  it.each(["dark", "light"] as const)(
    "[G-9.1] nothing on the page keeps anybody out, %s, wide and narrow, in both languages",
    async (scheme) => {
      for (const [id, locale] of [
        ["poor", "en-US"],
        ["outside", "ja-JP"],
      ] as const) {
        const other = await openBot(id, { scheme, locale });
        await see(other, "intents").waitFor();
        await picture(other, `bot-${id}-${locale}`);
        expect([id, await accessibilityProblems(other)]).toEqual([id, []]);
        // What was only ever refused left no order to draw.
        expect(await see(other, "chart-table-toggle").count()).toBe(id === "poor" ? 0 : 1);
        if (id === "outside") {
          await see(other, "chart-table-toggle").click();
          await see(other, "run-table").waitFor();
          expect([id, await accessibilityProblems(other)]).toEqual([id, []]);
        }
        for (const width of [400, 1_000, 1_400])
          expect([id, width, await overflowOf(other, width)]).toEqual([id, width, 0]);
        await chromium.shut(other);
      }
    },
    SLOW_MS,
  );

  it("no page complained", () => {
    expect(chromium.complaints).toEqual([]);
  });
});
