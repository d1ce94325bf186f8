/**
 * A load generator in a process of its own: each caller owns a connection and sends its next command as soon as the last
 * one was answered, or, where a rate is given, when its turn has come. Prints one JSON line: {commands, refused, seconds,
 * latencies_ms}; with a rate a latency counts from the moment at which the command was due.
 *
 * Arguments: base URL, token, callers, seconds, bots, rate in commands a second. Each command gives one of the bots
 * another configuration.
 */
import { systemClock, systemRandom, uuidv7 } from "@rumi/kernel";
import { Caller } from "./http-caller.ts";

const clock = systemClock();
const random = systemRandom();
const WARM_UP_MS = 2_000;
const [base = "", token = "", callersText = "64", secondsText = "5", botsText = "256", rateText = ""] =
  process.argv.slice(2);
const { hostname, port } = new URL(base);
const callers = Number(callersText);
const seconds = Number(secondsText);
const bots = Number(botsText);
/** Between two commands of one caller; null without a rate. */
const every_ms = rateText === "" ? null : (callers * 1_000) / Number(rateText);
const head = `host: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`;
let latencies: number[] = [];
let refused = 0;
let firstRefusal = "";
let sent = 0;

function nextRequest(): string {
  sent += 1;
  // Odd steps, so that consecutive commands go to bots far apart and every bot gets a new value each time.
  const bot = `bench-${(sent * 97) % bots}`;
  const body = `{"command_id":"${uuidv7(clock.now(), random)}","config":{"order_quantity":"1","fast_trades":${1 + (sent % 1_000)},"slow_trades":${2_000 + (Math.floor(sent / bots) % 1_000)}},"at":"next_tick","reason":"measured by the bench"}`;
  return `POST /api/bots/${bot}/config/apply HTTP/1.1\r\n${head}content-length: ${body.length}\r\n\r\n${body}`;
}

const all = Array.from({ length: callers }, () => new Caller(hostname, Number(port)));

/** Whoever has seen enough ends it early. */
let over = Number.POSITIVE_INFINITY;
process.once("SIGTERM", () => (over = performance.now()));

async function runUntil(until: number): Promise<void> {
  const from = performance.now();
  await Promise.all(
    all.map(async (caller, at) => {
      let due = from + (every_ms === null ? 0 : (every_ms * at) / callers);
      while (performance.now() < Math.min(until, over) && due < until) {
        if (every_ms === null) due = performance.now();
        else if (due > performance.now()) await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
        if ((await caller.ask(nextRequest())) === 200) latencies.push(performance.now() - due);
        else {
          refused += 1;
          if (firstRefusal === "") firstRefusal = caller.last;
        }
        due += every_ms ?? 0;
      }
    }),
  );
}

await runUntil(performance.now() + WARM_UP_MS);
latencies = [];
refused = 0;
const cpu = process.cpuUsage();
const started = performance.now();
await runUntil(started + seconds * 1_000);
const elapsed = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(cpu);
for (const caller of all) caller.end();
process.stdout.write(
  `${JSON.stringify({ commands: latencies.length, refused, first_refusal: firstRefusal, seconds: elapsed, cpu_seconds: (user + system) / 1e6, latencies_ms: latencies })}\n`,
);
