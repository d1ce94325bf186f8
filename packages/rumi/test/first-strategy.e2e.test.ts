/** docs/first-strategy.md, done as it says: its files, its commands, in its order. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket } from "@rumi/venues";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cliIn, eventually, ROOT, startProgram } from "./program.ts";

vi.setConfig({ testTimeout: 180_000 });

const page = readFileSync(join(ROOT, "docs/first-strategy.md"), "utf8");

function block(info: string): string {
  const found = new RegExp(`\`\`\`${info}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`the page has no block ${info}`);
  return found;
}

/** Every `rumi …` line of the page, in order, without its comment. */
const commands = [...page.matchAll(/^rumi (.+?)(?:\s{2,}#.*)?$/gm)].map((match) => match[1] ?? "");

it.runIf(requires("python3") && requires("bubblewrap"))(
  "[M-0.1] a strategy of one's own: written, checked, backtested, approved, trading on paper; no line of the host changed",
  async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder.path, "my_pack"));
    writeFileSync(join(folder.path, "my_pack/blinker.py"), block("python blinker.py"));
    writeFileSync(join(folder.path, "my_pack/ecosystem.json"), block("json ecosystem.json"));
    const market = generateMarket({ ...DEMO_MARKET, trades: 3_000, session_us: 3_600_000_000 });
    if (!market.ok) throw new Error(market.error.code);
    writeFileSync(join(folder.path, "trades.csv"), encodeAggTrades(market.value, DEMO_INSTRUMENT));
    const program = await startProgram({ home: join(folder.path, "home") });
    try {
      await eventually(async () => (await program.call("GET", "/health")).body["status"] === "UP");
      const found: Record<string, string> = {};
      for (const command of commands) {
        const line = command
          .replace("STAGING_ID", found["staging_id"] ?? "?")
          .replace("APPROVED_DIGEST", found["approved_digest"] ?? "?")
          .replace("$PWD", folder.path);
        if (line.startsWith("fills list")) {
          await eventually(
            async () =>
              ((await program.call("GET", "/api/fills?bot_id=blinker&limit=200")).body["data"]?.["count"] ?? 0) >= 4,
          );
        }
        const done = cliIn(folder.path, program.home, line);
        expect([line, done.code, done.code === 0 ? "" : done.err]).toEqual([line, 0, ""]);
        if (line.startsWith("backtest")) expect(done.out).toMatch(/fills: [1-9]/);
        for (const name of ["staging_id", "approved_digest"])
          found[name] = new RegExp(`"${name}": "([^"]+)"`).exec(done.out)?.[1] ?? found[name] ?? "";
      }
      const state = await eventually(async () => {
        const bot = (await program.call("GET", "/api/bots/blinker")).body["data"] as
          | { readonly state: string }
          | undefined;
        return bot?.state === "IDLE" && bot.state;
      });
      expect(state).toBe("IDLE");
      expect(commands.length).toBeGreaterThan(8);
      // One changed byte, and the next start is refused by name.
      writeFileSync(join(program.home, "ecosystem/my_pack/blinker.py"), `${block("python blinker.py")}# changed\n`);
      const refused = cliIn(folder.path, program.home, 'bots start blinker --reason "again"');
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("RUMI-PACK-007")]);
    } finally {
      await program.stop();
      folder.remove();
    }
  },
);
