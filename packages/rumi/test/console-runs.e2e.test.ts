/** Runs and their proof in a real browser: the list, what a run said, its proof bundle, decisions, the download. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { confirm, openConsole, see, turnTo, until, type Console } from "./browser.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import { makeRepository } from "./repository.ts";
import { makePerson, ok } from "./rig.ts";

const SLOW_MS = 360_000;
const work = temporaryFolder();
const repo = join(work.path, "repo");
let program: Program;
let chromium: Console;
let run_id = 0;

const begin = async (command: string, over: object = {}): Promise<number> => {
  const checks = [
    { check_key: "there", label: "The file is there", kind: "test", command: "test -f src/a.txt", required: true },
    { check_key: "lint", label: "It is tidy", kind: "lint", command: "exit 3", required: false },
    { check_key: "idle", label: "It does something", kind: "build", command: "true", required: false },
  ];
  const wish = { repo, prompt: "Make it better.", scope: { write: ["src/**"] }, dod: { required_checks: checks } };
  const started = await ok(program, "POST", "/api/runs", { ...wish, command: ["sh", "-c", command], ...over });
  return Number(started["run_id"]);
};
const proved = (id: number) =>
  eventually(async () => (await ok(program, "GET", `/api/runs/${id}`))["phase"] === "proved");

describe.runIf(requires("chromium") && requires("bubblewrap"))("runs in Chromium", () => {
  beforeAll(async () => {
    makeRepository(repo, { "src/a.txt": "one\ntwo\n" });
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
    run_id = await begin(
      "echo hello; echo careful >&2; printf 'one\\n2\\n3\\n' > src/a.txt; echo x > README; echo y > LICENSE",
    );
    await proved(run_id);
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
    work.remove();
  });

  it(
    "[P-9] the Proof tab: files, +/-, badges, violations with their state, scope; a decision; the download is the very bytes",
    { timeout: SLOW_MS },
    async () => {
      const page = await chromium.open();
      await until(page, "myself", /\w/);
      await turnTo(page, "Runs");
      await see(page, "run").first().getByRole("link").click();
      await until(page, "detail-status", /completed/);
      await until(page, "diff-stat", /^\+4 −1 3 files$/);
      expect((await see(page, "changed-files").innerText()).split("\n")).toEqual(["LICENSE", "README", "src/a.txt"]);
      const badges = await see(page, "dod").getByTestId("check-status").allInnerTexts();
      expect(badges.map((text) => text.toLowerCase())).toEqual(["passed", "failed", "passed"]);
      expect(await see(page, "dod").innerText()).toContain("did nothing");
      expect(await see(page, "scope").innerText()).toContain("src/**");
      const states = async () =>
        (await see(page, "violation-status").allInnerTexts()).map((text) => text.toLowerCase());
      expect(await states()).toEqual(["to be decided", "to be decided"]);
      const row = (path: string) => see(page, "violations").locator(`[data-path="${path}"]`);
      await row("LICENSE").getByRole("button", { name: "Reject" }).click();
      await confirm(page, "nobody asked for one");
      await eventually(async () => (await states())[0] === "rejected");
      await row("README").getByRole("button", { name: "Approve" }).click();
      await confirm(page, "it was meant");
      await eventually(async () => (await states()).join() === "rejected,approved");
      expect(await see(page, "violations").getByRole("button").count()).toBe(0);
      const [download] = await Promise.all([page.waitForEvent("download"), see(page, "download").click()]);
      expect(download.suggestedFilename()).toBe(`run-${run_id}-proof-3.json`);
      const saved = readFileSync(await download.path());
      const { revisions } = (await ok(program, "GET", `/api/runs/${run_id}`)) as {
        readonly revisions: readonly { sha256: string }[];
      };
      expect(createHash("sha256").update(saved).digest("hex")).toBe(revisions[2]?.sha256);
      await see(page, "revision").selectOption("1");
      await eventually(async () => (await states()).join() === "to be decided,to be decided");
      expect(await see(page, "violations").getByRole("button").count()).toBe(0); // an old revision is decided on no more
      await page.getByRole("tab", { name: "Output" }).click();
      await until(page, "output", /Make it better\.\nhello\n?[^]*careful/);
      await page.reload();
      await until(page, "diff-stat", /3 files/); // the address is the page's own
      await chromium.shut(page);
    },
  );

  it(
    "[P-9] a run that goes on has no proof yet and can be stopped from here; who may only look decides nothing",
    { timeout: SLOW_MS },
    async () => {
      const going = await begin("echo z > outside; echo here; while :; do date +%s%3N; sleep 0.2; done", {
        scope: { write: ["docs/**"] },
      });
      const viewer = await makePerson(program, "viewer", ["view_only"]);
      const looking = await chromium.open({ token: viewer.token, locale: "ja-JP" });
      await until(looking, "myself", /\w/);
      await turnTo(looking, "実行");
      await see(looking, "run").first().getByRole("link").click();
      await until(looking, "output", /here/); // what goes on is read first
      await looking.getByRole("tab", { name: "証跡" }).click();
      await until(looking, "proof-none", /証跡は/);
      const page = await chromium.open();
      await until(page, "myself", /\w/);
      await turnTo(page, "Runs");
      await see(page, "run").first().getByRole("link").click();
      await until(page, "output", /here/);
      await until(page, "output-state", /Live/i);
      await page.getByRole("tab", { name: "Output" }).press("ArrowLeft");
      await until(page, "proof-none", /once the run has ended/);
      await page.getByRole("tab", { name: "Proof" }).press("ArrowRight");
      await until(page, "output", /here/);
      // What it says is here as it says it.
      await eventually(async () => {
        const [newest = "0"] = /\d+$/.exec((await see(page, "output").innerText()).trim()) ?? [];
        return Date.now() - Number(newest) < 600;
      });
      expect(await see(looking, "panel-run-detail").getByRole("button", { name: "停止" }).count()).toBe(0);
      await see(page, "panel-run-detail").getByRole("button", { name: "Stop" }).click();
      await confirm(page, "enough");
      await until(page, "detail-status", /cancelled/);
      await proved(going);
      await until(looking, "diff-stat", /1/);
      expect(await see(looking, "violations").getByRole("button").count()).toBe(0);
      expect(chromium.complaints).toEqual([]);
      await Promise.all([chromium.shut(page), chromium.shut(looking)]);
    },
  );
});
