/**
 * kill -9 of the program, of the runner, of both, at chosen and at random moments, while two bots trade on paper.
 *
 * Think of two pairs: the bots that are hurt, and their twins that ran the same recording undisturbed. After each
 * blow nothing that was acknowledged may be missing, nothing may be there twice, and what the hurt bots did so far
 * must be how their twins' day began.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "@rumi/kernel";
import { type JournalContents, readJournal } from "@rumi/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cli, eventually, processesNaming, startProgram, type Program } from "./program.ts";
import {
  addVenue,
  auditEvents,
  bot,
  createBot,
  fills,
  fillWords,
  installPack,
  instance,
  intents,
  intentWords,
  runnerPids,
  startBot,
  stopBot,
  untilFeedEnds,
  untilState,
  writeRecording,
} from "./rig.ts";

const ROUNDS = 6 * Number(process.env["RUMI_SOAK"] ?? "1");
/**
 * Three recorded hours pass in nine minutes: longer than the blows take, also where the machine is slow. Fifteen trades a
 * second leave a Compute bot, which stands behind everything else, far from a backlog that would be conflated: its twin's
 * day knows none. In return both trade more than once a second.
 */
const PACE_FACTOR = 20;
const TRADES = 8_000;
const SLOW_MS = 360_000;
const BOTS = [
  {
    bot_id: "ema",
    strategy_id: "ema_cross",
    config: { order_quantity: "1", fast_trades: 5, slow_trades: 20, threshold_ppm: 50, cooldown: 1_000 },
  },
  ...(requires("python3")
    ? [
        {
          bot_id: "reversion",
          strategy_id: "mean_reversion",
          config: { order_quantity: "1", window_trades: 30, entry_deviation_percent: 160, cooldown: 1_000 },
        },
      ]
    : []),
] as const;
const twin = (bot_id: string): string => `${bot_id}-twin`;

const home = temporaryFolder();
let program: Program;
/** Events that were acknowledged, and the checkpoint that was seen, before the last blow. */
const acknowledged = new Map<string, number>();
const checkpoint = join(home.path, "earlier-checkpoint");
const runs = new Map<string, string | null>();

async function remember(): Promise<void> {
  for (const { event_id, log_index } of await auditEvents(program)) acknowledged.set(event_id, log_index);
  const note = await fetch(new URL("/tlog/checkpoint", program.url));
  writeFileSync(checkpoint, await note.text());
  for (const { bot_id } of BOTS) runs.set(bot_id, (await bot(program, bot_id)).status.run_id);
}

const kill = async (pids: readonly number[]): Promise<void> => {
  for (const pid of pids) process.kill(pid, "SIGKILL");
};

async function restart(): Promise<void> {
  program = await startProgram({ home: home.path });
}

/** A replay that diverged leaves both versions of the record in the run's folder: a failure here must show them. */
function tellDivergences(): void {
  for (const path of readdirSync(home.path, { recursive: true, encoding: "utf8" })) {
    if (/divergence-.*\.json$/.test(path))
      process.stderr.write(`${path}: ${readFileSync(join(home.path, path), "utf8")}\n`);
  }
}

/** Waits until the bot works on: more events than it had seen. */
async function untilItGoesOn(bot_id: string): Promise<void> {
  const before = (await instance(program, bot_id))?.cursor ?? 0;
  await eventually(async () => {
    const now = await bot(program, bot_id);
    if (now.state === "ERROR")
      throw new Error(`${bot_id} is in ERROR: ${now.status.reason} ${JSON.stringify(now.instances[0]?.failure)}`);
    return (now.instances[0]?.cursor ?? 0) > before;
  });
}

/** The whole promise, after a blow. */
async function expectNothingLost(): Promise<void> {
  const now = new Map((await auditEvents(program)).map(({ event_id, log_index }) => [event_id, log_index]));
  for (const [event_id, log_index] of acknowledged)
    expect(now.get(event_id), `acknowledged event ${event_id}`).toBe(log_index);
  const verified = cli(home.path, ["audit", "verify", home.path, "--against", checkpoint, "--no-remember"]);
  expect(verified.out + verified.err).toContain("verified");
  expect(verified.code).toBe(0);
  for (const { bot_id } of BOTS) await expectOneDay(bot_id);
}

