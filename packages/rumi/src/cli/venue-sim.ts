/** `rumi venue-sim`: an exchange that holds no money, in a process of its own; `rumi venues connect`: a venue of it. */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { InstrumentSpec } from "@rumi/abi";
import { err, failure, FailureError, ok, type Failure, type Result } from "@rumi/kernel";
import {
  DEMO_INSTRUMENT,
  DEMO_MARKET,
  FAULT_KINDS,
  generateMarket,
  parseFault,
  startVenueSim,
  type ApiKey,
  type Fault,
  type MarketFeed,
} from "@rumi/venues";
import type { Command } from "commander";
import { lockFolder } from "../home/lock.ts";
import { newCommandId } from "./client.ts";
import { clientOf, fail, failFromApi, type CliContext, type OutputStyle } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson } from "./output.ts";
import { readRecording } from "./recordings.ts";
import { endSignal } from "./start.ts";

type SimOptions = {
  readonly data: string;
  readonly host: string;
  readonly port: string;
  readonly recording?: string;
  readonly instrument?: string;
  readonly seed: string;
  readonly trades: string;
  readonly rate: string;
  readonly pace: string;
  readonly makerPpm: string;
  readonly takerPpm: string;
  readonly requestsPerSecond: string;
  readonly fault: readonly string[];
};
type ConnectOptions = {
  readonly url: string;
  readonly keyFile?: string;
  readonly keyEnv?: string;
  readonly staleAfterMs: string;
  readonly requestsPerSecond: string;
  readonly tapeKeepMib?: string;
  readonly reason: string;
  readonly json?: boolean;
};

export function addVenueSimCommands(program: Command, context: CliContext): void {
  program
    .command("venue-sim")
    .description("Run a simulated exchange that holds no money, with faults on demand (docs/venue-sim.md)")
    .option("--data <folder>", "where its orders, key and admin token live", "venue-sim")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "0 chooses one", "8900")
    .option("--recording <file>", "play recorded trades instead of generated ones")
    .option("--instrument <id>", "SYMBOL.VENUE of the recording (default: after the file's name)")
    .option("--seed <text>", "of the generated market, of ids and of faults drawn by chance", "rumi-venue-sim")
    .option("--trades <count>", "generated trades", "1000000")
    .option("--rate <per_second>", "generated trades per second of market time", "10")
    .option("--pace <factor|manual>", "market time × factor, or only on POST /admin/advance", "1")
    .option("--maker-ppm <ppm>", "maker fee, parts per million", "100")
    .option("--taker-ppm <ppm>", "taker fee, parts per million", "400")
    .option("--requests-per-second <count>", "signed requests per key; more get 429; 0 is no limit", "100")
    .option(
      "--fault <fault>",
      `KIND[,count=N|rate=R][,delay_ms=N][,retry_after_s=N][,skew_ms=N]; repeatable. Kinds: ${FAULT_KINDS.join(", ")}`,
      (fault: string, before: readonly string[]) => [...before, fault],
      [] as readonly string[],
    )
    .action((options: SimOptions) => run(context, options));

  program.commands
    .find((one) => one.name() === "venues")
    ?.command("connect")
    .description("Register a venue simulator as a venue; its instruments are asked for")
    .argument("<venue_id>", "e.g. SIM (upper case)")
    .requiredOption("--url <url>", "where it listens, e.g. http://127.0.0.1:8900")
    .option("--key-file <path>", 'a file of {"key_id", "secret"} that belongs to its user alone')
    .option("--key-env <name>", "or an environment variable of the runner that holds the same")
    .option("--stale-after-ms <ms>", "rows received later than this after their event are flagged", "2000")
    .option("--requests-per-second <count>", "what the gateway sends at most", "20")
    .option(
      "--tape-keep-mib <count>",
      "keep so much of what a run received; older rows go, and no replay from the start",
    )
    .requiredOption("--reason <text>", "why; it is written into the audit log")
    .option("--json", "print the answer as JSON")
    .action((venue_id: string, options: ConnectOptions) => connect(context, venue_id, options));
}

