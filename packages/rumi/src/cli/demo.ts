/**
 * `rumi demo`: a fresh home in ./demo_data, the program in it, and a story told through its public API.
 *
 * A demo that ended in order leaves a home that the next one replaces. One that was cut off (kill -9, power) is
 * continued instead: its log, its bots and their state are still there.
 */
import { closeSync, createWriteStream, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { failure, systemClock } from "@rumi/kernel";
import { narrator } from "../demo/narrator.ts";
import { homePaths } from "../home/layout.ts";
import { lockHome } from "../home/lock.ts";
import type { Installation } from "../program/installation.ts";
import { apiClient, type ApiClient } from "./client.ts";
import { fail, settingsOf, type CliContext } from "./context.ts";
import { followEvents } from "./events.ts";
import { EXIT } from "./exit-codes.ts";
import { endSignal, startHere } from "./start.ts";

const PROFIT_EVERY_MS = 3_000;
/** Written when a demo ended in order; its home may then be replaced. */
const ENDED = ".demo-ended";

type Options = { readonly home: string; readonly fresh?: boolean; readonly seconds?: string };
type Position = {
  readonly bot_id: string;
  readonly instrument_id: string;
  readonly quantity: string;
  readonly realised_profit: string;
  readonly unrealised_profit: string;
  readonly fees: string;
};

export function addDemoCommand(program: Command, context: CliContext, installation: Installation): void {
  program
    .command("demo")
    .description("Two paper bots trade a generated market in a fresh home; Ctrl-C stops everything in order")
    .option("--home <dir>", "the demo's home", "demo_data")
    .option("--fresh", "begin anew even if the last demo was cut off")
    .option("--seconds <n>", "stop by itself after so many seconds")
    .action(async (options: Options) => demo(context, installation, options));
}

async function demo(context: CliContext, installation: Installation, options: Options): Promise<void> {
  const settings = settingsOf(context);
  if (!settings.ok) return fail(context, settings.error, "words");
  const { DEMO_BOTS, stopBots, tellStory } = await import("../demo/story.ts");
  const home = resolve(options.home);
  const prepared = prepareHome(context, home, options.fresh === true);
  if (prepared === "in use") return;
  const path = join(home, "rumi.log");
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    return fail(
      context,
      failure(
        "RUMI-SYS-003",
        { path: home, problem: cause instanceof Error ? cause.message : String(cause) },
        { cause },
      ),
      "words",
    );
  }
  const log = createWriteStream(path, { flags: "a" });
  const started = await startHere({ ...settings.value, home }, installation, {
    headless: false,
    sink: (line) => log.write(`${line}\n`),
  });
  if (!started.ok) return fail(context, started.error, "words");
  const { url, token, ready_ms, stop } = started.value;

  const clock = systemClock();
  const story = narrator(context.terminal);
  context.terminal.out(
    `Rumi ${installation.version} demo; home ${home}${prepared === "continued" ? " (continued: the last demo was cut off)" : ""}\n`,
  );
  story.step(`Started in ${ready_ms} ms               ${url}`);
  story.detail(`console  ${url}/#token=${token}`);
  story.detail(`token    ${token}`);
  const client = apiClient({ base_url: url, token, language: context.terminal.language });
  const done = new AbortController();
  const following = followEvents({
    client,
    clock,
    signal: done.signal,
    from: prepared === "continued" ? null : "0",
    onEvent: story.event,
  });
  const profit = setInterval(() => void tellProfit(client, context), PROFIT_EVERY_MS);
  const signal = endSignal();
  const told = tellStory({ client, clock, narrator: story, home, pack_folder: installation.default_pack }).then(
    (isGood) => {
      if (isGood)
        story.step(`Watch it                       ${url}/#token=${token}   (Ctrl-C stops the bots and the program)\n`);
      else context.exit_code = EXIT.failed;
      return isGood;
    },
  );
  const limit = options.seconds === undefined ? undefined : Number(options.seconds);
  await Promise.race([
    signal,
    ...(limit === undefined ? [] : [told.then(() => new Promise((end) => setTimeout(end, limit * 1_000)))]),
  ]);

  clearInterval(profit);
  context.terminal.out("\nStopping: every bot first, then the program.\n");
  const stubborn = await stopBots(client, clock, (bot_id) =>
    context.terminal.out(`stopped bot=${bot_id} state=IDLE\n`),
  );
  for (const bot_id of stubborn)
    context.terminal.err(`bot=${bot_id} could not be stopped within the limit; see ${join(home, "rumi.log")}\n`);
  await tellProfit(client, context);
  done.abort();
  await following;
  await stop("SIGINT");
  for (const { bot_id } of DEMO_BOTS)
    context.terminal.out(`total bot=${bot_id} fills=${story.fills().get(bot_id) ?? 0}\n`);
  context.terminal.out(`The log of it all is signed; check it without us:  rumi audit verify ${options.home}\n`);
  if (stubborn.length > 0) context.exit_code = EXIT.failed;
  else writeFileSync(join(home, ENDED), "");
  await new Promise<void>((end) => log.end(end));
}

/** Replaces the home of a demo that ended; keeps the one of a demo that was cut off. */
function prepareHome(context: CliContext, home: string, isFresh: boolean): "fresh" | "continued" | "in use" {
  const paths = homePaths(home);
  if (!existsSync(paths.settings)) return "fresh";
  const lock = lockHome(paths);
  if (!lock.ok) {
    fail(context, lock.error, "words");
    return "in use";
  }
  lock.value.release();
  const hasEnded = existsSync(join(home, ENDED));
  if (!hasEnded && !isFresh) return "continued";
  rmSync(home, { recursive: true, force: true });
  return "fresh";
}

async function tellProfit(client: ApiClient, context: CliContext): Promise<void> {
  const answer = await client.data<{ readonly positions: readonly Position[] }>({
    method: "GET",
    path: "/api/positions",
  });
  if (!answer.ok) return;
  for (const held of answer.value.positions) {
    context.terminal.out(
      `profit bot=${held.bot_id} realised=${held.realised_profit} unrealised=${held.unrealised_profit} fees=${held.fees} position=${held.quantity} instrument=${held.instrument_id}\n`,
    );
  }
}
