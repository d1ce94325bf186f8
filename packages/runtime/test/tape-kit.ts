/** Rows of a tape by their number, state checkpoints beside it, and processes of their own that write and read one. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Digest } from "@rumi/kernel";
import type { FeedRow } from "@rumi/venues";
import { CheckpointSlots } from "../src/checkpoint/slots.ts";

/** Trades for the most part; every seventh row is a quote, a bar, a book snapshot or an increment. */
export function rowAt(n: number): FeedRow {
  const head = {
    instrument: n % 3,
    event_time_us: 1_800_000_000_000_000 + n,
    received_time_us: 1_800_000_000_000_500 + n,
    flags: n % 32,
  };
  switch (n % 7) {
    case 1:
      return { kind: "quote", ...head, bid_price: 100 + n, bid_quantity: n, ask_price: 102 + n, ask_quantity: 7 };
    case 2: {
      const prices = { open: 100 + n, high: 110 + n, low: 90 + n, close: 105 + n };
      return { kind: "bar", ...head, duration_us: 60_000_000, ...prices, volume: 2 ** 52 - n, trades: n };
    }
    case 3:
    case 5: {
      const isWhole = n % 3 === 0;
      const bids = [[1_000 + (n % 9), isWhole ? 5 : n % 4] as const, [990, 2 + n] as const];
      const sequences = { first_sequence: n, last_sequence: n + 1 };
      return {
        kind: "book",
        ...head,
        action: isWhole ? "snapshot" : "increment",
        ...sequences,
        bids,
        asks: [[1_020 + (n % 5), 3]],
      };
    }
    default:
      return {
        kind: "trade",
        ...head,
        price: Number.MAX_SAFE_INTEGER - n,
        quantity: 5 + n,
        aggressor: n % 3,
        trade_id: 2 ** 40 + n,
      };
  }
}

/** State checkpoints of a run at these rows, the last one the newest. */
export function standAt(run_dir: string, ...cursors: readonly number[]): void {
  const slots = CheckpointSlots.create(join(run_dir, "checkpoints"));
  for (const last_event_cursor of cursors) {
    const digest = `sha256:${"1".repeat(64)}` as Digest;
    const written = slots.write({
      header: {
        schema_version: 1,
        generation: slots.nextGeneration,
        run_id: "0197a000-0000-7000-8000-000000000001",
        epoch: 1,
        pack_digest: digest,
        config_digest: digest,
        state_schema_version: 1,
        last_event_cursor,
        event_time_us: 0,
        journal_seq: 0,
        journal_chain: "00".repeat(32),
        next_intent_key: 0,
        machine: {},
      },
      strategy: new Uint8Array(),
      venue: new Uint8Array(),
    });
    if (!written.ok) throw new Error(written.error.code);
  }
}

export type Task =
  /** Writes until it is killed, and says after each flush how many rows that was. */
  | { readonly task: "write"; readonly path: string; readonly until_rows: number }
  /** Writes a tape and reads it as a stream with so large a heap. */
  | { readonly task: "stream"; readonly path: string; readonly megabytes: number; readonly heap_mb: number };

/** The task in a process of its own; a writer is killed with SIGKILL when it has said enough. */
export async function runApart(task: Task): Promise<{ readonly lines: readonly string[] }> {
  const script = fileURLToPath(new URL("../src/tape/tape.fixture.ts", import.meta.url));
  const heap = task.task === "stream" ? [`--max-old-space-size=${task.heap_mb}`] : [];
  const child = spawn(process.execPath, [...heap, "--import", "tsx", script, JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (part: string) => {
    text += part;
    if (task.task === "write" && Number(text.trimEnd().split("\n").at(-1)) >= task.until_rows) child.kill("SIGKILL");
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once("close", (...end) => resolve(end)),
  );
  if (code !== 0 && signal !== "SIGKILL") throw new Error(`the process ended with ${code ?? signal}: ${text}`);
  return { lines: text.slice(0, text.lastIndexOf("\n")).split("\n") };
}
