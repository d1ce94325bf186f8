/** Recordings that hold no trade: a strategy of one's own trades on klines, candles, quotes and books, tested and on paper. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it, vi } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cli, eventually, startProgram } from "./program.ts";

vi.setConfig({ testTimeout: 180_000 });

const STRATEGY = `"""In for ten events, out for ten, whatever their kind."""
import rumi_sdk as rumi


class Kinds(rumi.Strategy):
    STATE_VERSION = 1

    def on_init(self, ctx, config, restored):
        self.risk = rumi.RiskContext(
            max_slippage_bps=50, max_latency_us=1_000_000, expected_holding_us=60_000_000,
            budget=rumi.parse_decimal("100000", rumi.MONEY_DIGITS),
        )
        self.seen = int.from_bytes(restored[1], "little") if restored is not None else 0

    def on_event(self, ctx, event):
        if not isinstance(event, (rumi.BarEvent, rumi.QuoteEvent, rumi.BookEvent)):
            return
        self.seen += 1
        if self.seen % 10 == 0:
            ctx.position(self.risk, 1 if self.seen // 10 % 2 == 1 else 0)

    def save_state(self):
        return self.seen.to_bytes(8, "little")
`;
const MANIFEST = {
  pack_id: "kinds",
  pack_identity: "me:kinds",
  version: "0.1.0",
  vocabulary: { types: ["strategy"] },
  strategies: [
    {
      strategy_id: "kinds",
      strategy_version: "0.1.0",
      runtime_kind: "python",
      instance_model: "single",
      entrypoint: "kinds.py",
      capabilities: {
        subscribe: ["quote", "bar", "book"],
        order_types: ["market"],
        venues: ["*"],
        instruments: ["*"],
        external_services: [],
        lane: "compute",
      },
      resources: {
        event_timeout_ms: 1_000,
        fuel_per_event: 1,
        memory_bytes: 268_435_456,
        threads: 1,
        cpu: 0.5,
        queue_events: 1_024,
        intents_per_event: 1,
        intents_per_second: 10,
        log_bytes_per_second: 4_096,
        log_bytes_per_run: 65_536,
        state_bytes: 1_024,
      },
      state_schema_version: 1,
      config_schema: {},
      io_contracts: { abi: 1, events: 1, intents: 1 },
      binary_hash: "",
    },
  ],
};

const ROWS = 120;
const AT = 1_767_603_600_000;
const TARDIS = "exchange,symbol,timestamp,local_timestamp";
const each = (line: (i: number, price: string) => string): string[] =>
  Array.from({ length: ROWS }, (_, i) => line(i, `${100 + (i % 7)}.5`));
const RECORDINGS: Readonly<Record<string, string | Uint8Array>> = {
  "DEMO-1m.csv": each(
    (i, p) => `${AT + i * 60_000},${p},110.0,90.0,${p},50,${AT + i * 60_000 + 59_999},1,3,1,1,0`,
  ).join("\n"),
  "DEMO_USD-1m.json": `[${each((i, p) => `[${AT + i * 60_000}, ${p}, 110.0, 90.0, ${p}, 50.0]`).join(",")}]`,
  "quotes.csv.gz": gzipSync(
    [
      `${TARDIS},ask_amount,ask_price,bid_price,bid_amount`,
      ...each((i, p) => `x,DEMO,${AT + i * 100}000,${AT + i * 100}500,9,${p},99.0,9`),
    ].join("\n"),
  ),
  "book.csv": [
    `${TARDIS},is_snapshot,side,price,amount`,
    `x,DEMO,${AT}000,${AT}500,true,bid,99.0,9`,
    ...each((i, p) => `x,DEMO,${AT + i * 100}000,${AT + i * 100}500,${i === 0},ask,${p},9`),
  ].join("\n"),
};

it.runIf(requires("python3") && requires("bubblewrap"))(
  "[M-4.1.1] [M-11.2] a bot trades on klines, candles, quotes and a book alone: backtested, and on paper with its own reactions to flaws",
  async () => {
    const folder = temporaryFolder();
    const pack = join(folder.path, "kinds");
    mkdirSync(pack);
    writeFileSync(join(pack, "kinds.py"), STRATEGY);
    writeFileSync(join(pack, "ecosystem.json"), JSON.stringify(MANIFEST));
    const home = join(folder.path, "home");
    const words = (...args: string[]) => {
      const done = cli(home, args);
      expect([args[0], done.code, done.code === 0 ? "" : done.out + done.err]).toEqual([args[0], 0, ""]);
      return done.out;
    };
    words("packs", "check", pack, "--write-hashes");
    for (const [name, content] of Object.entries(RECORDINGS)) {
      writeFileSync(join(folder.path, name), content);
      const tested = JSON.parse(
        words("backtest", "kinds", join(folder.path, name), "--pack", pack, "--instrument", "DEMO.SIM", "--json"),
      ) as { readonly events: number; readonly fills: number; readonly health_state: string };
      expect([name, tested.events, tested.fills >= 10, tested.health_state]).toEqual([name, ROWS, true, "healthy"]);
    }

    const program = await startProgram({ home });
    try {
      await eventually(async () => (await program.call("GET", "/health")).body["status"] === "UP");
      const staged = JSON.parse(words("packs", "import", "--path", pack, "--json")) as { data?: object };
      const found = (text: string, name: string) => new RegExp(`"${name}": ?"([^"]+)"`).exec(text)?.[1] ?? "";
      words("packs", "apply", "--staging-id", found(JSON.stringify(staged), "staging_id"));
      const digest = found(words("packs", "approve", "kinds", "--json"), "approved_digest");
      const venue = ["venues", "add", "SIM", join(folder.path, "DEMO-1m.csv"), "--instrument", "DEMO.SIM"];
      words(...venue, "--pace", "max", "--reason", "klines");
      const create = ["bots", "create", "--bot-id", "kinds", "--venue", "SIM", "--instruments", "DEMO.SIM"];
      const strategy = JSON.stringify({
        pack_id: "kinds",
        strategy_id: "kinds",
        strategy_version: "0.1.0",
        digest,
      });
      const rest = ["--strategy", strategy, "--config", "{}", "--capital", "100000", "--reason", "bars"];
      const wrong = cli(home, [...create, ...rest, "--data-quality", '{"gap":"panic"}']);
      expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("data_quality")]);
      words(...create, ...rest, "--data-quality", '{"gap":"no_trade","stale":"limit_only"}');
      words("bots", "start", "kinds", "--reason", "let it trade");
      const fills = await eventually(async () => {
        const { body } = await program.call("GET", "/api/fills?bot_id=kinds&limit=200");
        const count = (body["data"] as { readonly count?: number } | undefined)?.count ?? 0;
        return count >= 10 && count;
      });
      expect(fills).toBeGreaterThanOrEqual(10);
    } finally {
      await program.stop();
      folder.remove();
    }
  },
);
