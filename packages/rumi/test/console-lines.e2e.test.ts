/**
 * Every page offers its `rumi` lines, and each of them runs as it stands: those that show end with 0, those that act as the
 * table says. `dist/` must be built.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { openConsole, see, turnTo, until, type Console } from "./browser.ts";
import { cliIn, eventually, startProgram, type Program } from "./program.ts";
import { addVenue, bot, createBot, installPack, makePerson, ok, startBot, writeRecording } from "./rig.ts";
import { makeRepository } from "./repository.ts";

const SLOW_MS = 360_000;
const work = temporaryFolder();
let program: Program;
let chromium: Console;
let page: Page;
let user_id: string;
let run_of_flow: string;
let trace_id: string;

const run = (line: string) => cliIn(work.path, program.home, line.replace(/^rumi /, ""));
/** What shows is run once, however many pages offer it. */
const shown = new Map<string, ReturnType<typeof run>>();
const runOnce = (line: string): ReturnType<typeof run> => {
  const known = shown.get(line) ?? run(line);
  shown.set(line, known);
  return known;
};
/** Of a page as it is shown: of its parts, and within them. */
const linesOf = async (of: Page): Promise<readonly string[]> => [
  ...(await see(of, "panel-line").allInnerTexts()),
  ...(await see(of, "rumi-line").allInnerTexts()),
];

/** What each page shows, as the lines that show the same. */
const PAGES: readonly (readonly [string, () => string, readonly (string | RegExp)[]])[] = [
  [
    "the overview",
    () => "#/",
    ["rumi bots list", "rumi positions list", "rumi fills list", "rumi audit events --order desc", "rumi venues list"],
  ],
  ["bots", () => "#/bots", ["rumi bots list", "rumi fills list"]],
  [
    "controls",
    () => "#/controls",
    ["rumi killswitch show", "rumi holds list", "rumi gates list", "rumi drift list --open", "rumi break_glass list"],
  ],
  [
    "approvals",
    () => "#/approvals",
    [
      "rumi challenges list",
      "rumi changes list --state OPEN",
      "rumi intents staged",
      "rumi flows approvals --state open",
    ],
  ],
  [
    "a bot",
    () => "#/bots/one",
    [
      "rumi bots show one",
      "rumi bots orders one",
      "rumi intents list --bot-id one",
      "rumi leases list --bot-id one",
      "rumi inspect one",
      "rumi attestations list --bot-id one",
      "rumi bots lineage one",
      "rumi admissions list --bot-id one",
    ],
  ],
  ["bulk", () => "#/bulk", ["rumi bulk list"]],
  ["packs", () => "#/packs", ["rumi packs list", "rumi packs staged"]],
  [
    "a pack",
    () => "#/packs/default",
    [
      "rumi packs status default",
      "rumi grants list --principal-id default",
      "rumi network list",
      "rumi secrets list",
      "rumi audit events --resource-type pack --resource-id default",
      /^rumi supply_chain reports --artifact-id sha256:[0-9a-f]{64}$/,
    ],
  ],
  ["flows", () => "#/flows", ["rumi flows approvals --state open", "rumi flows list", "rumi flows schedules"]],
  ["a flow", () => "#/flows/hello", ["rumi flows definition hello", "rumi flows runs hello"]],
  ["a run of a flow", () => `#/flows/hello/${run_of_flow}`, [/^rumi flows run-show [0-9a-f-]{36}$/]],
  ["runs", () => "#/runs", ["rumi runs list"]],
  ["audit", () => "#/audit", ["rumi audit verify", "rumi audit events"]],
  ["a trace", () => `#/trace/${trace_id}`, [/^rumi trace [0-9a-f-]{36}$/]],
  ["people", () => "#/people", ["rumi users list"]],
  [
    "settings",
    () => "#/settings",
    [
      "rumi health",
      "rumi policies show",
      "rumi guardrails show",
      "rumi support_bundles list",
      "rumi setup check",
      "rumi doctor",
    ],
  ],
];
/** They open a browser's page, need a stopped program or a folder of the reader's: their help must know them. */
const NEEDS_A_PERSON = /^rumi (setup( |$)|doctor|backup|packs new)/;

