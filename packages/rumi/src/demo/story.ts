/**
 * The demo's story, told through the public API only: whatever it does, anybody with the token can do.
 *
 * A demo that was cut off is continued: what exists already is used, and bots whose process is gone are started
 * again from their checkpoints by an explicit command.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { millis, type Clock, type Result } from "@rumi/kernel";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket } from "@rumi/venues";
import { newCommandId, type ApiClient, type ApiError } from "../cli/client.ts";
import { sendTransition, showBot, type BotView } from "../cli/transition.ts";
import type { Narrator } from "./narrator.ts";

/** Recorded time × this; six hours pass in three minutes. */
const PACE_FACTOR = 120;
const VENUE_ID = "SIM";
const PACK_ID = "default";
const START_WAIT_MS = 60_000;
const STOP_WAIT_MS = 30_000;
/** A lease runs for 20 s; then a runner that was not heard is gone. */
const SETTLE_WAIT_MS = 30_000;
const POLL_MS = 100;

export type DemoBot = {
  readonly bot_id: string;
  readonly display_name: string;
  readonly strategy_id: string;
  readonly language: string;
  readonly config: Readonly<Record<string, unknown>>;
};

export const DEMO_BOTS: readonly DemoBot[] = [
  {
    bot_id: "ema-cross",
    display_name: "EMA cross (Rust → Wasm)",
    strategy_id: "ema_cross",
    language: "Rust → Wasm",
    config: { order_quantity: "1", fast_trades: 50, slow_trades: 200 },
  },
  {
    bot_id: "mean-reversion",
    display_name: "Mean reversion (Python)",
    strategy_id: "mean_reversion",
    language: "Python",
    config: { order_quantity: "1" },
  },
];

type PackView = {
  readonly pack_id: string;
  readonly state: string;
  readonly approved_digest: string | null;
  readonly strategies: readonly { readonly strategy_id: string; readonly strategy_version: string }[];
};

export type Story = {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly narrator: Narrator;
  readonly home: string;
  /** Folder of the pack that comes with the program. */
  readonly pack_folder: string;
};

/** Sets everything up and starts both bots; false when something that must work was refused. */
export async function tellStory(story: Story): Promise<boolean> {
  const pack = await approvedPack(story);
  if (pack === undefined) return false;
  if (!(await registeredVenue(story))) return false;
  await runnerReady(story);
  let started = 0;
  for (const bot of DEMO_BOTS) if ((await createdBot(story, bot, pack)) && (await startedBot(story, bot))) started += 1;
  return started > 0;
}

/** The runner is a process of its own and may take a moment longer than the program; a start before it is there is refused. */
async function runnerReady({ client, clock }: Story): Promise<void> {
  for (let waited = 0; waited < START_WAIT_MS; waited += POLL_MS) {
    const answer = await client.data<{ readonly runners: readonly { readonly state: string }[] }>({
      method: "GET",
      path: "/api/runners",
    });
    if (answer.ok && answer.value.runners.some((runner) => runner.state === "connected")) return;
    await clock.sleep(millis(POLL_MS));
  }
}

async function approvedPack(story: Story): Promise<PackView | undefined> {
  const { client, narrator, pack_folder } = story;
  const known = await client.data<PackView>({ method: "GET", path: `/api/packs/${PACK_ID}/status` });
  if (!known.ok || known.value.state === "modified") {
    narrator.step(`Import the default pack        POST /api/packs/import {"path": "${pack_folder}"}`);
    const imported = await client.data<{
      readonly staging_id: string;
      readonly digest: string;
      readonly files: number;
    }>({ method: "POST", path: "/api/packs/import", body: { path: pack_folder } });
    if (!imported.ok) return refused(story, imported);
    narrator.detail(`${imported.value.files} files, digest ${imported.value.digest}`);
    narrator.step("Put it in place                POST /api/packs/apply");
    const applied = await client.data({
      method: "POST",
      path: "/api/packs/apply",
      body: { staging_id: imported.value.staging_id },
    });
    if (!applied.ok) return refused(story, applied);
  }
  if (!known.ok || known.value.state !== "approved") {
    narrator.step(`Approve exactly these bytes    POST /api/packs/${PACK_ID}/approve`);
    const approved = await retried(story, () =>
      client.data<PackView>({ method: "POST", path: `/api/packs/${PACK_ID}/approve` }),
    );
    if (!approved.ok) return refused(story, approved);
    narrator.detail(`approved and pinned: ${approved.value.approved_digest ?? "?"}`);
    return approved.value;
  }
  narrator.step(`The default pack is approved   GET /api/packs/${PACK_ID}/status`);
  return known.value;
}

