/**
 * Runs a flow over HTTP from a process of its own: each caller owns a connection and asks again as soon as it was answered.
 * Beside them one connection may read a path every few milliseconds. Prints one JSON line:
 * {runs, refused, first_refusal, seconds, latencies_ms, beside_ms}.
 *
 * Arguments: base URL, token, flow, callers, seconds, path to read beside them ("" for none).
 */
import { Caller } from "./http-caller.ts";

const WARM_UP_MS = 2_000;
const BESIDE_EVERY_MS = 5;
const [base = "", token = "", flow = "", callersText = "1", secondsText = "5", beside = ""] = process.argv.slice(2);
const { hostname, port } = new URL(base);
const head = `host: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\n`;
const body = '{"inputs":{"name":"World"}}';
const request = `POST /api/flows/${flow}/run HTTP/1.1\r\n${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const all = Array.from({ length: Number(callersText) }, () => new Caller(hostname, Number(port)));
const reader = new Caller(hostname, Number(port));

type Seen = { refused: number; first_refusal: string; readonly latencies_ms: number[]; readonly beside_ms: number[] };

async function runFor(ms: number): Promise<Seen> {
  const seen: Seen = { refused: 0, first_refusal: "", latencies_ms: [], beside_ms: [] };
  const until = performance.now() + ms;
  const callers = all.map(async (caller) => {
    while (performance.now() < until) {
      const asked = performance.now();
      if ((await caller.ask(request)) === 200) seen.latencies_ms.push(performance.now() - asked);
      else {
        seen.refused += 1;
        if (seen.first_refusal === "") seen.first_refusal = caller.last;
      }
    }
  });
  while (beside !== "" && performance.now() < until) {
    const asked = performance.now();
    const status = await reader.ask(`GET ${beside} HTTP/1.1\r\n${head}\r\n`);
    if (status !== 200) throw new Error(`${beside} was answered: ${reader.last}`);
    seen.beside_ms.push(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, BESIDE_EVERY_MS));
  }
  await Promise.all(callers);
  return seen;
}

await runFor(WARM_UP_MS);
const started = performance.now();
const seen = await runFor(Number(secondsText) * 1_000);
const seconds = (performance.now() - started) / 1_000;
for (const caller of [...all, reader]) caller.end();
process.stdout.write(`${JSON.stringify({ ...seen, runs: seen.latencies_ms.length, seconds })}\n`);