describe.runIf(requires("chromium"))("[G-9.1] the lines of the console", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
    const digest = await installPack(program);
    await addVenue(program, { path: writeRecording(program.home, 60_000), factor: 60 });
    for (const name of ["one", "two"]) await createBot(program, name, "ema_cross", digest);
    await startBot(program, "one");
    ({ id: user_id } = await makePerson(program, "Mika", ["operator"]));
    mkdirSync(join(program.home, "flows"), { recursive: true });
    writeFileSync(
      join(program.home, "flows/hello.flow.yaml"),
      "flow_id: hello\nphases: [p]\nsteps: [{ id: greet, phase: p, type: set, input: { message: hi }, output: o }]\n",
    );
    await eventually(async () => (await program.call("GET", "/api/flows/hello/definition")).status === 200);
    await program.call("POST", "/api/flows/hello/run", { inputs: {} });
    const { runs } = await ok(program, "GET", "/api/flows/hello/runs");
    run_of_flow = (runs as readonly { run_id: string }[])[0]?.run_id ?? "none";
    const { events } = await ok(program, "GET", "/api/audit/events?action=bot.created&resource_id=one");
    trace_id = (events as readonly { details: { trace_id: string } }[])[0]?.details.trace_id ?? "none";
    page = await chromium.open();
    await until(page, "log-badge", /Log verified here/);
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
    work.remove();
  });

  it.each(PAGES)(
    "%s offers what shows the same, and each line runs",
    async (_name, at, expected) => {
      await page.goto(`${program.url}/${at()}`);
      await see(page, "panel-line").or(see(page, "rumi-line")).first().waitFor();
      await expect
        .poll(() => linesOf(page), { timeout: 60_000 })
        .toEqual(
          expect.arrayContaining(
            expected.map((line) => (typeof line === "string" ? line : (expect.stringMatching(line) as string))),
          ),
        );
      for (const line of new Set(await linesOf(page))) {
        const asked = NEEDS_A_PERSON.test(line) ? `${line.replace(/ --.*/, "")} --help` : line;
        const { code, err } = runOnce(asked);
        expect([line, code, err.slice(0, 300)]).toEqual([line, 0, ""]);
      }
    },
    SLOW_MS,
  );

  /** Opens a question, reads its line once a reason stands there, and leaves without an answer. */
  const lineOf = async (open: Locator): Promise<string> => {
    await open.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").first().fill("it's a test");
    const line = await dialog.getByTestId("rumi-line").innerText();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    return line;
  };
  const WHY = `'it'\\''s a test'`;

  it(
    "what restrains: set and lifted by the lines of the dialogs, and what is dangerous asks back",
    async () => {
      await turnTo(page, "Controls");
      const kill = see(page, "kill-form");
      await kill.getByLabel("Scope").selectOption("bot_id");
      await kill.getByLabel("Name").fill("two");
      await kill.getByLabel("Level").selectOption("FLATTEN");
      const pull = await lineOf(kill.getByRole("button", { name: "Set" }));
      expect(pull).toBe(`rumi killswitch set --scope '{"bot_id":"two"}' --level FLATTEN --reason ${WHY}`);
      expect(run(pull).code).toBe(0);
      await until(page, "kill-rules", /FLATTEN[\s\S]*bot two[\s\S]*it's a test/);
      const loosen = await lineOf(page.getByRole("button", { name: "Lift: bot two" }));
      const asked = run(loosen);
      expect(asked.code).toBe(1);
      expect(asked.err).toMatch(/I UNDERSTAND LIVE RISK/);
      expect(run(`${loosen} --confirm 'I UNDERSTAND LIVE RISK'`).code).toBe(0);
      await until(page, "kill-state", /^ALLOW$/);

      const hold = see(page, "hold-form");
      await hold.getByLabel("Kind").selectOption("freeze");
      await hold.getByLabel("Scope").selectOption("bot_id");
      await hold.getByLabel("Name").fill("two");
      await hold.getByLabel("Review after").selectOption("8");
      const freeze = await lineOf(hold.getByRole("button", { name: "Set" }));
      expect(freeze).toBe(
        `rumi holds set --kind freeze --scope '{"bot_id":"two"}' --valid-for-seconds 28800 --reason ${WHY}`,
      );
      expect(run(freeze).code).toBe(0);
      await until(page, "holds", /Freeze[\s\S]*bot two/);
      const lift = await lineOf(page.getByRole("button", { name: "Lift: freeze bot two" }));
      expect(run(`${lift} --confirm 'I UNDERSTAND LIVE RISK'`).code).toBe(0);
      await ok(program, "POST", "/api/gates/feed/report", { state: "PASS", rules: [], ttl_seconds: 600 });
      const gate = await lineOf(see(page, "gate-feed").getByRole("button", { name: "Require" }));
      expect(gate).toBe(`rumi gates require feed --reason ${WHY}`);
      expect(run(gate).code).toBe(0);
      await until(page, "gates-state", /1 pass/);
      const session = await lineOf(see(page, "session-form").getByRole("button", { name: "Open session" }));
      expect(session).toBe(`rumi break_glass open --verbs gates.disable --valid-for-seconds 900 --reason ${WHY}`);
      expect(run(session)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/second person|CONFIRMATION|BREAK GLASS/) as string,
      });
    },
    SLOW_MS,
  );

  it(
    "safety, bots, people, bundles: the line of a dialog does what the dialog would",
    async () => {
      const safe = await lineOf(page.getByRole("button", { name: "Set SAFE" }));
      expect([safe, run(safe).code]).toEqual([`rumi safety set --mode SAFE --reason ${WHY}`, 0]);
      await until(page, "safety-mode", /^SAFE$/);
      const back = await lineOf(page.getByRole("button", { name: "Back to NORMAL" }));
      expect(run(`${back} --confirm 'I UNDERSTAND LIVE RISK'`).code).toBe(0);
      await until(page, "safety-mode", /^NORMAL$/);
      await turnTo(page, "Bots");
      const pause = await lineOf(page.getByRole("button", { name: "Pause: one" }));
      expect([pause, run(pause).code]).toEqual([`rumi bots pause one --reason ${WHY}`, 0]);
      await eventually(async () => (await bot(program, "one")).state === "PAUSED");

      await turnTo(page, "People");
      const row = page.locator(`[data-testid="person"][data-id="${user_id}"]`);
      await row.getByRole("button", { name: "Mika" }).click();
      await row.getByLabel("view_only").check();
      const roles = await lineOf(row.getByRole("button", { name: "Change roles" }));
      expect([roles, run(roles).code]).toEqual([
        `rumi users roles-set ${user_id} --roles view_only operator --reason ${WHY}`,
        0,
      ]);
      await row.getByLabel("What it is for").fill("her phone");
      const issue = await lineOf(row.getByRole("button", { name: "Issue a token" }));
      expect(issue).toBe(
        `rumi tokens issue ${user_id} --label 'her phone' --valid-for-seconds 7776000 --reason ${WHY}`,
      );
      expect(run(issue).code).toBe(0);
      await until(page, "tokens", /her phone/);
      const revoke = await lineOf(row.locator("li", { hasText: "her phone" }).getByRole("button", { name: "Revoke" }));
      expect(run(revoke).code).toBe(0);
      const disable = await lineOf(row.getByRole("button", { name: "Disable" }));
      expect([disable, run(disable).code]).toEqual([`rumi users disable ${user_id} --reason ${WHY}`, 0]);

      await turnTo(page, "Settings");
      const bundle = await lineOf(see(page, "panel-bundles").getByRole("button", { name: "Make one" }));
      expect([bundle, run(bundle).code]).toEqual([`rumi support_bundles create --reason ${WHY}`, 0]);
      await until(page, "house-bundles", /READY[\s\S]*it's a test/);
    },
    SLOW_MS,
  );

  it.runIf(requires("bubblewrap"))(
    "a run: shown, decided and stopped by its lines",
    async () => {
      const repo = join(work.path, "repo");
      makeRepository(repo, { "src/a.txt": "one\n" });
      const wish = { repo, prompt: "p", scope: { write: ["src/**"] }, dod: { required_checks: [] } };
      const { run_id } = await ok(program, "POST", "/api/runs", {
        ...wish,
        command: ["sh", "-c", "echo x > README; sleep 60"],
      });
      await page.goto(`${program.url}/#/runs/${String(run_id)}`);
      const stop = await lineOf(see(page, "panel-run-detail").getByRole("button", { name: "Stop" }));
      expect([stop, run(stop).code]).toEqual([`rumi runs stop ${String(run_id)} --reason ${WHY}`, 0]);
      await page.getByRole("tab", { name: "Proof" }).click();
      const reject = await lineOf(see(page, "violations").getByRole("button", { name: "Reject" }));
      expect([reject, run(reject).code]).toEqual([
        `rumi runs violations-reject ${String(run_id)} 1 --reason ${WHY}`,
        0,
      ]);
      await until(page, "violation-status", /rejected/i);
      await eventually(async () => (await linesOf(page)).includes(`rumi runs show ${String(run_id)}`));
      expect(run(`rumi runs show ${String(run_id)}`).code).toBe(0);
      const [download] = await Promise.all([page.waitForEvent("download"), see(page, "download").click()]);
      await download.saveAs(join(work.path, download.suggestedFilename()));
      const verify = (await linesOf(page)).find((one) => one.startsWith("rumi proof verify")) ?? "";
      expect(verify).toContain(download.suggestedFilename());
      expect(run(verify)).toMatchObject({ code: 0 });
    },
    SLOW_MS,
  );
});
