/**
 * State across versions and replay across kinds, through the real program: a strategy in each of the four kinds is
 * updated in place to versions that cannot read its state, that find out too late that they cannot, and that can.
 *
 * How to think: the strategy counts the trades it hears, so its state says by itself whether anything was lost or taken
 * twice: the count is the cursor. A version that is admitted with an old checkpoint and fails on what is handed over is
 * made by a configuration that comes after the last checkpoint, on a venue where no row is due for minutes.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RUNTIME_KINDS } from "@rumi/abi";
import { decodeCheckpoint, type Checkpoint } from "@rumi/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cli, copyLivingHome, eventually, startProgram, type Program } from "./program.ts";
import { addVenue, auditEvents, bot, fills, ok, startBot, stopBot, writeRecording, type Bot } from "./rig.ts";
import { buildTally, createTally, installTally, type TallyVersion } from "./tally-pack.ts";

const SLOW_MS = 360_000;
const room = temporaryFolder();
const home = temporaryFolder();
let program: Program;

const VERSIONS: readonly Omit<TallyVersion, "kind">[] = [
  { version: "1.0.0", state: 1, hook: "none" },
  { version: "1.1.0", state: 2, hook: "none" },
  { version: "1.2.0", state: 2, hook: "picky" },
  { version: "1.3.0", state: 2, hook: "sound" },
];

async function update(bot_id: string, strategy_version: string, digest: string) {
  const command_id = crypto.randomUUID();
  return program.call("POST", `/api/bots/${bot_id}/update`, {
    command_id,
    strategy_version,
    digest,
    reason: "its state has another form",
  });
}

/** Waits until the bot runs under another run than this one. */
const anotherRun = (bot_id: string, than: string): Promise<Bot & { readonly run: string }> =>
  eventually(async () => {
    const now = await bot(program, bot_id);
    const run = now.status.run_id ?? "";
    const [instance] = now.instances;
    const lives = instance?.run_id === run && ["running", "feed_ended"].includes(instance.phase);
    return run !== than && run !== "" && lives && { ...now, run };
  });

type Kept = Checkpoint["header"] & {
  /** Of the strategy's state. */
  readonly words: readonly number[];
  /** Rows that it took and the strategy was not told: a busy machine leaves some out, and counts them. */
  readonly untold: number;
};

/** A run's newest checkpoint. */
function newest(bot_id: string, run: string): Kept {
  const folder = join(home.path, "user_data/runs", bot_id, run, "checkpoints");
  const sound = readdirSync(folder)
    .map((name) => decodeCheckpoint(readFileSync(join(folder, name))))
    .filter((one) => typeof one !== "string")
    .toSorted((a, b) => b.header.generation - a.header.generation);
  const [checkpoint] = sound;
  if (checkpoint === undefined) throw new Error(`${bot_id} ${run} has no checkpoint`);
  const bytes = Buffer.from(checkpoint.strategy);
  const words = Array.from({ length: bytes.length / 8 }, (_, at) => Number(bytes.readBigInt64LE(at * 8)));
  const { counters } = checkpoint.header.machine as { readonly counters: { readonly events_conflated: number } };
  return { ...checkpoint.header, words, untold: counters.events_conflated };
}

/** Every run comes out again on a copy of the home, byte for byte, without the program. */
function expectReplayed(runs: readonly string[]): void {
  const copy = copyLivingHome(home.path);
  for (const run_id of runs) {
    const replayed = cli(copy.path, ["replay", run_id, "--json"]);
    expect(replayed.code, replayed.out + replayed.err).toBe(0);
    const report = JSON.parse(replayed.out) as Record<string, unknown>;
    expect(report).toMatchObject({ outcome: "identical", run_id, divergence: null, sealed: { differ: 0 } });
    expect(report["states_compared"], "every state checkpoint").toBeGreaterThan(0);
  }
  copy.remove();
}

beforeAll(async () => {
  program = await startProgram({ home: home.path });
  await eventually(async () => (await program.call("GET", "/health")).body["status"] === "UP");
  await addVenue(program, { path: writeRecording(home.path, 20_000), factor: 200 });
  await addVenue(program, { path: writeRecording(home.path, 20, "slow.csv"), factor: 1, venue_id: "SLOW" });
}, SLOW_MS);
afterAll(async () => {
  await program.stop();
  room.remove();
  home.remove();
});

