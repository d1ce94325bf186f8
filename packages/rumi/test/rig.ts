/** Bots, venues and packs for tests of the whole program, made through its public API only. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket } from "@rumi/venues";
import { eventually, processesNaming, ROOT, type Program } from "./program.ts";

export const DEFAULT_PACK = join(ROOT, "packs/default");
export const HOSTILE_PACK = join(ROOT, "packs/hostile");

export type Data = { readonly [name: string]: unknown };
export type Instance = Data & {
  readonly run_id: string;
  readonly phase: string;
  readonly epoch: number;
  readonly cursor: number;
  readonly events_total: number;
  readonly failure: {
    readonly error_code: string;
    readonly reason_code: string | null;
    readonly error: string;
    readonly suggestion: string;
  } | null;
};
export type Bot = Data & {
  readonly bot_id: string;
  readonly state: string;
  readonly status: { readonly run_id: string | null; readonly reason: string };
  readonly instances: readonly Instance[];
};
export type Strategy = {
  readonly pack_id: string;
  readonly strategy_id: string;
  readonly strategy_version: string;
  readonly digest: string;
};
export type Fill = {
  readonly run_id: string;
  readonly seq: number;
  readonly client_order_id: string | null;
  readonly fill: Data;
};
export type Intent = {
  readonly run_id: string;
  readonly seq: number;
  readonly client_order_id: string | null;
  readonly idempotency_key: string;
  readonly verdict: string;
  readonly intent: Data;
};

/** The answer's data; anything else than success ends the test with the refusal's text. */
export async function ok(program: Program, method: string, path: string, body?: unknown): Promise<Data> {
  const answer = await program.call(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return (answer.body as { readonly data?: Data }).data ?? {};
}

/** Asks for something dangerous and confirms what is asked back; the data of what was then done. */
export async function okConfirmed(program: Program, path: string, body: Data): Promise<Data> {
  const asked = await program.call("POST", path, body);
  const { challenge } = asked.body as { readonly challenge?: Data };
  if (asked.status !== 409 || challenge === undefined)
    throw new Error(`${path} asked for no confirmation: ${asked.status} ${JSON.stringify(asked.body)}`);
  const { challenge_id, intent_hash, phrase } = challenge;
  const confirm = `/api/challenges/${String(challenge_id)}/confirm`;
  return ok(program, "POST", confirm, { intent_hash, phrase, reason: "meant" });
}

export type Person = { readonly id: string; readonly token: string };

/** A principal with a token of its own. */
export async function makePerson(program: Program, name: string, roles: readonly string[]): Promise<Person> {
  const { user_id } = await ok(program, "POST", "/api/users", { display_name: name, roles, reason: "test" });
  const { token } = await ok(program, "POST", `/api/users/${String(user_id)}/tokens`, { reason: "test" });
  return { id: String(user_id), token: String(token) };
}

/** People by their names, each with one role. */
export async function makePeople(
  program: Program,
  roles: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, Person>> {
  const people = new Map<string, Person>();
  for (const [name, role] of Object.entries(roles)) people.set(name, await makePerson(program, name, [role]));
  return people;
}

/** Imports, applies and approves a folder; the approved digest. */
export async function installPack(program: Program, folder = DEFAULT_PACK, pack_id = "default"): Promise<string> {
  const { staging_id } = await ok(program, "POST", "/api/packs/import", { path: folder });
  await ok(program, "POST", "/api/packs/apply", { staging_id });
  const approved = await eventually(async () => {
    const answer = await program.call("POST", `/api/packs/${pack_id}/approve`);
    if (answer.status === 409) return false; // it is still being moved into place
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
    return (answer.body as { readonly data?: Data }).data ?? {};
  });
  return String(approved["approved_digest"]);
}

/** Writes a generated recording of `trades` trades into the home; its path. */
export function writeRecording(home: string, trades: number, name = "DEMO.csv"): string {
  const market = generateMarket({ ...DEMO_MARKET, trades });
  if (!market.ok) throw new Error(market.error.code);
  const path = join(home, "recordings", name);
  mkdirSync(join(home, "recordings"), { recursive: true });
  writeFileSync(path, encodeAggTrades(market.value, DEMO_INSTRUMENT));
  return path;
}

/** Six recorded hours at `factor` times their pace (`max`: as fast as it goes). */
export async function addVenue(
  program: Program,
  options: { readonly path: string; readonly factor: number | "max"; readonly venue_id?: string },
): Promise<void> {
  const { path, factor, venue_id = "SIM" } = options;
  await ok(program, "POST", "/api/venues", {
    command_id: crypto.randomUUID(),
    venue_id,
    kind: "recording",
    reason: "a market",
    files: [{ path, format: "binance_agg_trades", instrument: DEMO_INSTRUMENT }],
    pace: factor === "max" ? { kind: "max" } : { kind: "multiple", factor },
    fees: { maker_ppm: 20, taker_ppm: 50 },
    latency: { base_us: 20_000, jitter_us: 10_000 },
    seed: "test",
  });
}

const CONFIGS: Readonly<Record<string, Data>> = {
  ema_cross: { order_quantity: "1", fast_trades: 10, slow_trades: 40 },
  ema_cross_typescript: { order_quantity: "1", fast_trades: 10, slow_trades: 40 },
  mean_reversion: { order_quantity: "1" },
};

export function botRequest(bot_id: string, strategy: Strategy, more: Data = {}): Data {
  return {
    command_id: crypto.randomUUID(),
    bot_id,
    display_name: bot_id,
    strategy,
    venue: "SIM",
    instruments: [DEMO_INSTRUMENT.instrument_id],
    config: CONFIGS[strategy.strategy_id] ?? {},
    capital: "10000",
    runbook: "docs/runbooks/bots.md",
    reason: "trades a recorded market by its averages",
    ...more,
  };
}

export async function createBot(
  program: Program,
  bot_id: string,
  strategy_id: string,
  digest: string,
  more: Data = {},
): Promise<void> {
  await ok(
    program,
    "POST",
    "/api/bots",
    botRequest(bot_id, { pack_id: "default", strategy_id, strategy_version: "1.0.0", digest }, more),
  );
}

export function transition(bot_id: string, from: string, to: string, command_id: string = crypto.randomUUID()): Data {
  return {
    command_id,
    target: { bot_id },
    requested_transition: { from, to },
    reason: `${from} → ${to}`,
    trace_id: crypto.randomUUID(),
    run_id: crypto.randomUUID(),
    schema_version: 1,
  };
}

export async function move(program: Program, bot_id: string, to: string): Promise<void> {
  await ok(program, "POST", "/api/commands", transition(bot_id, (await bot(program, bot_id)).state, to));
}

export const bot = async (program: Program, bot_id: string): Promise<Bot> =>
  (await ok(program, "GET", `/api/bots/${bot_id}`)) as Bot;
export const instance = async (program: Program, bot_id: string): Promise<Instance | undefined> =>
  (await bot(program, bot_id)).instances[0];

/** Starts a bot on paper and waits until it runs; ends the test with its failure when it does not. */
export async function startBot(program: Program, bot_id: string): Promise<void> {
  await move(program, bot_id, "RUNNING_PAPER");
  await eventually(async () => {
    const now = await bot(program, bot_id);
    if (now.state === "ERROR") throw new Error(`${bot_id}: ${JSON.stringify(now.instances[0]?.failure)}`);
    return ["running", "feed_ended"].includes(now.instances[0]?.phase ?? "");
  });
}

export async function stopBot(program: Program, bot_id: string): Promise<void> {
  await move(program, bot_id, "STOPPING");
  await untilState(program, bot_id, "IDLE");
}

export const untilState = (program: Program, bot_id: string, state: string): Promise<Bot> =>
  eventually(async () => {
    const now = await bot(program, bot_id);
    return now.state === state && now;
  });

/** Waits until the bot has seen its whole recording. */
export const untilFeedEnds = (program: Program, bot_id: string): Promise<true> =>
  eventually(async () => (await instance(program, bot_id))?.phase === "feed_ended");

/** Every page of a list, oldest first. */
async function all<T>(
  program: Program,
  path: string,
  name: string,
  query: Readonly<Record<string, string>>,
): Promise<readonly T[]> {
  const found: T[] = [];
  for (let cursor: string | null = null; ;) {
    const page = await ok(
      program,
      "GET",
      `${path}?${new URLSearchParams({ ...query, limit: "200", ...(cursor === null ? {} : { cursor }) }).toString()}`,
    );
    found.push(...(page[name] as T[]));
    cursor = page["next_cursor"] as string | null;
    if (cursor === null) return found.reverse();
  }
}
export const fills = (program: Program, bot_id: string): Promise<readonly Fill[]> =>
  all(program, "/api/fills", "fills", { bot_id });
export const intents = (program: Program, bot_id: string): Promise<readonly Intent[]> =>
  all(program, "/api/intents", "intents", { bot_id });
export type LoggedEvent = Data & {
  readonly event_id: string;
  readonly log_index: number;
  readonly action: string;
  readonly resource_id: string;
};
export const auditEvents = (
  program: Program,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly LoggedEvent[]> => all(program, "/api/audit/events", "events", query);

/** What a fill or an intent says, without what may differ between two lives of the same run. */
export const fillWords = ({ fill }: Fill): string =>
  ["side", "quantity", "price", "fee", "event_time_us", "liquidity"]
    .map((name) => `${name}=${String(fill[name])}`)
    .join(" ");
export const intentWords = ({ intent, verdict }: Intent): string =>
  `${verdict} ${["kind", "side", "quantity", "price", "instrument_id"].map((name) => String(intent[name])).join(" ")}`;

/** Process ids of living runners of this home. */
export const runnerPids = (home: string): readonly number[] =>
  processesNaming(join(home, "user_data/settings/.runner_key"));
