/** Flows in a real browser: the graph and its list, a form of declared inputs, a run as it goes, a question decided, a stop. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { accessibilityProblems } from "./axe.ts";
import { addressOf, confirm, openConsole, overflowOf, picture, see, turnTo, until, type Console } from "./browser.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import { installPack, makePeople, type Person } from "./rig.ts";

const SLOW_MS = 360_000;
const work = temporaryFolder();
let program: Program;
let chromium: Console;
let people: ReadonlyMap<string, Person> = new Map();

const put = (name: string, text: string): void => {
  mkdirSync(join(program.home, "flows"), { recursive: true });
  writeFileSync(join(program.home, "flows", `${name}.flow.yaml`), `flow_id: ${name}\n${text}`);
};
const HELLO = `inputs:
  name: { type: string, required: true }
  times: { type: integer, default: 1 }
  loud: boolean
outputs: { greeting: object }
phases: [main]
steps:
  - { id: greet, phase: main, type: set, input: { message: "Hello, \${ctx.name}!" }, output: greeting }
`;
const block = (id: string, seconds: string, more = ""): string =>
  `  - { id: ${id}, phase: work, type: python_file_call, owner_pack: steps, file: nap.py, input: ${seconds}, output: ${id}${more} }\n`;
const LONG = `inputs: { n: integer }
phases: [prepare, work]
steps:
  - { id: plan, phase: prepare, type: set, input: { m: 1 } }
${block("first", "0")}${block("second", "0", ", depends_on: [first]")}  - { id: extra, phase: work, type: set, input: { e: 1 }, when: "$ctx.n == 7", depends_on: [first] }
  - { id: sign_off, phase: work, type: approval, input: { question: "Send 3 orders?", details: { to: desk } }, output: said, depends_on: [second] }
${block("third", "60", ", depends_on: [sign_off]")}`;

const open = async (who: string, options: { readonly locale?: string } = {}): Promise<Page> => {
  const page = await chromium.open({ token: people.get(who)?.token ?? program.token, ...options });
  await until(page, "myself", /\w/);
  return page;
};
const at = (page: Page, hash: string): Promise<unknown> => page.goto(`${program.url}/${hash}`);
const step = (page: Page, id: string): Locator => see(page, "steps").locator(`[data-path="${id}"]`);
/** What the drawing and the list say of each step; they say the same. */
const states = async (page: Page): Promise<readonly string[]> =>
  Promise.all(
    (await see(page, "graph").locator(".node").all()).map(
      async (node) => `${await node.getAttribute("data-path")} ${await node.getAttribute("data-state")}`,
    ),
  );

