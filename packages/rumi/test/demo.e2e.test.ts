/** `rumi demo` as a new user meets it: both bots trade, Ctrl-C ends everything in order, and whatever is cut off is continued. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cli, eventually, processesNaming, ROOT } from "./program.ts";
import { runnerPids } from "./rig.ts";

const SLOW_MS = 360_000;
const folder = temporaryFolder();
const home = join(folder.path, "demo_data");
const BOTS = ["ema-cross", ...(requires("python3") ? ["mean-reversion"] : [])];

type Demo = { readonly child: ChildProcess; readonly output: () => string; readonly exit: Promise<number | null> };
let running: Demo | undefined;

function demo(): Demo {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("RUMI_")));
  const child = spawn(process.execPath, [join(ROOT, "bin/rumi"), "demo", "--home", home], {
    env: { ...environment, RUMI_API_PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += data.toString()));
  running = {
    child,
    output: () => output,
    exit: new Promise((resolve) => child.once("exit", (code) => resolve(code))),
  };
  return running;
}
const says = async (of: Demo, wanted: RegExp): Promise<true> =>
  eventually(() => {
    if (of.child.exitCode !== null) throw new Error(`the demo ended with ${of.child.exitCode}:\n${of.output()}`);
    return wanted.test(of.output());
  });
const fillsOf = (bot: string): RegExp =>
  new RegExp(`^fill bot=${bot} side=(buy|sell) quantity=[\\d.]+ price=[\\d.]+ .*order=\\S+$`, "m");

/** Rows of the home's store, read beside whoever writes it. */
function rows<T>(query: string): readonly T[] {
  const database = new DatabaseSync(join(home, "user_data/store/rumi.sqlite"), { readOnly: true });
  try {
    return database.prepare(query).all();
  } finally {
    database.close();
  }
}
const events = (): ReadonlyMap<string, number> =>
  new Map(
    rows<{ event_id: string; idx: number }>("SELECT event_id, idx FROM log_entry").map(({ event_id, idx }) => [
      event_id,
      idx,
    ]),
  );
const state = (): readonly { readonly bot_id: string; readonly state: string }[] =>
  rows("SELECT bot_id, state FROM bot ORDER BY bot_id");
const homeId = (): string =>
  (JSON.parse(readFileSync(join(home, "user_data/settings/home.json"), "utf8")) as { home_id: string }).home_id;

function expectNothingTwice(): void {
  const orders = rows<{ client_order_id: string }>(
    "SELECT client_order_id FROM intent_view WHERE client_order_id IS NOT NULL",
  ).map((row) => row.client_order_id);
  expect(orders.length).toBeGreaterThan(0);
  expect(new Set(orders).size).toBe(orders.length);
  const fills = rows<{ id: string }>(
    "SELECT bot_id || ' ' || run_id || ' ' || json_extract(fill, '$.fill_id') AS id FROM fill_view",
  ).map((row) => row.id);
  expect(new Set(fills).size).toBe(fills.length);
}
async function endInOrder(of: Demo): Promise<void> {
  of.child.kill("SIGINT");
  expect(await of.exit, of.output()).toBe(0);
  expect(state()).toEqual(BOTS.toSorted().map((bot_id) => ({ bot_id, state: "IDLE" })));
  expect(processesNaming(home)).toEqual([]);
  const verified = cli(home, ["audit", "verify", home, "--no-remember"]);
  expect([verified.code, verified.out]).toEqual([0, expect.stringContaining("verified:")]);
}

describe("rumi demo", () => {
  afterEach(async () => {
    if (running?.child.exitCode === null) running.child.kill("SIGKILL");
    await running?.exit;
  });
  afterAll(() => {
    for (const pid of processesNaming(home)) process.kill(pid, "SIGKILL");
    folder.remove();
  });

  it(
    "[M-0.1] shows fills and profit of both bots and the console's address; Ctrl-C, also twice, stops everything in order",
    async () => {
      const first = demo();
      await says(first, /console {2}http:\/\/127\.0\.0\.1:\d+\/#token=rumi_dev_\S+/);
      for (const bot of BOTS) await says(first, fillsOf(bot));
      for (const bot of BOTS) await says(first, new RegExp(`^profit bot=${bot} realised=-?[\\d.]+`, "m"));
      first.child.kill("SIGINT");
      setTimeout(() => first.child.kill("SIGINT"), 200); // a terminal and npm both forward it
      expect(await first.exit, first.output()).toBe(0);
      for (const bot of BOTS) expect(first.output()).toContain(`stopped bot=${bot} state=IDLE`);
      expect(first.output()).toContain(`rumi audit verify`);
      expect(state()).toEqual(BOTS.toSorted().map((bot_id) => ({ bot_id, state: "IDLE" })));
      expect(processesNaming(home)).toEqual([]);
      expectNothingTwice();
      const verified = cli(home, ["audit", "verify", home, "--no-remember"]);
      expect([verified.code, verified.out]).toEqual([0, expect.stringContaining("verified:")]);
    },
    SLOW_MS,
  );

  it(
    "[M-0.3] [G-2.1b] a second demo replaces the first one's home; killed, the next one continues it and its bots",
    async () => {
      const before = homeId();
      const first = demo();
      for (const bot of BOTS) await says(first, fillsOf(bot));
      expect(homeId()).not.toBe(before);
      const [fresh, acknowledged] = [homeId(), events()];
      first.child.kill("SIGKILL");
      await first.exit;
      const next = demo();
      await says(next, /continued: the last demo was cut off/);
      for (const bot of BOTS) await says(next, new RegExp(`${bot} is still running; it was adopted`));
      for (const bot of BOTS) await says(next, fillsOf(bot));
      expect(homeId()).toBe(fresh);
      const now = events();
      for (const [event_id, index] of acknowledged) expect(now.get(event_id)).toBe(index);
      await endInOrder(next);
      expectNothingTwice();
    },
    SLOW_MS,
  );

  it(
    "[M-8.2.2] killed together with its runner, as when the power goes, the next one starts the bots again and loses nothing",
    async () => {
      const first = demo();
      for (const bot of BOTS) await says(first, fillsOf(bot));
      const acknowledged = events();
      first.child.kill("SIGKILL");
      for (const pid of runnerPids(home)) process.kill(pid, "SIGKILL");
      await first.exit;
      const next = demo();
      await says(next, /continued: the last demo was cut off/);
      for (const bot of BOTS) await says(next, new RegExp(`${bot} is running`));
      for (const bot of BOTS) await says(next, fillsOf(bot));
      const now = events();
      for (const [event_id, index] of acknowledged) expect(now.get(event_id)).toBe(index);
      await endInOrder(next);
      expectNothingTwice();
      expect(existsSync(home)).toBe(true);
    },
    SLOW_MS,
  );
});