describe.runIf(requires("bubblewrap") && requires("python3") && requires("rust-wasm")).each(RUNTIME_KINDS)(
  "a %s strategy whose state takes another form",
  (kind) => {
    const packs: Record<string, string> = {};
    const approve = (version: string): Promise<string> => installTally(program, kind, packs[version] ?? "");
    // Before any bot runs: a compiler is slower than a recording.
    beforeAll(async () => {
      for (const of of VERSIONS) packs[of.version] = await buildTally(room.path, { ...of, kind });
    }, SLOW_MS);

    it(
      "[M-6.2.3] [M-1.1.1] [M-0.7] without a hook it is refused and nothing is touched; with one its state is carried on, no trade lost or counted twice; both runs replay byte for byte",
      async () => {
        const bot_id = `${kind}-carries`.replace("_", "-");
        const digest = await approve("1.0.0");
        await createTally(program, bot_id, { kind, digest });
        await startBot(program, bot_id);
        const first = (await bot(program, bot_id)).status.run_id ?? "";
        await eventually(async () => (await fills(program, bot_id)).length > 1);

        const refused = await update(bot_id, "1.1.0", await approve("1.1.0"));
        expect(refused.status, JSON.stringify(refused.body)).toBe(422);
        expect(JSON.stringify(refused.body)).toContain("M.STATE.INCOMPATIBLE");
        expect(await bot(program, bot_id)).toMatchObject({ state: "RUNNING_PAPER", status: { run_id: first } });

        const accepted = await update(bot_id, "1.3.0", await approve("1.3.0"));
        expect(accepted.status, JSON.stringify(accepted.body)).toBe(200);
        const { run } = await anotherRun(bot_id, first);
        await stopBot(program, bot_id);

        const before = newest(bot_id, first);
        const heard = before.last_event_cursor - before.untold;
        expect([before.state_schema_version, before.words]).toEqual([1, [heard, 0]]);
        expect(heard).toBeGreaterThan(50);
        const after = newest(bot_id, run);
        const more = after.last_event_cursor - before.last_event_cursor - after.untold;
        expect(more).toBeGreaterThan(0);
        expect([after.state_schema_version, after.words]).toEqual([2, [heard + more, 0, heard]]);
        expectReplayed([first, run]);
      },
      SLOW_MS,
    );

    it(
      "[M-6.2.3] [M-1.1.1] [M-6.2.2] a migration that fails on what is handed over goes back by itself: the former version goes on with its own state, and the failure is on the record",
      async () => {
        const bot_id = `${kind}-returns`.replace("_", "-");
        const digest = await approve("1.0.0");
        await createTally(program, bot_id, { kind, digest, venue: "SLOW" });
        await startBot(program, bot_id);
        const first = (await bot(program, bot_id)).status.run_id ?? "";
        await eventually(async () => ((await bot(program, bot_id)).instances[0]?.cursor ?? 0) === 1);
        // After the newest checkpoint, so that the trial before the update sees a state that can be migrated.
        await ok(program, "POST", `/api/bots/${bot_id}/config/apply`, {
          command_id: crypto.randomUUID(),
          config: { note: "what the new version cannot take" },
          at: "next_tick",
          reason: "changed",
        });
        await eventually(async () => {
          const { generation, observed_generation } = await bot(program, bot_id);
          return generation === 2 && observed_generation === 2;
        });
        const picky = await approve("1.2.0");
        const accepted = await update(bot_id, "1.2.0", picky);
        expect(accepted.status, JSON.stringify(accepted.body)).toBe(200);
        const mine = async (action: string) =>
          (await auditEvents(program, { resource_id: bot_id })).find((event) => event.action === action);
        const evidence = await eventually(() => mine("bot.update.rolled_back"));
        const details = evidence["details"] as { readonly [name: string]: string };
        expect(details).toMatchObject({
          reason_code: "M.STATE.INCOMPATIBLE",
          from_version: "1.2.0",
          to_version: "1.0.0",
          from_digest: picky,
          digest,
        });
        const again = await eventually(async () => {
          const now = await bot(program, bot_id);
          return now.status.run_id === details["to_run_id"] && now.instances[0]?.phase === "running" && now;
        });
        expect(again).toMatchObject({ state: "RUNNING_PAPER", status: { reason: "UPDATE_REFUSED" } });
        // What was handed over stays where it was, for whoever asks why.
        expect(newest(bot_id, first).words).toEqual([1, 1]);
        const failed = join(home.path, "user_data/runs", bot_id, details["from_run_id"] ?? "", "checkpoints");
        expect(existsSync(failed) ? readdirSync(failed) : []).toEqual([]);

        expect((await update(bot_id, "1.3.0", await approve("1.3.0"))).status).toBe(200);
        const { run } = await anotherRun(bot_id, again.status.run_id ?? "");
        await stopBot(program, bot_id);
        const [before, after] = [newest(bot_id, again.status.run_id ?? ""), newest(bot_id, run)];
        expect(before.words).toEqual([before.last_event_cursor, 1]);
        expect([after.state_schema_version, after.words]).toEqual([
          2,
          [after.last_event_cursor, 1, before.last_event_cursor],
        ]);
        expectReplayed([first, again.status.run_id ?? "", run]);
      },
      SLOW_MS,
    );
  },
);