async function recordOf(bot_id: string): Promise<JournalContents> {
  const runId = (await bot(program, bot_id)).status.run_id ?? "";
  const directory = join(home.path, "user_data/runs", bot_id, runId, "journal");
  const contents = readJournal({ directory, runId, durableSeq: 0 });
  if (!contents.ok) throw new Error(`${bot_id}: ${contents.error.code} ${JSON.stringify(contents.error.params)}`);
  return contents.value;
}

/** Nothing twice, no gap, no strategy that broke on the way, and the twin's day from its beginning. */
async function expectOneDay(bot_id: string): Promise<void> {
  const { entries } = await recordOf(bot_id);
  const inputs = entries.flatMap((entry) => (entry.kind === "input" ? [entry.input] : []));
  const unlike = inputs.filter(({ input }) => ["fault", "conflate", "pressure"].includes(String(input)));
  expect(unlike, `${bot_id}: what its twin did not live through`).toEqual([]);
  const [done, wanted] = [await fills(program, bot_id), await fills(program, twin(bot_id))];
  const [asked, planned] = [await intents(program, bot_id), await intents(program, twin(bot_id))];
  expect(new Set(done.map(({ fill }) => fill["fill_id"])).size, `${bot_id}: fill ids`).toBe(done.length);
  const orders = asked.flatMap(({ client_order_id }) => client_order_id ?? []);
  expect(new Set(orders).size, `${bot_id}: client order ids`).toBe(orders.length);
  expect(asked.map(intentWords), `${bot_id}: intents`).toEqual(planned.slice(0, asked.length).map(intentWords));
  expect(done.map(fillWords), `${bot_id}: fills`).toEqual(wanted.slice(0, done.length).map(fillWords));
}

