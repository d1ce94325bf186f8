/**
 * A home is backed up while it runs, its program dies at once, and it goes on elsewhere.
 *
 * "Elsewhere" is another folder: nothing of the first home's but the backup is used, and the log's key as it was kept before.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseCheckpoint } from "@rumi/ledger";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { cli, eventually, startProgram, type Program } from "./program.ts";
import {
  addVenue,
  auditEvents,
  bot,
  createBot,
  installPack,
  move,
  ok,
  okConfirmed,
  runnerPids,
  startBot,
  transition,
  writeRecording,
  type LoggedEvent,
} from "./rig.ts";

const SLOW_MS = 360_000;
const rooms = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
const [first = "", second = "", room = ""] = rooms.map(({ path }) => path);
const [backup, vkey] = [join(room, "backup"), join(room, "kept.vkey")];
let program: Program;
let known: readonly LoggedEvent[];
let old: { readonly run_id: string; readonly epoch: number; readonly token: string; readonly home_id: string };
const homeId = (home: string): string =>
  (JSON.parse(readFileSync(join(home, "user_data/settings/home.json"), "utf8")) as { home_id: string }).home_id;

beforeAll(async () => {
  program = await startProgram({ home: first });
  const digest = await installPack(program);
  await addVenue(program, { path: writeRecording(room, 20_000), factor: 90 });
  for (const bot_id of ["runs", "stands"]) await createBot(program, bot_id, "ema_cross", digest);
  await startBot(program, "runs");
  await ok(program, "POST", "/api/killswitch/set", {
    command_id: crypto.randomUUID(),
    scope: { bot_id: "stands" },
    level: "BLOCK",
    reason: "kept through it all",
  });
  writeFileSync(vkey, await (await fetch(new URL("/tlog/log.vkey", program.url))).text());
}, SLOW_MS);
afterAll(async () => {
  await program.stop();
  for (const { remove } of rooms) remove();
});

it(
  "[L-37] [L-26] a running home is backed up with its whole log, on the record, and its keys are not in it",
  { timeout: SLOW_MS },
  async () => {
    const made = cli(first, ["backup", "--to", backup, "--reason", "before the storm", "--json"]);
    expect(made.code, made.err).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ on_record: true, home: { home_id: homeId(first) } });
    known = await auditEvents(program);
    expect(known.filter(({ action }) => action === "home.backed_up")).toMatchObject([
      { actor: "user:root", details: { reason: "before the storm" } },
    ]);
    expect(
      readdirSync(backup, { recursive: true, encoding: "utf8" }).filter((name) => /_key$|\.key$/.test(name)),
    ).toEqual([]);
    expect(cli(first, ["audit", "verify", backup, "--key", vkey, "--no-remember"]).code).toBe(0);
    expect(cli(first, ["backup", "--to", backup]).err).toContain("RUMI-STO-014");
    const { run_id, epoch } = (await bot(program, "runs")).instances[0] ?? { run_id: "", epoch: 0 };
    old = { run_id, epoch, token: program.token, home_id: homeId(first) };
    const runners = runnerPids(first);
    await program.kill();
    for (const pid of runners) process.kill(pid, "SIGKILL");
  },
);

it(
  "[L-37] elsewhere it is a home of its own with the same log: the old token is nobody's, and nothing starts by itself",
  { timeout: SLOW_MS },
  async () => {
    const made = cli(second, ["restore", "--from", backup, "--key", vkey, "--json"]);
    expect(made.code, made.err).toBe(0);
    program = await startProgram({ home: second });
    expect(homeId(second)).not.toBe(old.home_id);
    const refused = await fetch(new URL("/api/bots", program.url), {
      headers: { authorization: `Bearer ${old.token}` },
    });
    expect(refused.status).toBe(401);
    // Every entry of the old log up to the backup is at its place, and the new log's own begin right behind them.
    const events = await auditEvents(program);
    const at = events.findIndex(({ action }) => action === "home.restored");
    const restored = events[at];
    if (restored === undefined) throw new Error("the restore is not on the record");
    expect(events.slice(0, at).map(({ event_id, log_index }) => [event_id, log_index])).toEqual(
      known.slice(0, at).map(({ event_id, log_index }) => [event_id, log_index]),
    );
    const { old_checkpoint, origin } = restored["details"] as {
      readonly old_checkpoint: string;
      readonly origin: string;
    };
    const head = parseCheckpoint(old_checkpoint);
    expect(head.ok && [head.value.size, head.value.origin]).toEqual([
      restored.log_index,
      `rumi.local/dev/${old.home_id}`,
    ]);
    expect(origin).toBe(`rumi.local/dev/${homeId(second)}`);
    expect(cli(second, ["audit", "verify", "--no-remember"]).code).toBe(0);
    const former = join(second, "user_data/former_logs", old.home_id);
    expect(cli(second, ["audit", "verify", former, "--key", vkey, "--no-remember"]).code).toBe(0);
    // Who ran is in ERROR, who was blocked is blocked, and nobody starts, also not by command.
    await eventually(async () => (await bot(program, "runs")).state === "ERROR");
    expect((await ok(program, "GET", "/api/killswitch"))["rules"]).toMatchObject([
      { scope: { bot_id: "stands" }, level: "BLOCK" },
    ]);
    const start = await program.call("POST", "/api/commands", transition("runs", "ERROR", "RUNNING_PAPER"));
    expect([start.status, start.body["reason_code"]]).toEqual([409, "G.INCIDENT"]);
    const runs = await auditEvents(program, { resource_id: "runs", action: "bot.state.transition" });
    expect(runs.filter(({ log_index }) => log_index > restored.log_index)).toMatchObject([
      { details: { to: "ERROR" } },
    ]);
  },
);

it(
  "[L-37] a person lifts the incident and starts: a run of its own, under an epoch far above all that the old home gave",
  { timeout: SLOW_MS },
  async () => {
    const { holds } = (await ok(program, "GET", "/api/holds")) as {
      readonly holds: readonly { readonly hold_id: string; readonly kind: string; readonly set_by: string }[];
    };
    expect(holds).toMatchObject([{ kind: "incident", set_by: "system:restore" }]);
    await okConfirmed(program, `/api/holds/${holds[0]?.hold_id ?? ""}/lift`, { reason: "looked at everything" });
    await move(program, "runs", "RUNNING_PAPER");
    const running = await eventually(async () => {
      const [one] = (await bot(program, "runs")).instances;
      if (one?.failure != null) throw new Error(JSON.stringify(one.failure));
      return one?.phase === "running" && one;
    });
    expect(running.run_id).not.toBe(old.run_id);
    expect(running.epoch).toBeGreaterThan(old.epoch + 900_000);
    expect(cli(second, ["restore", "--from", backup]).err).toContain("RUMI-STO-014");
  },
);
