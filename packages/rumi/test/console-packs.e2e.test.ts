/** Packs in a real browser: from an empty home to an approved pack, what it was given and used, what each role is shown. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { addressOf, confirm, openConsole, overflowOf, picture, see, turnTo, until, type Console } from "./browser.ts";
import { accessibilityProblems } from "./axe.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import { installPack, makePeople, ok, type Data, type Person } from "./rig.ts";

const SLOW_MS = 360_000;
const SECRET = "s3cr3t-value-that-nobody-sees";
const work = temporaryFolder();
let program: Program;
let chromium: Console;
let people: ReadonlyMap<string, Person> = new Map();

const manifest = (over: Data = {}): Data =>
  sampleManifest({
    pack_id: "weather",
    pack_identity: "local:weather",
    display_name: "Weather",
    strategies: [],
    required_secrets: ["WEATHER_KEY"],
    required_network: [{ domain: "api.example.com", ports: [443] }],
    ...over,
  });
const HANDLER = JSON.stringify({
  handler_id: "fs_read_handler",
  permission_id: "fs.read",
  entrypoint: "handler.py:execute",
  description: "Reads one file",
  risk: "It reads files of this machine",
});
const FILES = {
  "run.py": "def run(input_data, context):\n    return {}\n",
  "share/capability_handlers/fs_read/handler.json": HANDLER,
  "share/capability_handlers/fs_read/handler.py": "def execute(context, args):\n    return {}\n",
  "requirements.lock": "tomli==2.0.1\n",
};
const folder = (name: string, over: Data = {}): string => writePack(join(work.path, name), manifest(over), FILES);
const open = async (who: string, options: { readonly locale?: string; readonly hash?: string } = {}): Promise<Page> => {
  const page = await chromium.open({ token: people.get(who)?.token ?? program.token, ...options });
  await until(page, "myself", /\w/);
  return page;
};
const at = (page: Page, hash: string): Promise<unknown> => page.goto(`${program.url}/${hash}`);
const press = (where: Page | Locator, name: string | RegExp): Promise<void> =>
  where
    .getByRole("button", { name, exact: typeof name === "string" })
    .first()
    .click();
const panel = (page: Page, name: string): Locator => see(page, `panel-${name}`);
/** The line in the dialog that is open, with its reason typed. */
const dialogCommand = async (page: Page, reason: string): Promise<string> => {
  await page.getByRole("dialog").getByRole("textbox").fill(reason);
  return page.getByRole("dialog").getByTestId("rumi-line").innerText();
};
const words = (line: string): readonly string[] =>
  (line.match(/'(?:[^']|'\\'')*'|\S+/g) ?? []).map((one) => one.replace(/^'(.*)'$/s, "$1").replaceAll("'\\''", "'"));

