/**
 * Runs one call of a script: TypeScript or JavaScript whose `run(input_data, context)` gives what its step gives.
 *
 * How to think: the file is made plain JavaScript once, by text alone: nothing it imports is looked for. Each call has an
 * engine of its own, in which there is the language and nothing else: no clock, chance, network, file or module.
 *
 * Invariants (script-box.test.ts): fuel ends what spins, the memory's cap what grows; nothing of one call is seen by another.
 */
import { transformSync } from "esbuild";
import { err, ok, type Json, type Result } from "@rumi/kernel";
import { openQuickJsBox, SANDBOX_LIMITS, type QuickJsBox } from "@rumi/sandbox";
import { FLOW_LIMITS } from "../limits.ts";
import type { BlockOutcome } from "../run.ts";

const [TAKE, RUN, GIVE] = [1, 2, 3] as const;
const FUEL = SANDBOX_LIMITS.wasm_fuel;

/** Of a request or an answer, each time: small enough that taking it costs a fraction of the fuel. */
const PART_BYTES = 262_144;

/** Both ways as JSON in UTF-16, in parts: `TAKE` one more of the request, `RUN`, `GIVE` one more of the answer. */
const HOST = `
globalThis.rumi_strategy = ((parse, stringify, fromCharCode, apply) => (memory, inputAt, outputAt) => {
  const head = new Uint32Array(memory, 0, 2), MOST = ${PART_BYTES / 2};
  const given = new Uint16Array(memory, inputAt, MOST), giving = new Uint16Array(memory, outputAt, MOST);
  let request = "", answer = "", at = 0;
  const take = (length) => {
    for (let from = 0; from < length; from += 4096)
      request += apply(fromCharCode, null, given.subarray(from, Math.min(length, from + 4096)));
    return 0;
  };
  const answered = () => {
    const { name, input, context } = parse(request);
    const run = rumi_block[name];
    if (typeof run !== "function") throw new TypeError("the file exports no function " + name);
    const output = run(input, context);
    if (output !== null && typeof output === "object" && typeof output.then === "function")
      throw new TypeError("it gave a promise: run must give its value");
    return stringify({ ok: true, output: output === undefined ? null : output });
  };
  const run = () => {
    try { answer = answered(); }
    catch (problem) {
      const words = problem instanceof Error ? problem.name + ": " + problem.message : String(problem);
      answer = stringify({ ok: false, error: words.slice(0, ${FLOW_LIMITS.error_characters}) });
    }
    return 0;
  };
  const give = () => {
    const length = Math.min(MOST, answer.length - at);
    for (let i = 0; i < length; i += 1) giving[i] = answer.charCodeAt(at + i);
    at += length;
    return length * 2;
  };
  return () => (head[0] === ${TAKE} ? take(head[1] / 2) : head[0] === ${RUN} ? run() : give());
})(JSON.parse, JSON.stringify, String.fromCharCode, Reflect.apply);`;

/** The script that a box takes; the problem is esbuild's own words. */
export function compileScript(file: string, text: string): Result<string, string> {
  try {
    const { code } = transformSync(text, {
      loader: file.endsWith(".ts") ? "ts" : "js",
      format: "iife",
      globalName: "rumi_block",
      target: "es2023",
      platform: "neutral",
      charset: "utf8",
      legalComments: "none",
      logLevel: "silent",
      sourcefile: file,
      tsconfigRaw: {},
    });
    return ok(`${HOST}\n${code}`); // first: what the script does to the language comes after
  } catch (problem) {
    return err(`${file} cannot be read: ${problem instanceof Error ? problem.message : String(problem)}`);
  }
}

export type ScriptCall = { readonly name: string; readonly input: Json; readonly context: Json };

export function runScript(source: string, call: ScriptCall): BlockOutcome {
  const opened = openQuickJsBox({
    source: Buffer.from(source, "utf8"),
    memory_bytes: FLOW_LIMITS.script_memory_bytes,
    fuel_per_call: FUEL,
  });
  if (!opened.ok) return problem(String(opened.error.params["problem"] ?? opened.error.code));
  const box = opened.value;
  const request = Buffer.from(JSON.stringify(call), "utf16le");
  for (let at = 0; at < request.length; at += PART_BYTES) {
    const part = request.subarray(at, at + PART_BYTES);
    box.u8.set(part, box.inputAt);
    if (box.call(TAKE, part.length) < 0) return faulted(box);
  }
  if (box.call(RUN, 0) < 0) return faulted(box);
  const parts: Buffer[] = [];
  let characters = 0;
  for (;;) {
    const given = box.call(GIVE, 0);
    if (given < 0) return faulted(box);
    characters += given / 2;
    if (characters > FLOW_LIMITS.block_bytes)
      return { ...problem(`its output is larger than ${FLOW_LIMITS.block_bytes} characters`), why: "too_large" };
    parts.push(Buffer.from(box.u8.subarray(box.outputAt, box.outputAt + given)));
    if (given < PART_BYTES) break;
  }
  return outcomeOf(Buffer.concat(parts).toString("utf16le"));
}

/** The engine is the script's own to break, so its answer is read like anything else from outside. */
function outcomeOf(text: string): BlockOutcome {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = null;
  }
  if (typeof answer === "object" && answer !== null && "ok" in answer) {
    if (answer.ok === true && "output" in answer) return { kind: "output", output: answer.output as Json };
    if (answer.ok === false && "error" in answer && typeof answer.error === "string") return problem(answer.error);
  }
  return problem("it answered something that is no answer");
}

function faulted(box: QuickJsBox): BlockOutcome {
  const fault = box.lastFault();
  return fault?.kind === "fuel"
    ? { ...problem(`it spent more than ${FUEL} units of fuel`), why: "timeout" }
    : problem(`its engine ended: ${fault?.detail ?? "it answered no number"}`);
}

const problem = (text: string): Extract<BlockOutcome, { kind: "failed" }> => ({
  kind: "failed",
  problem: text,
  error_code: null,
});
