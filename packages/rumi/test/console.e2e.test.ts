/**
 * The console in a real browser against the real program: what a person sees, does, and can check.
 *
 * One program, one home and one recording for all of it; each test opens a page of its own. `dist/` must be built
 * (`npm run build`). Answers are tampered with between program and page, as a dishonest server would.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket } from "@rumi/venues";
import type { Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import {
  addressOf,
  confirm,
  openConsole,
  see,
  textOf,
  turnTo,
  until,
  type Console,
  type PageOptions,
} from "./browser.ts";
import { eventually, ROOT, startProgram, type Program } from "./program.ts";
import { okConfirmed } from "./rig.ts";

const BOT = "ema-cross";
/** Six recorded hours in about a minute. */
const PACE_FACTOR = 400;
const SLOW_MS = 360_000;

let program: Program;
let chromium: Console;
let page: Page;
let approved_digest: string;
const openPage = (options?: PageOptions): Promise<Page> => chromium.open(options);
const closePage = (of: Page): Promise<void> => chromium.shut(of);

async function ok(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await program.call(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body["data"] ?? {};
}

async function installPack(): Promise<void> {
  const staged = await ok("POST", "/api/packs/import", { path: join(ROOT, "packs/default") });
  await ok("POST", "/api/packs/apply", { staging_id: staged["staging_id"] });
}

async function registerVenue(): Promise<void> {
  const market = generateMarket(DEMO_MARKET);
  if (!market.ok) throw new Error(market.error.code);
  const path = join(program.home, "recordings/DEMO.csv");
  mkdirSync(join(program.home, "recordings"), { recursive: true });
  writeFileSync(path, encodeAggTrades(market.value, DEMO_INSTRUMENT));
  await ok("POST", "/api/venues", {
    command_id: crypto.randomUUID(),
    venue_id: "SIM",
    kind: "recording",
    reason: "a market",
    files: [{ path, format: "binance_agg_trades", instrument: DEMO_INSTRUMENT }],
    pace: { kind: "multiple", factor: PACE_FACTOR },
    fees: { maker_ppm: 20, taker_ppm: 50 },
  });
}

async function createBot(): Promise<void> {
  await ok("POST", "/api/bots", {
    command_id: crypto.randomUUID(),
    bot_id: BOT,
    display_name: "EMA cross",
    reason: "a first bot",
    capital: "10000",
    venue: "SIM",
    strategy: {
      pack_id: "default",
      strategy_id: "ema_cross",
      strategy_version: "1.0.0",
      digest: approved_digest,
    },
    instruments: [DEMO_INSTRUMENT.instrument_id],
    config: { order_quantity: "1", fast_trades: 50, slow_trades: 200 },
  });
}

describe.runIf(requires("chromium"))("the console in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
    page = await openPage();
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
  });

  it("the token leaves the address bar at once and stays in this tab", async () => {
    await until(page, "safety-mode", /NORMAL/);
    expect((await addressOf(page)).href).toBe(`${program.url}/`);
    expect(await page.evaluate<string>("JSON.stringify(localStorage)")).not.toContain(program.token);
    await page.reload();
    await until(page, "safety-mode", /NORMAL/);
  });

  it(
    "says which environment this is, that the stream is live, and that this browser verified the log",
    async () => {
      await until(page, "live-state", /Live/);
      await installPack();
      await until(page, "log-badge", /Log verified here · \d+/);
      await until(page, "environment", /dev/);
    },
    SLOW_MS,
  );

  it(
    "a pack that waits for a person is approved here, by its digest and with a reason",
    async () => {
      await turnTo(page, "Packs");
      await see(page, "pack-row").getByRole("link", { name: "default" }).click();
      await eventually(async () => {
        const approve = see(page, "pack-acts").getByRole("button", { name: "Approve" });
        if ((await approve.count()) === 0) return false;
        await approve.click();
        return true;
      });
      await until(page, "dry-run-changes", /sha256:[0-9a-f]{64}/);
      await confirm(page, "read it");
      await until(page, "pack-state", /^approved$/i);
      await turnTo(page, "Overview");
      approved_digest = String((await ok("GET", "/api/packs/default/status"))["approved_digest"]);
      await registerVenue();
      await see(page, "venues").getByRole("button", { name: "SIM" }).click();
      expect(await textOf(page, "load-report")).toMatch(/duplicates\s+0/);
    },
    SLOW_MS,
  );

  it(
    "a bot appears with its state, and with the acts that this state allows",
    async () => {
      await createBot();
      await turnTo(page, "Bots");
      const row = see(page, `bot-${BOT}`);
      await row.waitFor();
      expect(await row.getByTestId("state").innerText()).toBe("IDLE");
      expect(await row.getByRole("button").allInnerTexts()).toEqual([
        expect.stringContaining("EMA cross"),
        "Start paper",
        "Start shadow",
        "Quarantine",
      ]);
    },
    SLOW_MS,
  );

  it(
    "SAFE needs a reason, is set through the dialog, and is seen everywhere",
    async () => {
      const other = await openPage();
      await until(other, "safety-mode", /NORMAL/);
      await page.getByRole("button", { name: "Set SAFE" }).click();
      expect(await page.getByRole("dialog").getByRole("button", { name: "Do it" }).isDisabled()).toBe(true);
      await confirm(page, "a drill");
      for (const one of [page, other]) {
        await until(one, "safety-mode", /^SAFE$/);
        expect(await textOf(one, "safety-reason")).toContain("a drill");
      }
      expect(await ok("GET", "/api/safety")).toMatchObject({ mode: "SAFE", reason: "a drill" });
      await turnTo(page, "Overview");
      await see(page, "audit").locator('[data-action="safety.transition"]').first().waitFor();
      await turnTo(page, "Bots");
      await closePage(other);
    },
    SLOW_MS,
  );

  it(
    "[G-4.3] [G-9.1] a refusal shows its code and next step, and what was typed stays; what is dangerous takes its phrase",
    async () => {
      await page.getByRole("button", { name: "Start paper: EMA cross" }).click();
      await confirm(page, "let it trade");
      await see(page, "refusal").waitFor();
      expect(await textOf(page, "refusal-code")).toMatch(/^RUMI-[A-Z]+-\d{3} · G\.SAFETY\.SAFE$/);
      expect((await textOf(page, "next-step")).length).toBeGreaterThan("Next step: ".length);
      expect(await page.getByRole("dialog").getByRole("textbox").inputValue()).toBe("let it trade");
      await page.getByRole("button", { name: "Close" }).click();
      await page.getByRole("button", { name: "Back to NORMAL" }).click();
      await confirm(page, "the drill is over");
      const dialog = page.getByRole("dialog");
      await see(page, "phrase").waitFor();
      expect(await textOf(page, "refusal-code")).toContain("CONFIRMATION_REQUIRED");
      expect(await ok("GET", "/api/safety"), "asking alone changes nothing").toMatchObject({ mode: "SAFE" });
      await see(page, "phrase").fill("I understand");
      expect(await dialog.getByRole("button", { name: "Do it" }).isDisabled()).toBe(true);
      await see(page, "phrase").fill("I UNDERSTAND LIVE RISK");
      await dialog.getByRole("button", { name: "Do it" }).click();
      await until(page, "safety-mode", /NORMAL/);
    },
    SLOW_MS,
  );

  it(
    "started, its fills arrive live and its profit moves",
    async () => {
      const row = see(page, `bot-${BOT}`);
      await page.getByRole("button", { name: "Start paper: EMA cross" }).click();
      await confirm(page, "let it trade");
      await eventually(async () => (await row.getByTestId("state").innerText()) === "RUNNING_PAPER");
      expect(await row.getByTestId("mode").innerText()).toBe("PAPER");
      await see(page, "live").locator('tr[data-kind="fill"]').first().waitFor();
      const before = await row.getByTestId("realised").innerText();
      await eventually(async () => /[1-9]/.test(await row.getByTestId("fill-count").innerText()));
      await eventually(async () => !["–", before].includes(await row.getByTestId("realised").innerText()));
      await until(page, "health", /healthy/);
    },
    SLOW_MS,
  );

  it(
    "the live feed is filtered by kind and by bot",
    async () => {
      const rows = see(page, "live").locator("tr");
      for (const kind of ["order", "intent", "bot", "run", "health", "safety"]) await see(page, `kind-${kind}`).click();
      expect(new Set(await rows.evaluateAll((all) => all.map((row) => row.getAttribute("data-kind"))))).toEqual(
        new Set(["fill"]),
      );
      await page.getByLabel("Bot", { exact: true }).selectOption({ label: "EMA cross" });
      expect(await rows.first().innerText()).toContain(BOT);
      for (const kind of ["order", "intent", "bot", "run", "health", "safety"]) await see(page, `kind-${kind}`).click();
    },
    SLOW_MS,
  );

  it(
    "the chosen bot shows chart, conditions, versions and configuration",
    async () => {
      await page.getByRole("button", { name: "EMA cross", exact: true }).click();
      await see(page, "chart").locator("canvas").first().waitFor();
      await until(page, "config", /fast_trades\s+50/);
      await until(page, "versions", /1\.0\.0/);
      await until(page, "conditions", /Running True/);
      await page.getByRole("button", { name: "EMA cross", exact: true }).click();
      await see(page, "chart").waitFor({ state: "detached" });
    },
    SLOW_MS,
  );

  it(
    "every audit event can be proven in the browser, and the badge follows the log",
    async () => {
      await turnTo(page, "Overview");
      const events = see(page, "audit").locator("tr[data-event]");
      for (const at of [0, 5, 10]) {
        await events.nth(at).getByTestId("check").click();
        await see(page, "proof").nth([0, 5, 10].indexOf(at)).waitFor();
      }
      for (const steps of await see(page, "proof").allInnerTexts()) {
        expect(steps.match(/✓/g)).toHaveLength(5);
        expect(steps).not.toContain("✗");
      }
      await until(page, "log-badge", /Log verified here/);
    },
    SLOW_MS,
  );

  const tampered: readonly (readonly [string, string, (route: Route) => Promise<void>])[] = [
    [
      "a checkpoint of another size",
      "**/tlog/checkpoint",
      async (route) => {
        const text = await (await route.fetch()).text();
        const [origin, size, ...rest] = text.split("\n");
        await route.fulfill({
          body: [origin, Number(size) - 1, ...rest].join("\n"),
          contentType: "text/plain",
        });
      },
    ],
    [
      "a tile with one other bit",
      "**/tlog/tile/0/**",
      async (route) => {
        const bytes = Buffer.from(await (await route.fetch()).body());
        bytes[0] = (bytes[0] ?? 0) ^ 1;
        await route.fulfill({ body: bytes, contentType: "application/octet-stream" });
      },
    ],
    [
      "another key",
      "**/tlog/log.vkey",
      async (route) => {
        const text = await (await route.fetch()).text();
        await route.fulfill({
          body: text.replace(/\+([0-9a-f]{8})\+/, "+00000000+"),
          contentType: "text/plain",
        });
      },
    ],
  ];
  it.each(tampered)(
    "%s turns the badge red",
    async (_name, pattern, handler) => {
      const other = await openPage({ prepare: (fresh) => fresh.route(pattern, handler) });
      await until(other, "log-badge", /LOG NOT VERIFIED/);
      expect(await see(other, "log-badge").getAttribute("class")).toContain("bad");
      await closePage(other);
    },
    SLOW_MS,
  );

  it(
    "a log that was cut back since the last visit turns the badge red",
    async () => {
      const early = await (await fetch(new URL("/tlog/checkpoint", program.url))).text();
      await ok("POST", "/api/packs/scan", {});
      await ok("POST", "/api/safety/set", {
        command_id: crypto.randomUUID(),
        mode: "SAFE",
        reason: "one more entry",
      });
      const [, grown] = (await (await fetch(new URL("/tlog/checkpoint", program.url))).text()).split("\n");
      const other = await openPage();
      await eventually(async () => Number(/· (\d+)/.exec(await textOf(other, "log-badge"))?.[1]) >= Number(grown));
      await other.route("**/tlog/checkpoint", (route) => route.fulfill({ body: early, contentType: "text/plain" }));
      await other.reload();
      await until(other, "log-badge", /LOG NOT VERIFIED: the log has \d+ entries; this browser has seen \d+/);
      await closePage(other);
      await okConfirmed(program, "/api/safety/set", {
        command_id: crypto.randomUUID(),
        mode: "NORMAL",
        reason: "back",
      });
    },
    SLOW_MS,
  );

  it(
    "an event whose payload is not the logged one is not proven",
    async () => {
      const other = await openPage({
        prepare: (fresh) =>
          fresh.route("**/api/audit/proof/*", async (route) => {
            const text = await (await route.fetch()).text();
            await route.fulfill({
              body: text.replaceAll("user:root", "user:toor"),
              contentType: "application/json",
            });
          }),
      });
      const event = see(other, "audit").locator("tr[data-event]", { hasText: "user:root" }).first();
      await event.getByTestId("check").click();
      await until(other, "proof", /✗ The payload is the one that was committed to/);
      expect(await event.getByTestId("check").innerText()).toContain("NOT PROVEN");
      await closePage(other);
    },
    SLOW_MS,
  );

  it(
    "a wrong token leads to the token form, and the right one from there into the console",
    async () => {
      const other = await openPage({ hash: "#token=rumi_dev_wrong" });
      await see(other, "token-form").waitFor();
      expect(await other.getByRole("alert").innerText()).toContain("refused");
      await other.getByLabel("Token").fill(program.token);
      await other.getByRole("button", { name: "Use token" }).click();
      await until(other, "safety-mode", /NORMAL/);
      await closePage(other);
      const without = await openPage({ hash: "" });
      await see(without, "token-form").waitFor();
      expect(await without.getByRole("alert").count()).toBe(0);
      await closePage(without);
    },
    SLOW_MS,
  );

  it(
    "speaks Japanese at a click, remembers it, and asks the program for Japanese refusals",
    async () => {
      const other = await openPage();
      await see(other, "language").click();
      await other.getByRole("heading", { name: "監査ログ" }).waitFor();
      expect(await other.getAttribute("html", "lang")).toBe("ja");
      await other.reload();
      await other.getByRole("heading", { name: "監査ログ" }).waitFor();
      await turnTo(other, "ボット");
      await other.getByRole("heading", { name: "ボット" }).waitFor();
      await other.getByRole("button", { name: /緊急停止/ }).waitFor();
      await closePage(other);
      const native = await openPage({ locale: "ja-JP" });
      await native.getByRole("heading", { name: "監査ログ" }).waitFor();
      await closePage(native);
    },
    SLOW_MS,
  );

  it(
    "an unobservable safety state is UNKNOWN, never the last one that was seen",
    async () => {
      const other = await openPage();
      await until(other, "safety-mode", /NORMAL/);
      await other.route("**/api/safety", (route) => route.abort());
      await until(other, "safety-mode", /UNKNOWN/);
      await other.unroute("**/api/safety");
      await until(other, "safety-mode", /NORMAL/);
      await other.context().setOffline(true);
      await until(other, "safety-mode", /UNKNOWN/);
      await closePage(other);
    },
    SLOW_MS,
  );

  it(
    "an answer that does not fit is shown as an error where it belongs; the rest of the page goes on",
    async () => {
      const broken = { success: true, data: { bots: [{ bot_id: 7 }], next_cursor: null } };
      const other = await openPage({
        prepare: (fresh) => fresh.route("**/api/bots?*", (route) => route.fulfill({ json: broken })),
      });
      await until(other, "problem", /does not fit.*bots\[0\]\.bot_id/);
      await until(other, "safety-mode", /NORMAL/);
      await see(other, "audit").waitFor();
      await closePage(other);
    },
    SLOW_MS,
  );

  it(
    "a flood of events neither grows the page without end nor moves what is below it",
    async () => {
      const trade = {
        instrument_id: "X.SIM",
        side: "buy",
        price: "1.00",
        quantity: "1",
        fee: "0",
        liquidity: "taker",
      };
      const frame = (seq: number): string =>
        `id: ${seq}\nevent: fill\ndata: ${JSON.stringify({ run_id: "r", bot_id: BOT, seq, fill: trade })}\n\n`;
      let sent = 1;
      const other = await openPage({
        prepare: (fresh) =>
          fresh.route("**/api/events", (route) => {
            const from = sent;
            sent += 1_000;
            return route.fulfill({
              contentType: "text/event-stream",
              body: Array.from({ length: 1_000 }, (_, at) => frame(from + at)).join(""),
            });
          }),
      });
      await see(other, "panel-venues").waitFor();
      await see(other, "panel-audit").waitFor();
      // From its own top: what stands above it grows and shrinks with what a bot holds.
      const below = (): Promise<number> =>
        other.evaluate<number>(`(() => {
          const top = (name) => document.querySelector('[data-testid="panel-' + name + '"]').getBoundingClientRect().top;
          return top("venues") - top("live");
        })()`);
      const place = await below();
      expect(place).toBeGreaterThan(100);
      await eventually(() => sent > 3_000, 100);
      expect(await see(other, "live").locator("tr").count()).toBeLessThanOrEqual(150);
      expect(await below()).toBe(place);
      await closePage(other);
    },
    SLOW_MS,
  );

  it(
    "at 400 pixels everything is there and nothing is cut off",
    async () => {
      const narrow = await openPage({ width: 400 });
      await turnTo(narrow, "Bots");
      await see(narrow, `bot-${BOT}`).waitFor();
      await narrow.getByRole("button", { name: "EMA cross", exact: true }).click();
      await see(narrow, "facts").waitFor();
      expect(
        await narrow.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
      ).toBe(0);
      await closePage(narrow);
    },
    SLOW_MS,
  );

  it(
    "the keyboard alone opens a bot, asks, and takes it back",
    async () => {
      await turnTo(page, "Bots");
      await page.getByRole("button", { name: "EMA cross", exact: true }).focus();
      await page.keyboard.press("Enter");
      await see(page, "facts").waitFor();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      expect(await page.evaluate<string>("document.activeElement?.tagName")).toBe("INPUT");
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    },
    SLOW_MS,
  );

  it("the content security policy was never violated and no page threw", () => {
    expect(chromium.complaints).toEqual([]);
  });
});