describe.runIf(requires("chromium"))("packs in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
    people = await makePeople(program, { viewer: "view_only", operator: "operator", admin: "admin" });
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
    work.remove();
  });

  it(
    "[R-5.1] [R-5.2] [R-11.1] an empty home teaches; a pack is imported, put in place and approved with its impact shown first",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("admin");
      await turnTo(page, "Packs");
      await until(page, "no-packs", /rumi packs new my-pack/);
      expect(await accessibilityProblems(page)).toEqual([]);
      const form = see(page, "import-form");
      await form.getByLabel("Folder or archive").fill("weather");
      expect(await form.getByRole("button").isDisabled()).toBe(true); // it is no absolute path
      await form.getByLabel("Folder or archive").fill(join(work.path, "nowhere"));
      await press(form, "Import");
      await confirm(page, "from the shelf");
      await until(page, "refusal-code", /RUMI-VAL-006/);
      await until(page, "next-step", /Next step/);
      await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).click();
      await form.getByLabel("Folder or archive").fill(folder("weather"));
      await press(form, "Import");
      await confirm(page, "from the shelf");
      await until(page, "staged-pack", /network:api\.example\.com:443[^]*secret:WEATHER_KEY/);
      expect(await accessibilityProblems(page)).toEqual([]);
      await press(see(page, "staged-pack"), "Put in place");
      await until(page, "dry-run", /It would be done/);
      await confirm(page, "to be looked at");
      await until(page, "pack-means", /waits until a person approves/);
      expect((await addressOf(page)).hash).toBe("#/packs/weather"); // the page has its address
      await until(page, "permission-diff", /secret:WEATHER_KEY/);
      await eventually(async () => {
        await press(see(page, "pack-acts"), "Approve");
        await until(page, "dry-run", /would/);
        if (/It would be done/.test(await see(page, "dry-run").innerText())) return true;
        await page.keyboard.press("Escape"); // it is still being moved into place
        return false;
      }, 500);
      expect(await see(page, "dry-run-changes").innerText()).toMatch(
        /Version\s+–\s+1\.0\.0[^]*Bytes\s+–\s+sha256:[0-9a-f]{64}/,
      );
      expect(await see(page, "dry-run").innerText()).toMatch(/5 files, [\d.]+ k?B\.[^]*\+\s+new:\s+secret:WEATHER_KEY/);
      expect(await see(page, "dry-run").innerText()).not.toContain("permission_diff"); // JSON stays behind its fold
      expect(await accessibilityProblems(page)).toEqual([]);
      await confirm(page, "it was read");
      await until(page, "pack-state", /^approved$/i);
      await until(page, "pack-history", /pack\.approved/);
      await page.reload();
      await until(page, "pack-state", /^approved$/i);
      await chromium.shut(page);
    },
  );

  it(
    "[R-5.1] bytes that change are seen on the page by themselves, with what changed; the line in the dialog does the same",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("admin");
      await at(page, "#/packs/weather");
      await until(page, "pack-state", /^approved$/i);
      const source = join(program.home, "ecosystem/weather");
      writeFileSync(
        join(source, "ecosystem.json"),
        JSON.stringify(manifest({ required_network: ["other.example.com"] })),
      );
      await until(page, "pack-state", /^modified$/i);
      await until(page, "pack-means", /not what was approved, so nothing of it runs/);
      await until(page, "diff-unseen", /Look again to see/);
      await press(see(page, "pack-acts"), "Look again");
      await confirm(page, "it changed");
      await until(page, "permission-diff", /other/);
      const diff = await see(page, "permission-diff").first().innerText();
      expect(diff).toMatch(/\+\s+new:\s+network:other\.example\.com/);
      expect(diff).toMatch(/−\s+no longer:\s+network:api\.example\.com:443/);
      await press(see(page, "pack-acts"), "Approve");
      await until(page, "dry-run", /would/);
      const line = await dialogCommand(page, "it's what was meant");
      expect(line).toBe(`rumi packs approve weather --reason 'it'\\''s what was meant'`);
      await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
      const done = program.cli(...words(line).slice(1), "--json");
      expect([done.code, done.err]).toEqual([0, ""]);
      await until(page, "pack-state", /^approved$/i);
      await chromium.shut(page);
    },
  );

  it(
    "[R-7.1] [R-7.2] a handler is found, rejected with its rest, and one that is trusted can be given",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("admin");
      await at(page, "#/packs/weather");
      await until(page, "panel-candidates", /Approve the pack first, then look again/);
      await press(panel(page, "candidates"), "Look again");
      await confirm(page, "a new pack");
      await until(page, "candidate", /fs\.read[^]*It reads files of this machine/);
      await press(see(page, "candidate"), "Reject");
      await confirm(page, "not needed yet");
      await until(page, "cooldown", /rests for (59|1 h)/);
      await until(page, "candidate", /rejected 1 times/);
      const standing = /Rejected 1 of 3 times\. Nobody can decide on it before \d{4}-[^]*Reason: not needed yet/;
      await until(page, "standing", standing);
      await until(page, "standing", /Decided by user:root|Decided by \S+, \d{4}/);
      expect(await see(page, "candidate").getByRole("button", { name: "Trust" }).count()).toBe(0);
      appendFileSync(
        join(program.home, "ecosystem/weather/share/capability_handlers/fs_read/handler.py"),
        "# another content\n",
      );
      await until(page, "pack-state", /^modified$/i);
      await ok(program, "POST", "/api/packs/weather/approve");
      await press(panel(page, "candidates"), "Look again");
      await confirm(page, "another content");
      const fresh = see(page, "candidate").filter({ hasText: "to be decided" });
      await fresh.waitFor();
      await press(fresh, "Trust");
      await confirm(page, "it was read");
      await until(page, "candidates", /installed/i);
      await chromium.shut(page);
    },
  );

  it(
    "[R-8.1] two permissions of which one is refused: each says so; what is used and never used is told apart; taken back",
    { timeout: SLOW_MS },
    async () => {
      mkdirSync(join(program.home, "flows"), { recursive: true });
      const put = (name: string, text: string): void =>
        writeFileSync(join(program.home, "flows", `${name}.flow.yaml`), `flow_id: ${name}\nphases: [main]\n${text}`);
      put("inner", "steps: [{id: a, phase: main, type: set, input: {x: 1}}]\n");
      put(
        "outer",
        "steps: [{id: a, phase: main, type: handler, owner_pack: weather, principal_id: weather, input: {permission_id: flow.run, args: {flow_id: inner}}, output: x}]\n",
      );
      const page = await open("admin");
      await at(page, "#/packs/weather");
      await until(page, "panel-grants", /It was given nothing/);
      const form = see(page, "grant-form");
      const wish = async (permission: string, config: string | null): Promise<void> => {
        await form.getByLabel("Permission").fill(permission);
        if (config !== null) await form.getByLabel("Narrowed to").fill(config);
        await press(form, "Add to the list");
      };
      await wish("secrets.get", null); // filled with what the pack asks for
      await wish("flow.run", '{"allowed_flow_ids": ["inner"]}');
      await wish("store.get", '{"nothing": []}');
      await press(page, "Give 3");
      const line = await dialogCommand(page, "as asked");
      expect(words(line).slice(0, 4)).toEqual(["rumi", "grants", "batch", "--grants"]);
      expect(JSON.parse(words(line)[4] ?? "")).toHaveLength(3);
      await confirm(page, "as asked");
      await until(page, "batch-results", /2 given, 1 refused[^]*store\.get RUMI-CAP-008/);
      const row = (id: string): Locator => see(page, "grants").locator(`[data-id="${id}"]`);
      expect(await row("secrets.get").innerText()).toMatch(/allowed_keys: WEATHER_KEY[^]*in force/i);
      await eventually(async () => /never used/.test(await row("flow.run").innerText()));
      await ok(program, "POST", "/api/flows/outer/run", {});
      await eventually(async () => /last used \d{4}/.test(await row("flow.run").innerText()), 500);
      expect(await row("secrets.get").innerText()).toMatch(/never used/);
      expect(await accessibilityProblems(page)).toEqual([]);
      await press(row("flow.run"), "Take away");
      await confirm(page, "no longer");
      await eventually(async () => (await row("flow.run").count()) === 0);
      await chromium.shut(page);
    },
  );

  it(
    "[R-6.1] [R-10.1] names are allowed, checked and taken away; a secret goes in, is aged and deleted, and is shown nowhere",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("admin");
      await at(page, "#/packs/weather");
      await until(page, "panel-network", /It reaches nothing/);
      const form = see(page, "network-form");
      expect(await form.getByLabel("Names").inputValue()).toBe("other.example.com"); // what it asks for now
      await form.getByLabel("Names").fill("localhost");
      await press(form, "Allow");
      await confirm(page, "try");
      await until(page, "refusal-code", /RUMI-NET-004/);
      await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).click();
      await form.getByLabel("Names").fill("*.example.org");
      await press(form, "Allow");
      await confirm(page, "as asked");
      await until(page, "network-grant", /in force[^]*\*\.example\.org : 443/i);
      await until(page, "network-missing", /other\.example\.com/);
      const check = see(page, "network-check");
      await check.getByLabel("Would this name").fill("api.evil.com");
      await press(check, "Check");
      await until(page, "check-told", /held back[^]*domain/i);
      await press(see(page, "network-grant"), "Take away");
      await confirm(page, "over");
      await until(page, "panel-network", /It reaches nothing/);

      await until(page, "secret", /WEATHER_KEY[^]*missing/i);
      await press(see(page, "secret"), "Set");
      await see(page, "secret-form").getByLabel("Value of WEATHER_KEY").fill(SECRET);
      await press(see(page, "secret-form"), "Set");
      expect(await dialogCommand(page, "the key")).toBe(
        "rumi secrets set --key WEATHER_KEY --value - --reason 'the key'",
      );
      await confirm(page, "the key");
      await until(page, "secret", /set[^]*0 days old/i);
      expect(await page.content()).not.toContain(SECRET);
      await until(page, "panel-secrets", /rumi secrets list/);
      await press(see(page, "secret"), "Delete");
      await until(page, "dry-run", /It would be done/);
      await confirm(page, "rotated away");
      await until(page, "secret", /missing/i);
      expect(await accessibilityProblems(page)).toEqual([]);
      await chromium.shut(page);
    },
  );

  it(
    "[R-9.1] [L-51.2] a list of libraries that cannot be installed says why; the gate's report, its bill of materials saved",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("admin");
      await at(page, "#/packs/weather");
      await until(page, "panel-libraries", /requirements\.lock/);
      await press(panel(page, "libraries"), "Look again");
      await confirm(page, "a new list");
      await until(page, "library-list", /tomli==2\.0\.1/);
      await press(see(page, "library-list"), "Install");
      await see(page, "install-form").getByLabel("Index").fill("http://127.0.0.1/simple");
      await press(see(page, "install-form"), "Install");
      await confirm(page, "needed");
      await until(page, "refusal-code", /RUMI-PIP-\d{3}/);
      await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).click();
      await press(see(page, "library-list"), "Reject");
      await confirm(page, "not from there");
      await eventually(async () => /rests for/.test(await panel(page, "libraries").innerText()));

      await until(page, "panel-supply", /The gate never looked at these bytes/);
      await press(panel(page, "supply"), "Run the gate");
      await confirm(page, "before it is used");
      await until(page, "supply-decision", /may be used/i);
      const [download] = await Promise.all([page.waitForEvent("download"), see(page, "sbom").click()]);
      expect(download.suggestedFilename()).toMatch(/^sbom-.*\.cdx\.json$/);
      await until(page, "panel-supply", /No signature counts/);
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(await overflowOf(page, 400)).toBe(0);
      await picture(page, "pack");
      await chromium.shut(page);
    },
  );

  it(
    "[G-0.5] [G-9.1] who may only look is shown no act; an operator's are those that tighten; the address alone gives nothing more",
    { timeout: SLOW_MS },
    async () => {
      await installPack(program, folder("second", { pack_id: "second", pack_identity: "local:second" }), "second");
      writeFileSync(join(program.home, "ecosystem/second/run.py"), "changed = True\n");
      const acts = async (who: string): Promise<readonly string[]> => {
        const page = await open(who, who === "viewer" ? { locale: "ja-JP" } : {});
        await at(page, "#/packs/second");
        await until(page, "pack-state", who === "viewer" ? /変更あり/ : /^modified$/i);
        await until(page, "pack-history", /pack\.modified/);
        await see(page, "rumi-line").first().waitFor();
        const found = await page.locator("main").getByRole("button").allInnerTexts();
        expect(await accessibilityProblems(page)).toEqual([]);
        expect(await page.locator("main").getByTestId("secrets").count()).toBe(who === "viewer" ? 0 : 1);
        if (who === "viewer") await picture(page, "pack-ja");
        await at(page, "#/packs");
        await see(page, "pack-row").first().waitFor();
        expect(await accessibilityProblems(page)).toEqual([]);
        expect(await overflowOf(page, 400)).toBe(0);
        if (who === "viewer") await picture(page, "packs-ja");
        for (const form of ["import-form", "upload-form"])
          expect(await see(page, form).count(), form).toBe(who === "admin" ? 1 : 0);
        await chromium.shut(page);
        return [...new Set(found.filter((text) => !["Copy", "コピー"].includes(text)))];
      };
      expect(await acts("viewer")).toEqual(["確認"]); // asking whether a name would pass changes nothing
      expect(await acts("operator")).toEqual(["Reject", "Look again", "Check", "Make", "Read again", "Run the gate"]);
      expect(await acts("admin")).toEqual(
        expect.arrayContaining(["Approve", "Reject", "Uninstall", "Allow", "Set", "Make", "Run the gate"]),
      );
      expect(chromium.complaints).toEqual([]);
    },
  );

  it(
    "[R-5.2] an uninstall tells first what goes with the pack, and the list is empty of it then",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("admin");
      await at(page, "#/packs/weather");
      await press(see(page, "pack-acts"), "Uninstall");
      await until(page, "dry-run", /It would be done[^]*secrets\.get/);
      await page.keyboard.press("Escape"); // the keyboard leaves it, and nothing is done
      await until(page, "pack-state", /^approved$/i);
      await press(see(page, "pack-acts"), "Uninstall");
      await confirm(page, "it served its time");
      await eventually(async () => (await addressOf(page)).hash === "#/packs");
      await eventually(async () => (await page.locator('[data-testid="pack-row"][data-id="weather"]').count()) === 0);
      await chromium.shut(page);
    },
  );
});
