/** `rumi strategy new`: a pack folder that builds, passes its test and can be imported as it stands. */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket } from "@rumi/venues";
import { FACTS, type Language } from "./languages.ts";
import { CASE_FILE, type StrategyCase } from "./case.ts";

export type Scaffold = { readonly folder: string; readonly source: string; readonly guide: string };

/** Trades in a new pack's recording: enough to blink a dozen times. */
const CASE_TRADES = 1_200;

export function newStrategy(
  name: string,
  language: Language,
  parent: string,
  templates: string,
): Result<Scaffold, Failure> {
  const folder = resolve(parent, name);
  const refused = (field: string, problem: string): Result<never, Failure> =>
    err(failure("RUMI-VAL-002", { field, problem }));
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(name)) return refused("name", "must be lower-case letters, digits, _ and -");
  if (existsSync(folder)) return refused("name", `${folder} is there already`);
  const facts = FACTS[language];
  const market = generateMarket({ ...DEMO_MARKET, trades: CASE_TRADES, session_us: 3_600_000_000 });
  if (!market.ok) return market;
  mkdirSync(join(folder, "test"), { recursive: true });
  cpSync(join(templates, language), folder, { recursive: true });
  writeFileSync(join(folder, "ecosystem.json"), `${JSON.stringify(manifest(name, language), null, 2)}\n`);
  writeFileSync(join(folder, "test/trades.csv"), encodeAggTrades(market.value, DEMO_INSTRUMENT));
  const test: StrategyCase = {
    strategy_id: name,
    recording: "trades.csv",
    instrument: DEMO_INSTRUMENT.instrument_id,
    config: { order_quantity: "1" },
    expected: null,
  };
  writeFileSync(join(folder, CASE_FILE), `${JSON.stringify(test, null, 2)}\n`);
  const words: Readonly<Record<string, string>> = {
    NAME: name,
    LANG: language,
    SOURCE: facts.source,
    ENTRYPOINT: facts.entrypoint,
    GUIDE: facts.guide,
    PATH: name,
  };
  const readme = readFileSync(join(templates, "common/README.md"), "utf8");
  writeFileSync(
    join(folder, "README.md"),
    readme.replaceAll(/\b(NAME|LANG|SOURCE|ENTRYPOINT|GUIDE|PATH)\b/g, (word) => words[word] ?? word),
  );
  return ok({ folder, source: join(folder, facts.source), guide: facts.guide });
}

function manifest(name: string, language: Language): object {
  const { runtime_kind, entrypoint, resources } = FACTS[language];
  return {
    pack_id: name,
    pack_identity: `me:${name}`,
    version: "0.1.0",
    vocabulary: { types: ["strategy"] },
    strategies: [
      {
        strategy_id: name,
        strategy_version: "0.1.0",
        runtime_kind,
        instance_model: "single",
        entrypoint,
        capabilities: {
          subscribe: ["trade"],
          order_types: ["market"],
          venues: ["*"],
          instruments: ["*"],
          external_services: [],
          lane: runtime_kind === "rust_wasm" || runtime_kind === "typescript" ? "ll" : "compute",
        },
        resources: {
          ...resources,
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
        config_schema: {
          order_quantity: {
            type: "decimal",
            description: "Quantity held while in, base currency.",
            minimum: "0.001",
            maximum: "1000",
            required: true,
          },
        },
        io_contracts: { abi: 1, events: 1, intents: 1 },
        binary_hash: "",
      },
    ],
  };
}