/** A move into place may still be under way when the approval is asked for. */
async function retried<T>({ clock }: Story, ask: () => Promise<Result<T, ApiError>>): Promise<Result<T, ApiError>> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask();
    const isBusy = !answer.ok && answer.error.kind === "refused" && answer.error.status === 409;
    if (!isBusy || attempt >= START_WAIT_MS / POLL_MS) return answer;
    await clock.sleep(millis(POLL_MS));
  }
}

async function registeredVenue(story: Story): Promise<boolean> {
  const { client, narrator, home } = story;
  const known = await client.data({ method: "GET", path: `/api/venues/${VENUE_ID}` });
  if (known.ok) return true;
  const market = generateMarket(DEMO_MARKET);
  if (!market.ok) throw new Error(`the demo market cannot be generated: ${market.error.code}`);
  const folder = join(home, "recordings");
  const path = join(folder, "DEMO-aggTrades.csv");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, encodeAggTrades(market.value, DEMO_INSTRUMENT));
  narrator.step(
    `Register a recorded market     POST /api/venues (${market.value.length} generated trades of ${DEMO_INSTRUMENT.instrument_id}, ${PACE_FACTOR}× their own pace)`,
  );
  const venue = await client.data<{
    readonly report: { readonly rows_accepted: number; readonly rows_rejected: number };
  }>({
    method: "POST",
    path: "/api/venues",
    body: {
      command_id: newCommandId(),
      venue_id: VENUE_ID,
      kind: "recording",
      files: [{ path, format: "binance_agg_trades", instrument: DEMO_INSTRUMENT }],
      pace: { kind: "multiple", factor: PACE_FACTOR },
      fees: { maker_ppm: 20, taker_ppm: 50 },
      latency: { base_us: 20_000, jitter_us: 10_000 },
      seed: "demo",
      reason: "demo: a market to trade on",
    },
  });
  if (!venue.ok) return refused(story, venue) ?? false;
  narrator.detail(`${venue.value.report.rows_accepted} rows accepted, ${venue.value.report.rows_rejected} rejected`);
  return true;
}

async function createdBot(story: Story, bot: DemoBot, pack: PackView): Promise<boolean> {
  const { client, narrator } = story;
  const known = await client.data({ method: "GET", path: `/api/bots/${bot.bot_id}` });
  if (known.ok) return true;
  const version = pack.strategies.find(({ strategy_id }) => strategy_id === bot.strategy_id)?.strategy_version ?? "?";
  narrator.step(`Create the bot ${bot.bot_id.padEnd(16)}POST /api/bots (${bot.language})`);
  const created = await client.data<BotView>({
    method: "POST",
    path: "/api/bots",
    body: {
      command_id: newCommandId(),
      bot_id: bot.bot_id,
      display_name: bot.display_name,
      strategy: {
        pack_id: PACK_ID,
        strategy_id: bot.strategy_id,
        strategy_version: version,
        digest: pack.approved_digest,
      },
      venue: VENUE_ID,
      instruments: [DEMO_INSTRUMENT.instrument_id],
      config: bot.config,
      capital: "10000",
      reason: "demo: a first bot",
    },
  });
  if (!created.ok) return refused(story, created) ?? false;
  narrator.detail(`state ${created.value.state}`);
  return true;
}

