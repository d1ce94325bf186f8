/** A run's files as they are served: its log, its bundles and their signed forms, byte for byte. */
import { createReadStream, existsSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { err, failure, millis, ok, type Clock, type Failure, type Result } from "@rumi/kernel";
import type { ServedDocument } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { statusOf, type Bundle } from "./model.ts";
import { placesOf } from "./places.ts";
import { readBundles, readChecks, readRun } from "./tables.ts";

type Served = Promise<Result<ServedDocument, Failure>>;
export interface RunFiles {
  /** The command's log, or that of the check with this key. */
  log(run_id: number, check_key: string | undefined): Served;
  /** The command's log as server-sent events, as it grows, until the run has ended. */
  stream(run_id: number): Served;
  /** The newest revision where none is named. */
  proof(run_id: number, revision: number | undefined): Served;
  attestation(run_id: number, revision: number | undefined): Served;
}

const LOOK_EVERY_MS = 200;
const PIECE_BYTES = 65_536;

export function runFiles(of: {
  readonly store: Store;
  readonly clock: Clock;
  readonly root: string;
  readonly closing: AbortSignal;
}): RunFiles {
  const { store, root } = of;
  const bundle = async (run_id: number, revision: number | undefined): Promise<Result<Bundle, Failure>> => {
    if ((await readRun(store, store, run_id)) === undefined) return unknown(run_id);
    const all = await readBundles(store, store, run_id);
    const found = revision === undefined ? all.at(-1) : all.find((one) => one.revision === revision);
    return found === undefined ? err(failure("RUMI-RUN-007", { run_id, revision: revision ?? "1" })) : ok(found);
  };
  const isRunning = async (run_id: number): Promise<boolean> => {
    const run = await readRun(store, store, run_id);
    return run !== undefined && statusOf(run) === "running";
  };
  return {
    log: async (run_id, check_key) => {
      if ((await readRun(store, store, run_id)) === undefined) return unknown(run_id);
      const found = (await readChecks(store, store, run_id)).find((one) => one.check_key === check_key);
      if (check_key !== undefined && found === undefined) return unknown(run_id);
      const path = found === undefined ? placesOf(root, run_id).log : join(root, found.log_ref);
      return ok({ document: existsSync(path) ? createReadStream(path) : new Uint8Array() });
    },
    stream: async (run_id) => {
      if ((await readRun(store, store, run_id)) === undefined) return unknown(run_id);
      return ok({
        document: Readable.from(
          frames({ ...of, path: placesOf(root, run_id).log, isRunning: () => isRunning(run_id) }),
        ),
      });
    },
    proof: async (run_id, revision) => {
      const found = await bundle(run_id, revision);
      return found.ok ? ok({ document: await readFile(join(root, found.value.ref)) }) : found;
    },
    attestation: async (run_id, revision) => {
      const found = await bundle(run_id, revision);
      return found.ok ? ok({ document: await readFile(join(root, found.value.attestation_ref)) }) : found;
    },
  };
}

const unknown = (run_id: number): Result<never, Failure> => err(failure("RUMI-RUN-001", { run_id }));

/** A frame for each whole line; `end` when nothing more will come. */
async function* frames(of: {
  readonly path: string;
  readonly isRunning: () => Promise<boolean>;
  readonly clock: Clock;
  readonly closing: AbortSignal;
}): AsyncGenerator<string> {
  let at = 0;
  let rest = Buffer.alloc(0);
  yield "retry: 1000\n\n";
  while (!of.closing.aborted) {
    const mayGrow = await of.isRunning(); // asked before it is read: what came meanwhile is read all the same
    for (let piece = await readFrom(of.path, at); piece.length > 0; piece = await readFrom(of.path, at)) {
      at += piece.length;
      rest = Buffer.concat([rest, piece]);
      const end = rest.lastIndexOf(10) + 1;
      const lines = rest.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
      rest = rest.subarray(end);
      if (lines.length > 0) yield lines.map((line) => `event: line\ndata: ${line}\n\n`).join("");
    }
    if (!mayGrow) break;
    await of.clock.sleep(millis(LOOK_EVERY_MS), of.closing);
  }
  yield `event: end\ndata: ${of.closing.aborted ? "interrupted" : "ended"}\n\n`;
}

async function readFrom(path: string, position: number): Promise<Buffer> {
  if (!existsSync(path)) return Buffer.alloc(0);
  const file = await open(path, "r");
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