describe("kill -9", () => {
  beforeAll(async () => {
    program = await startProgram({ home: home.path });
    const digest = await installPack(program);
    const path = writeRecording(home.path, TRADES);
    await addVenue(program, { path, factor: PACE_FACTOR });
    await addVenue(program, { path, factor: "max", venue_id: "CALM" });
    for (const { bot_id, strategy_id, config } of BOTS) {
      await createBot(program, twin(bot_id), strategy_id, digest, { venue: "CALM", config });
      await createBot(program, bot_id, strategy_id, digest, { config });
      await startBot(program, twin(bot_id));
    }
    for (const { bot_id } of BOTS) {
      await untilFeedEnds(program, twin(bot_id));
      await stopBot(program, twin(bot_id));
      await startBot(program, bot_id);
    }
    for (const { bot_id } of BOTS) await eventually(async () => (await fills(program, bot_id)).length > 2);
  }, SLOW_MS);
  afterAll(async () => {
    await program?.stop();
    await kill(processesNaming(home.path));
    tellDivergences();
    home.remove();
  }, SLOW_MS);

  it(
    "[M-0.3] [G-2.1b] of the program alone: the next one adopts the living runner and its bots with their state",
    async () => {
      await remember();
      const [runner] = runnerPids(home.path);
      const epochs = new Map(
        await Promise.all(BOTS.map(async ({ bot_id }) => [bot_id, (await instance(program, bot_id))?.epoch] as const)),
      );
      await program.kill();
      await restart();
      for (const { bot_id } of BOTS) {
        await untilItGoesOn(bot_id);
        const now = await bot(program, bot_id);
        expect(now).toMatchObject({ state: "RUNNING_PAPER", status: { run_id: runs.get(bot_id) } });
        expect(now.instances[0]?.epoch).toBe(epochs.get(bot_id));
      }
      expect(runnerPids(home.path)).toEqual([runner]);
      await expectNothingLost();
    },
    SLOW_MS,
  );

  it(
    "[M-7.1.3] of the runner: another takes over under a new epoch, same run, and the bot stays RUNNING_PAPER",
    async () => {
      await remember();
      const before = new Map(
        await Promise.all(
          BOTS.map(async ({ bot_id }) => [bot_id, (await instance(program, bot_id))?.epoch ?? 0] as const),
        ),
      );
      await kill(runnerPids(home.path));
      for (const { bot_id } of BOTS) {
        await eventually(async () => {
          const now = await bot(program, bot_id);
          expect(now.state).toBe("RUNNING_PAPER");
          return (now.instances[0]?.epoch ?? 0) > (before.get(bot_id) ?? 0);
        });
        await untilItGoesOn(bot_id);
        expect((await bot(program, bot_id)).status.run_id).toBe(runs.get(bot_id));
      }
      await expectNothingLost();
    },
    SLOW_MS,
  );

  it(
    "[M-7.1.3] [M-7.1.2] a runner that stands still beside the program is ended once its leases ran out; another takes over",
    async () => {
      await remember();
      const [sleeper = 0] = runnerPids(home.path);
      process.kill(sleeper, "SIGSTOP");
      await eventually(() => !runnerPids(home.path).includes(sleeper));
      for (const { bot_id } of BOTS) {
        await untilItGoesOn(bot_id);
        expect((await bot(program, bot_id)).status.run_id).toBe(runs.get(bot_id));
      }
      await expectNothingLost();
    },
    SLOW_MS,
  );

  it(
    "[G-2.1b] of both: bots are in ERROR after the restart until somebody starts them again, and the run goes on",
    async () => {
      await remember();
      await program.kill();
      await kill(runnerPids(home.path));
      await restart();
      for (const { bot_id } of BOTS) {
        await untilState(program, bot_id, "ERROR");
        await startBot(program, bot_id);
        await untilItGoesOn(bot_id);
        expect((await bot(program, bot_id)).status.run_id).toBe(runs.get(bot_id));
      }
      await expectNothingLost();
    },
    SLOW_MS,
  );

  it(
    "[M-7.1.1] a runner that stood still over the restart finds its lease gone: it and its successor never both trade",
    async () => {
      await remember();
      const [sleeper = 0] = runnerPids(home.path);
      process.kill(sleeper, "SIGSTOP");
      await program.kill();
      await restart();
      for (const { bot_id } of BOTS) {
        await untilState(program, bot_id, "ERROR");
        await startBot(program, bot_id);
      }
      process.kill(sleeper, "SIGCONT");
      for (const { bot_id } of BOTS) await untilItGoesOn(bot_id);
      await eventually(() => runnerPids(home.path).length === 1 && !runnerPids(home.path).includes(sleeper));
      for (const { bot_id } of BOTS) await untilItGoesOn(bot_id);
      await expectNothingLost();
    },
    SLOW_MS,
  );

  const random = seededRandom("crash.e2e");
  const pick = (of: number): number => random.below(of);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const victim =
      (["program", "runner", "program", "runner", "program, then its runner"] as const)[pick(5)] ?? "program";
    const after_ms = pick(700);
    it(
      `[M-8.2.2] [M-0.6] at a random moment, round ${round}: ${victim} after ${after_ms} ms`,
      async () => {
        await remember();
        await new Promise((resolve) => setTimeout(resolve, after_ms));
        if (victim !== "runner") await program.kill();
        if (victim !== "program") await kill(runnerPids(home.path));
        if (victim !== "runner") await restart();
        for (const { bot_id } of BOTS) {
          if (victim === "program, then its runner") {
            await untilState(program, bot_id, "ERROR");
            await startBot(program, bot_id);
          }
          await untilItGoesOn(bot_id);
          expect((await bot(program, bot_id)).state).toBe("RUNNING_PAPER");
        }
        await expectNothingLost();
      },
      SLOW_MS,
    );
  }

  it(
    "[M-8.2.2] after all of it the journals have every number once, in order, and the bots stop in order",
    async () => {
      for (const { bot_id } of BOTS) await stopBot(program, bot_id);
      for (const { bot_id } of BOTS) {
        const { torn, entries } = await recordOf(bot_id);
        expect(torn).toBeNull();
        expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, at) => at + 1));
        await expectOneDay(bot_id);
      }
      expect(await program.stop()).toBe(0);
      expect(processesNaming(home.path)).toEqual([]);
      const verified = cli(home.path, ["audit", "verify", home.path, "--against", checkpoint, "--no-remember"]);
      expect(verified.code).toBe(0);
    },
    SLOW_MS,
  );
});
