/** A real venue simulator in a process of its own, for tests of what stands outside: started, hurt, asked, killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export const VENUE_KEY = { key_id: "bot-1", secret: "a secret of the tests" } as const;
export const ADMIN_TOKEN = "admin-of-the-tests";

export type SimOrder = {
  readonly client_order_id: string;
  readonly state: string;
  readonly filled: string;
  readonly quantity: string;
  readonly side: "buy" | "sell";
};
export type SimState = {
  readonly row: number;
  readonly rows: number;
  readonly faults_taken: Readonly<Record<string, number>>;
  readonly duplicates_refused: number;
  readonly accounts: readonly {
    readonly key_id: string;
    readonly orders: readonly SimOrder[];
    readonly fills: readonly { readonly number: number; readonly fill_id: string; readonly client_order_id: string }[];
    readonly positions: readonly { readonly instrument_id: string; readonly quantity: string; readonly cash: string }[];
  }[];
};

export type SimOptions = {
  readonly trades?: number;
  readonly port?: number;
  readonly pace?: { readonly kind: "multiple"; readonly factor: number } | { readonly kind: "manual" };
  readonly faults?: readonly string[];
  readonly requests_per_second?: number;
};

const CHILD = `
import { DEMO_INSTRUMENT, DEMO_MARKET, generateMarket, parseFault, startVenueSim } from "@rumi/venues";
const given = JSON.parse(process.argv[2]);
const feed = generateMarket({ ...DEMO_MARKET, trades: given.trades, seed: "runtime-test" });
if (!feed.ok) throw new Error("the market");
const faults = given.faults.map((text) => { const made = parseFault(text); if (!made.ok) throw new Error(text); return made.value; });
const sim = await startVenueSim({ ...given, faults, feed: feed.value, instruments: [DEMO_INSTRUMENT], maker_fee_ppm: 100, taker_fee_ppm: 400, seed: "sim", host: "127.0.0.1", wallNow_us: () => Math.round((performance.timeOrigin + performance.now()) * 1000) });
process.stdout.write(sim.url + "\\n");
process.on("SIGTERM", () => void sim.close().then(() => process.exit(0)));
`;

/** Bundles the simulator once; each call of the answer starts one over the folder's order log. */
export async function bundleVenueSim(folder: string): Promise<(options?: SimOptions) => Promise<VenueRig>> {
  const bundle = join(folder, "venue-sim.mjs");
  if (!existsSync(bundle))
    await build({
      stdin: { contents: CHILD, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
      bundle: true,
      platform: "node",
      format: "esm",
      banner: { js: REQUIRE },
      outfile: bundle,
      logLevel: "error",
    });
  writeFileSync(join(folder, "venue-key.json"), JSON.stringify(VENUE_KEY), { mode: 0o600 });
  return async (options = {}) => {
    const given = {
      trades: options.trades ?? 20_000,
      port: options.port ?? 0,
      pace: options.pace ?? { kind: "manual" },
      faults: options.faults ?? [],
      requests_per_second: options.requests_per_second ?? 0,
      keys: [VENUE_KEY],
      admin_token: ADMIN_TOKEN,
      log_path: join(folder, "orders.log"),
    };
    const child = spawn(process.execPath, [bundle, JSON.stringify(given)], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    while (!said.includes("\n")) {
      const [chunk] = (await Promise.race([
        once(child.stdout, "data"),
        once(child, "exit").then(() => [undefined]),
      ])) as [Buffer | undefined];
      if (chunk === undefined) throw new Error("the simulator ended");
      said += chunk.toString();
    }
    return new VenueRig(child, said.trim(), join(folder, "venue-key.json"));
  };
}

/** `ws` is no ES module: a bundle of it needs `require`. */
export const REQUIRE =
  'import { createRequire as rumiCreateRequire } from "node:module"; const require = rumiCreateRequire(import.meta.url);';

export class VenueRig {
  readonly url: string;
  readonly key_file: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, url: string, key_file: string) {
    this.#child = child;
    this.url = url;
    this.key_file = key_file;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async admin<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(new URL(path, this.url), {
      method,
      headers: { "x-admin-token": ADMIN_TOKEN, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as T;
  }
  arm(fault: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.admin("POST", "/admin/faults", fault);
  }
  clear(): Promise<unknown> {
    return this.admin("DELETE", "/admin/faults");
  }
  advance(rows: number): Promise<{ readonly row: number; readonly rows: number }> {
    return this.admin("POST", "/admin/advance", { rows });
  }
  state(): Promise<SimState> {
    return this.admin("GET", "/admin/state");
  }
  async orders(): Promise<readonly SimOrder[]> {
    return (await this.state()).accounts[0]?.orders ?? [];
  }
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    await ended;
  }
}
