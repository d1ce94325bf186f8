/**
 * Runs scripts of approved packs in threads that are warm; the contract is a Python block's.
 *
 * How to think: the engine is the wall (script-box.ts); the thread is what a deadline can end without anybody's help. A
 * thread serves one call at a time and no more of them live than the limit.
 *
 * Invariants (packages/rumi/test/steps.e2e.test.ts): a late script's thread is gone, and the next call has another.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { failureText, millis, sha256Hex, type Clock, type Failure, type Result } from "@rumi/kernel";
import { readPlain } from "../../packs/files.ts";
import type { VerifiedPack } from "../../packs/library.ts";
import { fileOf, type BlockCall, type Blocks } from "../blocks.ts";
import { FLOW_LIMITS } from "../limits.ts";
import type { BlockOutcome } from "../run.ts";
import { SCRIPT_ENDINGS } from "./parse.ts";
import type { ScriptJob } from "./script-worker.ts";

export type ScriptDeps = {
  /** dist/script-worker.js */
  readonly worker_url: URL;
  readonly clock: Pick<Clock, "sleep">;
  readonly verify: (pack_id: string) => Promise<Result<VerifiedPack, Failure>>;
};
export type Scripts = Pick<Blocks, "call" | "close">;

export function createScripts({ worker_url, clock, verify }: ScriptDeps): Scripts {
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const waiting: (() => void)[] = [];
  let places = FLOW_LIMITS.script_threads as number;
  let closed = false;

  const end = async (worker: Worker): Promise<void> => {
    all.delete(worker);
    await worker.terminate();
  };
  const take = (): Worker => {
    const worker = idle.pop() ?? new Worker(worker_url, { env: {}, stdin: false });
    all.add(worker);
    return worker;
  };
  const serve = async (call: BlockCall): Promise<BlockOutcome> => {
    const job = await jobOf(call, verify);
    if ("kind" in job) return job;
    const worker = take();
    const outcome = await exchange(worker, job, call, clock);
    if (outcome.kept && !closed) idle.push(worker);
    else await end(worker);
    return outcome.outcome;
  };
  return {
    call: async (call) => {
      if (places > 0) places -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return closed || call.signal.aborted ? problem("nobody waits for it any more") : await serve(call);
      } finally {
        const next = waiting.shift();
        if (next === undefined) places += 1;
        else next();
      }
    },
    close: async () => {
      closed = true;
      idle.length = 0;
      await Promise.all([...all].map(end));
    },
  };
}

async function jobOf(call: BlockCall, verify: ScriptDeps["verify"]): Promise<ScriptJob | BlockOutcome> {
  const pack = await verify(call.owner_pack);
  if (!pack.ok) {
    const { text, next } = failureText(pack.error, "en");
    return { kind: "failed", problem: `${text} ${next}`, error_code: pack.error.code };
  }
  const file = fileOf(pack.value, call.file, SCRIPT_ENDINGS);
  const bytes = file === undefined ? undefined : await readPlain(join(pack.value.directory, file));
  if (file === undefined || bytes === undefined) return problem(`the pack ${call.owner_pack} has no file ${call.file}`);
  const sha256 = sha256Hex(bytes);
  // Read after it was verified: what runs is what was approved, whoever wrote to it in between.
  if (pack.value.entries.find(({ path }) => path === file)?.sha256 !== sha256)
    return problem(`${file} is not what was approved`);
  if (bytes.length > FLOW_LIMITS.file_bytes) return problem(`${file} is larger than ${FLOW_LIMITS.file_bytes} bytes`);
  const request = { name: call.function ?? "run", input: call.input, context: call.context };
  if (Buffer.byteLength(JSON.stringify(request)) > FLOW_LIMITS.block_bytes)
    return problem(`its input is larger than ${FLOW_LIMITS.block_bytes} bytes`);
  return { sha256, file, text: bytes.toString("utf8"), call: request };
}

type Exchanged = { readonly outcome: BlockOutcome; readonly kept: boolean };

/** One job and its answer; `kept` is whether the thread may serve another. */
async function exchange(
  worker: Worker,
  job: ScriptJob,
  { timeout_ms, signal }: BlockCall,
  clock: ScriptDeps["clock"],
): Promise<Exchanged> {
  const settled = new AbortController();
  const lost = (text: string): Exchanged => ({ outcome: problem(text), kept: false });
  const answered = new Promise<Exchanged>((resolve) => {
    const on = (event: "message" | "error" | "exit", take: (value: unknown) => Exchanged): void => {
      const listener = (value: unknown): void => resolve(take(value));
      worker.once(event, listener);
      settled.signal.addEventListener("abort", () => void worker.off(event, listener));
    };
    on("message", (outcome) => ({ outcome: outcome as BlockOutcome, kept: true }));
    on("error", (error) => lost(`its thread failed: ${error instanceof Error ? error.message : String(error)}`));
    on("exit", () => lost("its thread ended"));
    const stop = (): void => resolve(lost("nobody waits for it any more"));
    signal.addEventListener("abort", stop);
    settled.signal.addEventListener("abort", () => signal.removeEventListener("abort", stop));
  });
  const late = clock.sleep(millis(timeout_ms), settled.signal).then((): Exchanged => ({
    outcome: { ...problem(`it gave no answer within ${timeout_ms / 1_000} s`), why: "timeout" },
    kept: false,
  }));
  worker.postMessage(job);
  try {
    return await Promise.race([answered, late]);
  } finally {
    settled.abort();
  }
}

const problem = (text: string): Extract<BlockOutcome, { kind: "failed" }> => ({
  kind: "failed",
  problem: text,
  error_code: null,
});
