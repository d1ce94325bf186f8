/** Entry of a thread that runs scripts (dist/script-worker.js): one call at a time, each in an engine of its own. */
import { parentPort } from "node:worker_threads";
import type { Result } from "@rumi/kernel";
import type { BlockOutcome } from "../run.ts";
import { compileScript, runScript, type ScriptCall } from "./script-box.ts";

export type ScriptJob = {
  /** Of the file's content. */
  readonly sha256: string;
  readonly file: string;
  readonly text: string;
  readonly call: ScriptCall;
};

const COMPILED_KEPT = 32;
const compiled = new Map<string, Result<string, string>>();

parentPort?.on("message", ({ sha256, file, text, call }: ScriptJob) => {
  const key = `${sha256} ${file}`;
  const source = compiled.get(key) ?? compileScript(file, text);
  if (compiled.size >= COMPILED_KEPT) compiled.clear();
  compiled.set(key, source);
  const outcome: BlockOutcome = source.ok
    ? runScript(source.value, call)
    : { kind: "failed", problem: source.error, error_code: null };
  parentPort?.postMessage(outcome);
});