describe.runIf(requires("chromium") && requires("bubblewrap") && requires("python3"))("flows in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
    people = await makePeople(program, { viewer: "view_only", operator: "operator" });
    const manifest = sampleManifest({ pack_id: "steps", pack_identity: "local:steps", strategies: [] });
    const nap = "import time\ndef run(input_data, context):\n    time.sleep(input_data)\n    return input_data\n";
    await installPack(program, writePack(join(work.path, "steps"), manifest, { "blocks/nap.py": nap }), "steps");
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
    work.remove();
  });

  it(
    "[R-14.1] an empty list teaches; a flow that is put there is shown, and a file that is refused with its code and what to do",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("operator");
      await turnTo(page, "Flows");
      await until(page, "no-flows", /flow_id: hello[^]*rumi packs new my-pack --template flow/);
      expect(await accessibilityProblems(page)).toEqual([]);
      put("hello", HELLO);
      put("broken", "phases: [main]\nstepz: []\n");
      await see(page, "flow-row").filter({ hasText: "hello" }).waitFor();
      await until(page, "flow-problems", /RUMI-FLOW-007[^]*broken\.flow\.yaml[^]*Next step/);
      put(
        "often",
        "schedule: { interval: 3600 }\nphases: [p]\nsteps: [{ id: a, phase: p, type: set, input: { x: 1 } }]\n",
      );
      await until(page, "schedules", /often[^]*every 3600 s[^]*next \d{4}/);
      await program.call("POST", "/api/flows/often/run", { inputs: {} });
      await until(page, "schedule", /often[^]*done[^]*next \d{4}/i); // what came of it last, and the way there
      expect(await see(page, "schedule").getByRole("link").nth(1).getAttribute("href")).toMatch(/^#\/flows\/often\/./);
      expect(await accessibilityProblems(page)).toEqual([]);
      await picture(page, "flows");
      await chromium.shut(page);
    },
  );

  it(
    "[R-14.1] [R-14.2] the form asks for what is declared and says what is wrong beside it; the line of the command does the same",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("operator");
      await at(page, "#/flows/hello");
      const form = see(page, "run-form");
      const run = form.getByRole("button", { name: "Run", exact: true });
      await run.click();
      await until(page, "run-form", /This is required/);
      await form.getByLabel("times integer").fill("1.5");
      await until(page, "run-form", /This is a whole number/);
      expect(await form.getByLabel("times integer").getAttribute("aria-invalid")).toBe("true");
      expect(await accessibilityProblems(page)).toEqual([]);
      await form.getByLabel("times integer").fill("2");
      await form.getByLabel("loud boolean").selectOption("true");
      await form.getByLabel("name string").fill("the night's watch");
      const line = await see(page, "panel-flow-run-form").getByTestId("rumi-line").innerText();
      expect(line).toBe(`rumi flows run hello --inputs '{"name":"the night'\\''s watch","times":2,"loud":true}'`);
      await form.getByLabel("name string").press("Enter"); // the keyboard is enough
      // The form's own list may show the run as done a moment before its page stands.
      const hash = async (): Promise<string> => (await addressOf(page)).hash;
      await expect.poll(hash).toMatch(/^#\/flows\/hello\/[0-9a-f-]{36}$/);
      await until(page, "run-state", /^done$/i);
      await until(page, "run-result", /Hello, the night's watch!/);
      expect(await states(page)).toEqual(["greet done"]);
      await page.reload();
      await until(page, "run-result", /Hello, the night's watch!/);
      expect(await accessibilityProblems(page)).toEqual([]);
      await see(page, "panel-flow-run").getByRole("link", { name: "To hello" }).click();
      await until(page, "flow-run", /done/i);
      await chromium.shut(page);
    },
  );

  it(
    "[R-14.1] [G-9.1] a run is followed step by step, asks on its page, goes on when it is approved, and is stopped there",
    { timeout: SLOW_MS },
    async () => {
      put("long", LONG);
      const page = await open("operator");
      await eventually(async () => (await program.call("GET", "/api/flows/long/definition")).status === 200);
      await at(page, "#/flows/long");
      await until(page, "steps", /sign_off[^]*approval/);
      expect(await see(page, "graph").locator(".arrow").count()).toBe(4);
      expect(await step(page, "third").innerText()).toMatch(/behind sign_off[^]*file:steps:nap\.py/);
      await see(page, "run-form").getByRole("button", { name: "Run", exact: true }).click();
      await until(page, "run-state", /waits for a person/i);
      expect(await states(page)).toEqual([
        "plan done",
        "first done",
        "extra skipped",
        "second done",
        "sign_off waiting",
        "third none",
      ]);
      await until(page, "flow-question", /Send 3 orders\?[^]*desk/);
      expect(await step(page, "third").innerText()).toContain("not reached");
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(await overflowOf(page, 400)).toBe(0);
      await picture(page, "flow-run");
      const viewer = await open("viewer", { locale: "ja-JP" });
      await at(viewer, (await addressOf(page)).hash);
      await until(viewer, "flow-question", /Send 3 orders/);
      expect(
        (await viewer.locator("main").getByRole("button").allInnerTexts()).filter((one) => one !== "コピー"),
      ).toEqual([]);
      expect(await accessibilityProblems(viewer)).toEqual([]);
      await picture(viewer, "flow-run-ja");
      await see(page, "flow-question").getByRole("button", { name: "Approve" }).click();
      await confirm(page, "checked against the book");
      await eventually(async () => (await states(page)).includes("third running"));
      await until(page, "run-progress", /5 of 6 steps are over/);
      await until(page, "question-state", /approved/i);
      await see(page, "panel-flow-run").getByRole("button", { name: "Stop" }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("enough");
      expect(await page.getByRole("dialog").getByTestId("rumi-line").innerText()).toMatch(
        /^rumi flows stop [0-9a-f-]{36} --reason enough$/,
      );
      await confirm(page, "enough");
      await until(page, "run-failure", /RUMI-FLOW-017[^]*enough[^]*Next step/);
      expect(await states(page)).toContain("third failed");
      await until(viewer, "run-state", /失敗/);
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(chromium.complaints).toEqual([]);
      await Promise.all([chromium.shut(page), chromium.shut(viewer)]);
    },
  );

  it(
    "[G-0.5] who may only look is shown no form; who asked for a run may not decide what needs a second person",
    { timeout: SLOW_MS },
    async () => {
      put(
        "two",
        "phases: [p]\nsteps: [{ id: ask, phase: p, type: approval, input: { question: 'Sure?', second_person: true } }]\n",
      );
      await eventually(async () => (await program.call("GET", "/api/flows/two/definition")).status === 200);
      const viewer = await open("viewer");
      await at(viewer, "#/flows/two");
      await until(viewer, "steps", /ask/);
      expect(await see(viewer, "run-form").count()).toBe(0);
      const page = await open("operator");
      await at(page, "#/flows/two");
      await see(page, "run-form").getByRole("button", { name: "Run", exact: true }).click();
      await until(page, "flow-question", /another person decides/);
      expect(await see(page, "flow-question").getByRole("button", { name: "Approve" }).count()).toBe(0);
      const other = await open("root");
      await turnTo(other, "Flows");
      await see(other, "flow-question").getByRole("button", { name: "Reject" }).click();
      await confirm(other, "not sure");
      await until(page, "run-failure", /RUMI-FLOW-003[^]*not sure/);
      await until(other, "panel-flow-approvals", /No run waits for anybody/);
      await Promise.all([chromium.shut(page), chromium.shut(viewer), chromium.shut(other)]);
    },
  );
});
