/** The setup tool in a real browser: the same verbs as on the command line, from an empty folder to a console that is open. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { openConsole } from "./browser.ts";
import { cli, eventually, ROOT } from "./program.ts";

const SLOW_MS = 360_000;
let folder: ReturnType<typeof temporaryFolder>;
let tool: ChildProcess | undefined;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  if (tool !== undefined && tool.exitCode === null) {
    tool.kill("SIGTERM");
    await once(tool, "exit");
  }
  folder.remove();
}, SLOW_MS);

const environment = (): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: folder.path,
  RUMI_HOME: folder.path,
  RUMI_API_PORT: "0",
});

/** Where it says that it is, without the key; and the key. */
async function serve(): Promise<{ readonly url: string; readonly key: string }> {
  tool = spawn(process.execPath, [join(ROOT, "bin/rumi"), "setup", "--web", "--port", "0"], {
    env: environment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  tool.stdout?.on("data", (data: Buffer) => (said += data.toString()));
  const [, url = "", key = ""] = await eventually(() => /Open (http:\S+)\/#(\S+)/.exec(said) ?? undefined);
  return { url, key };
}

type Answered = { readonly status: number; readonly text: string };
const ask = (url: string, method: string, path: string, headers: Record<string, string>): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const asked = request(new URL(path, url), { method, headers }, (answer) => {
      let text = "";
      answer.on("data", (data: Buffer) => (text += data.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.on("error", reject);
    asked.end();
  });

describe("[R-1.1] the setup tool in the browser", () => {
  it(
    "does nothing without its key, answers to no other name, and knows no other verb",
    async () => {
      const { url, key } = await serve();
      const good = { authorization: `Bearer ${key}` };
      expect((await ask(url, "POST", "/do/init", {})).status).toBe(401);
      expect((await ask(url, "POST", "/do/init", { authorization: `Bearer ${key}x` })).status).toBe(401);
      const stranger = await ask(url, "POST", "/do/init", { ...good, host: "rebound.example:8080" });
      expect([stranger.status, stranger.text]).toEqual([421, expect.stringContaining("RUMI-SYS-010")]);
      expect((await ask(url, "GET", "/", { host: "rebound.example" })).status).toBe(421);
      expect((await ask(url, "GET", "/do/init", good)).status).toBe(404);
      expect((await ask(url, "POST", "/do/erase", good)).status).toBe(404);
      expect((await ask(url, "POST", "/do/constructor", good)).status).toBe(404);
      expect(existsSync(join(folder.path, "user_data")), "nothing was made").toBe(false);
      const page = await ask(url, "GET", "/", {});
      expect([page.status, page.text.includes(key)]).toEqual([200, false]);
    },
    SLOW_MS,
  );

  it(
    "a port that is taken or none is refused",
    async () => {
      const holder = createServer().listen(0, "127.0.0.1");
      await once(holder, "listening");
      const { port } = holder.address() as AddressInfo;
      const taken = cli(folder.path, ["setup", "--web", "--port", String(port)]);
      expect([taken.code, taken.err]).toEqual([1, expect.stringContaining("RUMI-SYS-007")]);
      holder.close();
      expect(cli(folder.path, ["setup", "--web", "--port", "70000"]).code).toBe(1);
      expect(cli(folder.path, ["setup", "--port", "9000"]).code).toBe(2);
    },
    SLOW_MS,
  );

  it.runIf(requires("chromium"))(
    "from an empty folder: check, init with the default pack, recover, run, and the console opens; twice is harmless",
    async () => {
      const { url, key } = await serve();
      const browser = await openConsole({ url, token: "" });
      const page = await browser.open({ hash: `#${key}` });
      expect(page.url(), "the key does not stay in the address").toBe(`${url}/`);
      const result = page.locator("#result");
      const press = async (verb: string): Promise<void> => {
        await page.locator(`button[data-verb=${verb}]`).click();
        await eventually(async () => (await page.locator("button:disabled").count()) === 0);
      };
      const state = (name: string): Promise<string> => result.locator(`tr[data-name="${name}"] .state`).innerText();

      await press("check");
      expect(await state("node")).toBe("ok");
      await press("recover");
      expect(await state("home")).toBe("skipped");
      await page.locator("#default-pack").check();
      await press("init");
      expect([await state("home"), await state("default pack")]).toEqual(["done", "done"]);
      await press("init");
      expect([await state("home"), await state("default pack")]).toEqual(["already", "already"]);
      await press("run");
      const link = (await result.locator("a").getAttribute("href")) ?? "";
      const note = join(folder.path, "user_data/settings/running.json");
      const running = JSON.parse(readFileSync(note, "utf8")) as { readonly url: string };
      expect(link.startsWith(running.url)).toBe(true);
      await press("run");
      expect(await result.locator("a").getAttribute("href"), "the same program").toBe(link);
      await press("recover");
      expect(await result.innerText()).toContain("RUMI-SYS-005");
      await page.goto(link);
      await eventually(async () => (await page.locator("body").innerText()).includes("Rumi"));
      expect(browser.complaints).toEqual([]);
      await browser.close();

      tool?.kill("SIGINT");
      const [code] = (await once(tool as ChildProcess, "exit")) as unknown as [number | null];
      expect([code, existsSync(note)], "the program ended in order with the tool").toEqual([0, false]);
    },
    SLOW_MS,
  );

  it.runIf(requires("chromium"))(
    "speaks Japanese, and says so when it is gone",
    async () => {
      const { url, key } = await serve();
      const browser = await openConsole({ url, token: "" });
      const page = await browser.open({ hash: `#${key}`, locale: "ja-JP" });
      expect(await page.locator("h1").innerText()).toContain("セットアップ");
      tool?.kill("SIGTERM");
      await once(tool as ChildProcess, "exit");
      await page.locator("button[data-verb=check]").click();
      await eventually(async () => (await page.locator("#result").innerText()).includes("応答しません"));
      await browser.close();
    },
    SLOW_MS,
  );
});
