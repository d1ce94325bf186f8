/** `rumi venue-sim` as a user starts it, and its books as its administrator reads them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, ROOT } from "./program.ts";

export type Books = {
  readonly accounts: readonly {
    readonly orders: readonly { readonly client_order_id: string; readonly state: string }[];
    readonly fills: readonly { readonly fill_id: string }[];
  }[];
  readonly duplicates_refused: number;
};
export type Simulator = {
  readonly url: string;
  readonly pid: number | undefined;
  readonly key_file: string;
  books(): Promise<Books>;
  stop(): Promise<void>;
};

/** `data`: where it keeps its orders; 100,000 trades, `rate` a second; `port`: any free one unless told. */
export async function startSimulator(
  data: string,
  {
    rate = 60,
    faults = [],
    port = 0,
  }: { readonly rate?: number; readonly faults?: readonly string[]; readonly port?: number } = {},
): Promise<Simulator> {
  const args = ["--data", data, "--port", String(port), "--rate", String(rate), "--trades", "100000"];
  const sim = spawn(
    process.execPath,
    [join(ROOT, "bin/rumi"), "venue-sim", ...args, ...faults.flatMap((fault) => ["--fault", fault])],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let said = "";
  sim.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const url = await eventually(() => /http:\/\/[0-9.:]+/.exec(said)?.[0]);
  return {
    url,
    pid: sim.pid,
    key_file: join(data, "key.json"),
    books: async () => {
      const token = readFileSync(join(data, "admin-token"), "utf8").trim();
      return (await (
        await fetch(new URL("/admin/state", url), { headers: { "x-admin-token": token } })
      ).json()) as Books;
    },
    stop: async () => {
      if (sim.exitCode !== null) return;
      const ended = once(sim, "exit");
      sim.kill("SIGTERM");
      await ended;
    },
  };
}
