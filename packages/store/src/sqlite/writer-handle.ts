/** The writer as the store sees it: the same code in a thread of its own, or in this one. */
import { Worker } from "node:worker_threads";
import { err, failure, invariant, ok, type Failure, type Result } from "@rumi/kernel";
import type { Outcome } from "../group-queue.ts";
import type { PreparedBatch } from "../batch.ts";
import { packGroup } from "./group-pack.ts";
import { unpackOutcomes, type FromWriter, type ToWriter, type WriterStart } from "./writer-protocol.ts";
import { openWriter } from "./writer.ts";

export type WriterPlace =
  /** The shipped way: `worker_url` is the bundled writer-worker.js. */
  | { readonly kind: "worker"; readonly worker_url: URL }
  /** Same code without a thread: for tests and the simulator. */
  | { readonly kind: "in_process" };

export type WriterHandle = {
  /** One group at a time; never rejects. */
  commitGroup(group: readonly PreparedBatch[]): Promise<readonly Outcome[]>;
  close(): Promise<void>;
};

export function startWriter(place: WriterPlace, start: WriterStart): Promise<Result<WriterHandle, Failure>> {
  return place.kind === "worker" ? startWorker(place.worker_url, start) : Promise.resolve(startHere(start));
}

function startHere(start: WriterStart): Result<WriterHandle, Failure> {
  const opened = openWriter(start);
  if (!opened.ok) return opened;
  const writer = opened.value;
  return ok({ commitGroup: async (group) => writer.commitGroup(group), close: async () => writer.close() });
}

async function startWorker(worker_url: URL, start: WriterStart): Promise<Result<WriterHandle, Failure>> {
  const worker = new Worker(worker_url, { workerData: start, env: {}, name: "rumi-store-writer" });
  let answer: ((message: FromWriter | Error) => void) | undefined;
  let dead: Error | undefined;
  const end = (cause: Error): void => {
    dead ??= cause;
    answer?.(dead);
  };
  worker.on("message", (message: FromWriter) => answer?.(message));
  worker.on("error", end);
  worker.on("exit", (code) => end(new Error(`the writer's thread ended with ${code}`)));

  const next = (send?: ToWriter): Promise<FromWriter | Error> => {
    if (dead !== undefined) return Promise.resolve(dead);
    invariant(answer === undefined, "the writer is asked one thing at a time");
    return new Promise((resolve) => {
      answer = (message) => {
        answer = undefined;
        resolve(message);
      };
      if (send !== undefined)
        worker.postMessage(send, send.kind === "group" ? [send.group.bytes.buffer as ArrayBuffer] : []);
    });
  };

  const first = await next();
  if (first instanceof Error) return err(failure("RUMI-STO-006", { problem: first.message }, { cause: first }));
  if (first.kind === "refused") return err(first.failure);
  invariant(first.kind === "ready", `the writer began with ${first.kind}`);
  return ok({
    commitGroup: async (group) => {
      const wasDead = dead !== undefined;
      const reply = await next({ kind: "group", group: packGroup(group) });
      if (reply instanceof Error) {
        // A thread that dies while it holds a group may have committed it: only a dead one surely did nothing.
        const failed: Outcome = err({
          kind: "failed",
          failure: failure(wasDead ? "RUMI-STO-006" : "RUMI-STO-011", { problem: reply.message }, { cause: reply }),
        });
        return group.map(() => failed);
      }
      invariant(reply.kind === "outcomes", `the writer answered ${reply.kind}`);
      return unpackOutcomes(reply.outcomes);
    },
    close: async () => {
      if (dead === undefined) await next({ kind: "close" });
      await worker.terminate();
    },
  });
}
