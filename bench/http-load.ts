/**
 * A closed-loop load generator in a process of its own: `callers` connections, each sends the next command as soon
 * as the last one was answered. Prints one JSON line: {commands, seconds, latencies_ms}.
 *
 * Arguments: base URL, token, callers, seconds.
 */
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";

const [base = "", token = "", callersText = "64", secondsText = "5"] = process.argv.slice(2);
const callers = Number(callersText);
const seconds = Number(secondsText);
const agent = new Agent({ keepAlive: true, maxSockets: callers });
const url = new URL("/api/safety/set", base);
const latencies: number[] = [];
let refused = 0;

function once(): Promise<void> {
  const body = JSON.stringify({ command_id: randomUUID(), mode: "NORMAL", reason: "measured by the bench" });
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: "POST", agent, headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": Buffer.byteLength(body) } },
      (answer) => {
        answer.resume();
        answer.on("end", () => {
          if (answer.statusCode === 200) latencies.push(performance.now() - started);
          else refused += 1;
          resolve();
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

async function caller(until: number): Promise<void> {
  while (performance.now() < until) await once();
}

await Promise.all(Array.from({ length: callers }, () => caller(performance.now() + 1_000))); // warm-up
latencies.length = 0;
const started = performance.now();
await Promise.all(Array.from({ length: callers }, () => caller(started + seconds * 1_000)));
const elapsed = (performance.now() - started) / 1_000;
agent.destroy();
process.stdout.write(`${JSON.stringify({ commands: latencies.length, refused, seconds: elapsed, latencies_ms: latencies })}\n`);
