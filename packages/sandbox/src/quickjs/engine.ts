/**
 * One engine instance: a runtime with its stack's cap, a context without clock or chance, values by pointer.
 *
 * Everything here runs inside the engine's own Wasm memory and pays its fuel. Names of exports are those of the pinned
 * build (engine-file.ts; box.test.ts compares them with the package's own table).
 */
import { SANDBOX_LIMITS } from "../limits.ts";
import { type WasmGlobal, type WasmMemory, type WasmModule, wasmEngine } from "../wasm/engine.ts";
import { FUEL_EXPORT } from "./engine-module.ts";
import { hostImports, type MemoryCap } from "./host.ts";

/** Name in the package's interface → export of the pinned build. */
export const ENGINE_EXPORTS = {
  malloc: "v",
  free: "M",
  QTS_RuntimeSetMaxStackSize: "D",
  QTS_GetUndefined: "E",
  QTS_NewRuntime: "K",
  QTS_NewContext: "N",
  QTS_FreeValuePointer: "P",
  QTS_FreeCString: "S",
  QTS_NewArrayBuffer: "X",
  QTS_NewFloat64: "Y",
  QTS_GetFloat64: "Z",
  QTS_GetString: "$",
  QTS_Call: "ma",
  QTS_ResolveException: "na",
  QTS_Eval: "pa",
} as const;

type Exported = Readonly<Record<keyof typeof ENGINE_EXPORTS, (...values: readonly number[]) => number>>;

/** Pages of memory that the engine is linked for; its own stack and data take about five MiB of them. */
const INITIAL_PAGES = 256;
export const ENGINE_MEMORY_MIN = INITIAL_PAGES * SANDBOX_LIMITS.wasm_page_bytes;
/** Depth of a program's calls; far below what the thread's own stack holds (box.test.ts "recursion"). */
const STACK_BYTES = 131_072;
/** What could tell one run from another. */
const LOCKDOWN = `delete globalThis.Date; delete globalThis.performance; delete Math.random;`;

export class ScriptError extends Error {}

export class QuickJsEngine {
  readonly memory: WasmMemory;
  readonly fuel: WasmGlobal;
  readonly undefined_: number;
  readonly #e: Exported;
  readonly #context: number;

  /** Throws what instantiation throws. */
  constructor(module: WasmModule, options: MemoryCap) {
    const maximum = Math.floor(options.memory_bytes / SANDBOX_LIMITS.wasm_page_bytes);
    this.memory = new wasmEngine.Memory({ initial: INITIAL_PAGES, maximum });
    const { exports } = new wasmEngine.Instance(module, hostImports(this.memory, options));
    this.fuel = exports[FUEL_EXPORT] as WasmGlobal;
    this.#e = Object.fromEntries(
      Object.entries(ENGINE_EXPORTS).map(([name, exported]) => [name, exports[exported]]),
    ) as Exported;
    this.refuel(SANDBOX_LIMITS.wasm_fuel);
    (exports["u"] as () => void)();
    const runtime = this.#e.QTS_NewRuntime();
    this.#e.QTS_RuntimeSetMaxStackSize(runtime, STACK_BYTES);
    this.#context = this.#e.QTS_NewContext(runtime, 0);
    this.undefined_ = this.#e.QTS_GetUndefined();
    this.evaluate(LOCKDOWN);
  }

  refuel(units: number): void {
    this.fuel.value = units;
  }

  /** Runs a script; its value's pointer. Throws ScriptError when the script throws. */
  evaluate(source: string): number {
    const text = this.#put(source);
    const name = this.#put("strategy.js");
    const value = this.#e.QTS_Eval(this.#context, text.at, text.bytes, name.at, 0, 0);
    this.#e.free(text.at);
    this.#e.free(name.at);
    return this.#sound(value);
  }

  number(value: number): number {
    return this.#e.QTS_NewFloat64(this.#context, value);
  }

  /** Room for `bytes`, at a multiple of eight, and an ArrayBuffer over it. */
  buffer(bytes: number): { readonly at: number; readonly value: number } {
    const at = Math.ceil(this.#e.malloc(bytes + 8) / 8) * 8;
    return { at, value: this.#e.QTS_NewArrayBuffer(this.#context, at, bytes) };
  }

  /** Calls with arguments; throws ScriptError when the function does. */
  callWith(callee: number, values: readonly number[]): number {
    const list = this.#e.malloc(4 * values.length);
    new Uint32Array(this.memory.buffer).set(values, list >>> 2);
    const answer = this.#e.QTS_Call(this.#context, callee, this.undefined_, values.length, list);
    this.#e.free(list);
    return this.#sound(answer);
  }

  /** Calls without arguments; what it answered as a number, NaN when it is none or threw. */
  callForNumber(callee: number): number {
    const answer = this.#e.QTS_Call(this.#context, callee, this.undefined_, 0, 0);
    const value = this.#e.QTS_GetFloat64(this.#context, answer);
    this.#e.QTS_FreeValuePointer(this.#context, answer);
    return value;
  }

  #sound(value: number): number {
    const error = this.#e.QTS_ResolveException(this.#context, value);
    if (error === 0) return value;
    const text = this.#e.QTS_GetString(this.#context, error);
    throw new ScriptError(text === 0 ? "it threw what has no text" : this.#text(text));
  }

  #put(text: string): { readonly at: number; readonly bytes: number } {
    const encoded = new TextEncoder().encode(text);
    const at = this.#e.malloc(encoded.length + 1);
    const memory = new Uint8Array(this.memory.buffer);
    memory.set(encoded, at);
    memory[at + encoded.length] = 0;
    return { at, bytes: encoded.length };
  }

  #text(at: number): string {
    const memory = new Uint8Array(this.memory.buffer);
    const end = memory.indexOf(0, at);
    return new TextDecoder().decode(memory.subarray(at, Math.min(end === -1 ? memory.length : end, at + 1_000)));
  }
}