async function run(context: CliContext, options: SimOptions): Promise<void> {
  const usage = (problem: string): void => {
    context.terminal.err(`${problem}\n`);
    context.exit_code = EXIT.usage;
  };
  const numbers = [options.port, options.trades, options.makerPpm, options.takerPpm, options.requestsPerSecond].map(
    Number,
  );
  if (numbers.some((value) => !Number.isSafeInteger(value)) || !(Number(options.rate) > 0))
    return usage(
      "--port, --trades, --maker-ppm, --taker-ppm and --requests-per-second are whole numbers, --rate is above 0",
    );
  const factor = Number(options.pace);
  if (options.pace !== "manual" && !(factor > 0)) return usage("--pace is manual or a number above 0");
  const faults: Fault[] = [];
  for (const text of options.fault) {
    const fault = parseFault(text);
    if (!fault.ok) return fail(context, fault.error, "words");
    faults.push(fault.value);
  }
  const [port = 0, trades = 0, maker_fee_ppm = 0, taker_fee_ppm = 0, requests_per_second = 0] = numbers;
  const market = await marketOf(context, options, trades);
  if (!market.ok) return fail(context, market.error, "words");
  const folder = resolve(options.data);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Two exchanges over one log of orders would each forget what the other took.
  const lock = lockFolder(folder, (pid, cause) => failure("RUMI-MKT-024", { folder, pid }, { cause }));
  if (!lock.ok) return fail(context, lock.error, "words");
  const key_file = join(folder, "key.json");
  const token_file = join(folder, "admin-token");
  const key = JSON.parse(
    secretFile(key_file, () => JSON.stringify({ key_id: "rumi", secret: randomBytes(32).toString("hex") })),
  ) as ApiKey;
  try {
    const sim = await startVenueSim({
      ...market.value,
      keys: [key],
      admin_token: secretFile(token_file, () => randomBytes(32).toString("hex")),
      log_path: join(folder, "orders.log"),
      host: options.host,
      port,
      pace: options.pace === "manual" ? { kind: "manual" } : { kind: "multiple", factor },
      faults,
      requests_per_second,
      maker_fee_ppm,
      taker_fee_ppm,
      seed: options.seed,
      wallNow_us: () => Math.round((performance.timeOrigin + performance.now()) * 1_000),
    });
    const names = market.value.instruments.map((one) => one.instrument_id).join(", ");
    context.terminal.out(
      `venue simulator at ${sim.url} (it holds no money)\n  market       ${names}, ${market.value.feed.length} trades\n  key          ${key_file}\n  admin token  ${token_file}\n`,
    );
    await endSignal();
    await sim.close();
  } catch (problem) {
    if (problem instanceof FailureError) return fail(context, problem.failure, "words");
    const { code } = problem as NodeJS.ErrnoException;
    if (code === undefined) throw problem;
    fail(context, failure("RUMI-MKT-023", { url: `http://${options.host}:${port}`, problem: code }), "words");
  } finally {
    lock.value.release();
  }
}

async function marketOf(
  context: CliContext,
  options: SimOptions,
  trades: number,
): Promise<Result<{ readonly feed: MarketFeed; readonly instruments: readonly InstrumentSpec[] }, Failure>> {
  if (options.recording === undefined) {
    const session_us = Math.round((trades / Number(options.rate)) * 1_000_000);
    const made = generateMarket({ ...DEMO_MARKET, seed: options.seed, trades, session_us });
    return made.ok ? ok({ feed: made.value, instruments: [DEMO_INSTRUMENT] }) : made;
  }
  const read = await readRecording(context, options.recording, options.instrument, "words");
  if (!read.ok) return read;
  const { feed, instruments } = read.value.loaded;
  return feed.mixed === undefined
    ? ok({ feed, instruments })
    : err(failure("RUMI-MKT-021", { problem: "a simulator plays recordings of trades only" }));
}

/** What the file says; made with mode 0600 when it is not there. */
function secretFile(path: string, make: () => string): string {
  if (!existsSync(path)) writeFileSync(path, `${make()}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return readFileSync(path, "utf8").trim();
}

async function connect(context: CliContext, venue_id: string, options: ConnectOptions): Promise<void> {
  const style: OutputStyle = options.json === true ? "json" : "words";
  const { keyFile, keyEnv, tapeKeepMib } = options;
  const kept = tapeKeepMib === undefined ? {} : { tape_keep_mib: Number(tapeKeepMib) };
  const numbers = [options.staleAfterMs, options.requestsPerSecond, ...Object.values(kept)].map(Number);
  if ((keyFile === undefined) === (keyEnv === undefined) || numbers.some((value) => !Number.isSafeInteger(value))) {
    context.terminal.err(
      "give one of --key-file and --key-env; --stale-after-ms, --requests-per-second and --tape-keep-mib are numbers\n",
    );
    context.exit_code = EXIT.usage;
    return;
  }
  const client = clientOf(context);
  if (!client.ok) return fail(context, client.error, style);
  const instruments = await instrumentsAt(options.url);
  if (!instruments.ok) return fail(context, instruments.error, style);
  const [stale_after_ms, requests_per_second] = numbers;
  const answer = await client.value.request({
    method: "POST",
    path: "/api/venues",
    body: {
      command_id: newCommandId(),
      venue_id,
      kind: "venue_sim",
      url: options.url,
      key: keyFile === undefined ? { env: keyEnv } : { file: resolve(keyFile) },
      instruments: instruments.value,
      stale_after_ms,
      requests_per_second,
      ...kept,
      reason: options.reason,
    },
  });
  if (!answer.ok) return failFromApi(context, answer.error, style);
  if (style === "json") return printJson(context.terminal, answer.value.body);
  context.terminal.out(
    `venue ${venue_id}: ${instruments.value.map((one) => one.instrument_id).join(", ")} at ${options.url}\n`,
  );
}

async function instrumentsAt(url: string): Promise<Result<readonly InstrumentSpec[], Failure>> {
  try {
    const answer = await fetch(new URL("/v1/instruments", url), { signal: AbortSignal.timeout(5_000) });
    const said = (await answer.json()) as { readonly instruments?: readonly InstrumentSpec[] };
    if (answer.ok && Array.isArray(said.instruments)) return ok(said.instruments);
    return err(failure("RUMI-MKT-023", { url, problem: `status ${answer.status}` }));
  } catch (problem) {
    return err(failure("RUMI-MKT-023", { url, problem: problem instanceof Error ? problem.message : "no answer" }));
  }
}
