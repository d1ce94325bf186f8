/**
 * Reads over HTTP, one after another and each over the same connection, so many of each path. Prints one JSON line: the
 * latencies in ms of each path, in the order of the paths.
 *
 * Arguments: base URL, token, reads of each path, pause between two reads in ms, paths as JSON.
 */
import { Caller } from "./http-caller.ts";

const WARM_UP = 50;
const [base = "", token = "", readsText = "500", pauseText = "0", pathsText = "[]"] = process.argv.slice(2);
const { hostname, port } = new URL(base);
const paths = JSON.parse(pathsText) as readonly string[];
const pause_ms = Number(pauseText);
const caller = new Caller(hostname, Number(port));
const latencies_ms: number[][] = paths.map(() => []);

for (let read = -WARM_UP; read < Number(readsText); read += 1)
  for (const [at, path] of paths.entries()) {
    if (pause_ms > 0) await new Promise((resolve) => setTimeout(resolve, pause_ms));
    const began = performance.now();
    const status = await caller.ask(
      `GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
    if (status !== 200) throw new Error(`${path} was answered: ${caller.last}`);
    if (read >= 0) latencies_ms[at]?.push(performance.now() - began);
  }
caller.end();
process.stdout.write(`${JSON.stringify(latencies_ms)}\n`);
