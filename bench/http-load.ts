/**
 * A closed-loop load generator in a process of its own: each caller owns a connection and sends its next command as
 * soon as the last one was answered. Prints one JSON line: {commands, refused, seconds, latencies_ms}.
 *
 * It writes and reads HTTP/1.1 by hand, because on a small machine the generator competes with the program for the
 * same cores; the answers' status and length are all it looks at.
 *
 * Arguments: base URL, token, callers, seconds, bots. Each command gives one of the bots another configuration.
 */
import { connect, type Socket } from "node:net";
import { systemClock, systemRandom, uuidv7 } from "@rumi/kernel";

const clock = systemClock();
const random = systemRandom();
const WARM_UP_MS = 2_000;
const [base = "", token = "", callersText = "64", secondsText = "5", botsText = "256"] = process.argv.slice(2);
const { hostname, port } = new URL(base);
const callers = Number(callersText);
const seconds = Number(secondsText);
const bots = Number(botsText);
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

/** One connection; `ask` resolves with the status of its answer. */
class Caller {
  readonly #socket: Socket;
  #received = "";
  #answer: ((status: number) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor() {
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#take(text));
    this.#socket.on("error", (error) => this.#fail?.(error));
    this.#socket.on("close", () => this.#fail?.(new Error("the connection was closed")));
  }

  ask(text: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
      this.#socket.write(text, "latin1");
    });
  }

  end(): void {
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received = this.#received === "" ? text : this.#received + text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#received)?.[1];
    if (length === undefined) {
      this.#fail?.(new Error(`an answer without a length: ${this.#received.slice(0, headEnd)}`));
      return;
    }
    if (this.#received.length < headEnd + 4 + Number(length)) return;
    const status = Number(this.#received.slice(9, 12));
    if (status !== 200 && firstRefusal === "") firstRefusal = this.#received;
    this.#received = "";
    this.#answer?.(status);
  }
}

const all = Array.from({ length: callers }, () => new Caller());

async function runUntil(until: number): Promise<void> {
  await Promise.all(
    all.map(async (caller) => {
      while (performance.now() < until) {
        const began = performance.now();
        if ((await caller.ask(nextRequest())) === 200) latencies.push(performance.now() - began);
        else refused += 1;
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