/** After a demo that was cut off: waits until its runner is heard, or is known to be gone (its lease is over). */
async function settledBot({ client, clock, narrator }: Story, bot_id: string): Promise<BotView | undefined> {
  const first = await showBot(client, bot_id);
  let now = first;
  for (
    let waited = 0;
    waited < SETTLE_WAIT_MS && (now?.state === "RUNNING_PAPER" || now?.state === "STOPPING");
    waited += POLL_MS
  ) {
    if (now.state === "RUNNING_PAPER" && now.instances[0]?.cursor !== first?.instances[0]?.cursor) return now;
    if (waited === 10 * POLL_MS)
      narrator.detail(`${bot_id} was cut off; waiting until its runner is heard or its lease is over`);
    await clock.sleep(millis(POLL_MS));
    now = await showBot(client, bot_id);
  }
  return now;
}

async function startedBot(story: Story, bot: DemoBot): Promise<boolean> {
  const { client, narrator, clock } = story;
  const before = await settledBot(story, bot.bot_id);
  if (before === undefined) return false;
  if (before.state === "RUNNING_PAPER") {
    narrator.detail(`${bot.bot_id} is still running; it was adopted with its state`);
    return true;
  }
  narrator.step(
    `Start ${bot.bot_id} in paper ${" ".repeat(Math.max(0, 16 - bot.bot_id.length))}POST /api/commands ${before.state} → RUNNING_PAPER`,
  );
  const sent = await sendTransition(client, before, "RUNNING_PAPER", "demo: trade on paper");
  if (!sent.ok) return refused(story, sent) ?? false;
  for (let waited = 0; waited < START_WAIT_MS; waited += POLL_MS) {
    const now = await client.data<
      {
        readonly instances: readonly {
          readonly phase: string;
          readonly failure?: {
            readonly error_code: string;
            readonly error: string;
            readonly suggestion: string;
          } | null;
        }[];
      } & BotView
    >({ method: "GET", path: `/api/bots/${bot.bot_id}` });
    const instance = now.ok ? now.value.instances[0] : undefined;
    if (instance?.phase === "running" || instance?.phase === "feed_ended") {
      narrator.detail(`${bot.bot_id} is running`);
      return true;
    }
    if (now.ok && now.value.state === "ERROR") {
      const why = instance?.failure;
      narrator.detail(`refused: ${why?.error_code ?? now.value.status.reason}: ${why?.error ?? ""}`);
      narrator.detail(`→ ${why?.suggestion ?? "rumi bots show " + bot.bot_id}`);
      return false;
    }
    await clock.sleep(millis(POLL_MS));
  }
  narrator.detail(
    `${bot.bot_id} did not start within ${START_WAIT_MS / 1_000} s; 'rumi bots show ${bot.bot_id}' tells why`,
  );
  return false;
}

/** Stops every bot that is not stopped and waits for the proof; the ids of those that could not be stopped. */
export async function stopBots(
  client: ApiClient,
  clock: Clock,
  onStopped: (bot_id: string) => void,
): Promise<readonly string[]> {
  const stubborn: string[] = [];
  for (const { bot_id } of DEMO_BOTS) {
    let bot = await showBot(client, bot_id);
    if (bot === undefined || bot.state === "IDLE" || bot.state === "CREATED" || bot.state === "QUARANTINED") continue;
    if (bot.state !== "STOPPING") await sendTransition(client, bot, "STOPPING", "demo: Ctrl-C");
    for (let waited = 0; waited < STOP_WAIT_MS && bot !== undefined && bot.state !== "IDLE"; waited += POLL_MS) {
      await clock.sleep(millis(POLL_MS));
      bot = await showBot(client, bot_id);
    }
    if (bot?.state === "IDLE") onStopped(bot_id);
    else stubborn.push(bot_id);
  }
  return stubborn;
}

function refused({ narrator }: Story, answer: { readonly ok: false; readonly error: ApiError }): undefined {
  if (answer.error.kind === "unreachable") {
    narrator.detail("the program does not answer");
    return undefined;
  }
  const { body } = answer.error;
  const word = (name: string): string => (typeof body[name] === "string" ? body[name] : "");
  narrator.detail(`refused: ${word("error_code")} ${word("reason_code")}: ${word("error")}`);
  narrator.detail(`→ ${word("suggestion")}`);
  return undefined;
}
