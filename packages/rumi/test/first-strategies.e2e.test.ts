/** docs/first-strategy-LANGUAGE.md, each done as it says: its commands, in its order, by somebody who has only the page. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cliIn, eventually, ROOT, startProgram } from "./program.ts";

vi.setConfig({ testTimeout: 240_000 });

const PAGES = [
  { page: "rust", bot: "blinker", template: "rust/src/lib.rs", needs: ["rust-wasm"] },
  { page: "typescript", bot: "blinker", template: "typescript/src/strategy.ts", needs: [] },
  { page: "python", bot: "blinker", template: "python/strategy.py", needs: ["python3", "bubblewrap"] },
  { page: "rust-native", bot: "blinker", template: "rust-native/src/main.rs", needs: ["rust-wasm", "bubblewrap"] },
] as const;

describe.each(PAGES)("first strategy: $page", ({ page, bot, template, needs }) => {
  const text = readFileSync(join(ROOT, `docs/first-strategy-${page}.md`), "utf8");
  const commands = [...text.matchAll(/^rumi (.+?)(?:\s{2,}#.*)?$/gm)].map((match) => match[1] ?? "");
  const able = needs.every((need) => requires(need));

  it("shows the source that the scaffold writes", () => {
    expect(text).toContain(readFileSync(join(ROOT, "sdk/templates", template), "utf8"));
  });

  it.runIf(able)(
    "[M-0.1] [M-15.2] scaffold, build, test, backtest, import, approve, paper run: following only the page",
    async () => {
      const folder = temporaryFolder();
      const program = await startProgram({ home: join(folder.path, "home") });
      try {
        await eventually(async () => (await program.call("GET", "/health")).body["status"] === "UP");
        const found: Record<string, string> = {};
        for (const command of commands) {
          const line = command
            .replace("STAGING_ID", found["staging_id"] ?? "?")
            .replace("APPROVED_DIGEST", found["approved_digest"] ?? "?");
          if (line.startsWith("fills list")) {
            await eventually(async () => {
              const fills = await program.call("GET", `/api/fills?bot_id=${bot}&limit=200`);
              return (fills.body["data"]?.["count"] ?? 0) >= 4;
            });
          }
          const done = cliIn(folder.path, program.home, line);
          expect([line, done.code, done.code === 0 ? "" : done.err]).toEqual([line, 0, ""]);
          if (line.startsWith("backtest")) expect(done.out).toMatch(/fills: [1-9]/);
          for (const name of ["staging_id", "approved_digest"])
            found[name] = new RegExp(`"${name}": "([^"]+)"`).exec(done.out)?.[1] ?? found[name] ?? "";
        }
        await eventually(async () => {
          const now = (await program.call("GET", `/api/bots/${bot}`)).body["data"] as
            | { readonly state: string }
            | undefined;
          return now?.state === "IDLE";
        });
        expect(commands.length).toBeGreaterThan(11);
      } finally {
        await program.stop();
        folder.remove();
      }
    },
  );
});

describe("rumi strategy", () => {
  it("refuses what it cannot make or build, by code", () => {
    const folder = temporaryFolder();
    const home = join(folder.path, "home");
    const said = (line: string): string => {
      const done = cliIn(folder.path, home, `strategy ${line}`);
      return `${done.code} ${/RUMI-[A-Z]+-\d+/.exec(done.err)?.[0] ?? done.err}`;
    };
    try {
      expect(said("new Mine --lang python")).toBe("1 RUMI-VAL-002");
      expect(said("new mine --lang cobol")).toMatch(/^2 /);
      expect(said("new mine --lang typescript")).toMatch(/^0 /);
      expect(said("new mine --lang typescript")).toBe("1 RUMI-VAL-002");
      expect(said("build nowhere")).toBe("1 RUMI-VAL-006");
      const unbuilt = cliIn(folder.path, home, "strategy test mine");
      expect([unbuilt.code, unbuilt.err]).toEqual([1, expect.stringContaining("`rumi strategy build`")]);
      expect(said("build mine")).toMatch(/^0 /);
      expect(said("test mine")).toBe("1 RUMI-STR-069");
      expect(said("test mine --write")).toMatch(/^0 /);
      // Another behaviour is seen, and a source that does not build is told in the compiler's words.
      const edit = (from: string, to: string): string =>
        `sed -i 's/${from}/${to}/' mine/src/strategy.ts; "${process.execPath}" "${join(ROOT, "bin/rumi")}" strategy`;
      const edited = cliIn(folder.path, home, `--version; ${edit("% 50", "% 40")} build mine`);
      expect(edited.code).toBe(0);
      expect(said("test mine")).toBe("1 RUMI-STR-069");
      // What it said when it broke is told where it is tried, not its status alone.
      cliIn(
        folder.path,
        home,
        `--version; ${edit("this.seen += 1;", 'this.seen += 1; if (this.seen === 9) throw new Error("boom at nine");')} build mine`,
      );
      const thrown = cliIn(folder.path, home, "strategy test mine");
      expect([thrown.code, thrown.err]).toEqual([
        1,
        expect.stringMatching(/RUMI-STR-069[\s\S]*halted: M\.STRATEGY\.STATUS_9[\s\S]*on_event[\s\S]*boom at nine/),
      ]);
      const tried = cliIn(
        folder.path,
        home,
        'backtest mine mine/test/trades.csv --instrument DEMO.SIM --pack mine --config \'{"order_quantity":"1"}\'',
      );
      expect([tried.code, tried.out]).toEqual([0, expect.stringContaining("boom at nine")]);
      cliIn(folder.path, home, `--version; ${edit("class Blinker", "class { Blinker")} --help`);
      const broken = cliIn(folder.path, home, "strategy build mine");
      expect([broken.code, broken.err]).toEqual([1, expect.stringMatching(/RUMI-STR-068[\s\S]*strategy\.ts/)]);
    } finally {
      folder.remove();
    }
  });
});
