/**
 * Threads that vouch for ranges of a stored log while another reads its head: `verifyLog`'s vouchers for SQLite.
 *
 * They start with the first range that is asked for. One that ends, or never starts, ends the verification with
 * RUMI-LOG-030: a range that nobody looked at is never taken for whole.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { failure, FailureError, invariant } from "@rumi/kernel";
import { RANGE_ENTRIES, type RangeVouchers } from "@rumi/ledger";

export type VoucherStart = { readonly path: string };
export type ToVoucher = { readonly first_index: number };
export type FromVoucher = { readonly roots: Uint8Array | undefined };

/** How many ranges a thread has before it: the one it looks at, and the next. */
const RANGES_PER_THREAD = 2;
/** A thread takes as long to start as some ranges to read. */
const LEAST_SIZE = 8 * RANGE_ENTRIES;

export type VoucherOptions = {
  /** The store's file. */
  readonly path: string;
  /** The bundled verify-worker.js. */
  readonly worker_url: URL;
  /** Default: as many as the machine runs at once. */
  readonly threads?: number;
  readonly least_size?: number;
};

export type VoucherThreads = RangeVouchers & { readonly close: () => Promise<void> };

export function sqliteVouchers(options: VoucherOptions): VoucherThreads {
  const { path, worker_url, threads = availableParallelism(), least_size = LEAST_SIZE } = options;
  const started: VoucherThread[] = [];
  return {
    at_once: threads * RANGES_PER_THREAD,
    least_size,
    vouch: (first_index) => {
      while (started.length < threads) started.push(startThread(worker_url, { path }));
      const least = started.reduce((a, b) => (b.waiting() < a.waiting() ? b : a));
      return least.vouch(first_index);
    },
    close: async () => {
      await Promise.all(started.map((thread) => thread.close()));
    },
  };
}

type VoucherThread = Pick<RangeVouchers, "vouch"> & {
  readonly waiting: () => number;
  readonly close: () => Promise<void>;
};
type Asked = {
  readonly resolve: (roots: Uint8Array | undefined) => void;
  readonly reject: (cause: FailureError) => void;
};

function startThread(worker_url: URL, start: VoucherStart): VoucherThread {
  const worker = new Worker(worker_url, { workerData: start, env: {}, name: "rumi-verify" });
  const asked: Asked[] = [];
  let dead: FailureError | undefined;
  const end = (problem: string, cause?: unknown): void => {
    dead ??= new FailureError(failure("RUMI-LOG-030", { problem }, { cause }));
    for (const { reject } of asked.splice(0)) reject(dead);
  };
  worker.on("message", ({ roots }: FromVoucher) => {
    const first = asked.shift();
    invariant(first !== undefined, "an answer that nobody asked for");
    first.resolve(roots);
  });
  worker.on("error", (cause) => end(cause instanceof Error ? cause.message : String(cause), cause));
  worker.on("exit", (code) => end(`it ended with ${code}`));
  return {
    waiting: () => asked.length,
    vouch: (first_index) => {
      if (dead !== undefined) return Promise.reject(dead);
      return new Promise((resolve, reject) => {
        asked.push({ resolve, reject });
        worker.postMessage({ first_index } satisfies ToVoucher);
      });
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
