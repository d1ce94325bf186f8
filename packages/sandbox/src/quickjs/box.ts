/**
 * A strategy in JavaScript, interpreted by an engine that pays fuel, in the lane's own thread (L2).
 *
 * How to think: the script defines one function, `rumi_strategy(memory, inputAt, outputAt)`, which answers the function
 * that takes every call. Both sides see one buffer: a head of two words (callback, bytes), room for input, room for output.
 * A call writes the head, calls, and takes the number that comes back. Every strategy has an engine of its own; whatever it
 * breaks there is its own. After a fault the box is dead until `reset()`.
 *
 * Invariants
 * - No host function, clock, chance, module or timer can be reached (box.test.ts "[M-5.2.3]").
 * - Same script, same calls: same answers, same fuel, on every machine (box.test.ts "[M-0.7]").
 * - Spinning ends by fuel, in the program's loops as in the engine's native ones (box.test.ts "[M-5.2.1]").
 * - Memory is capped by what the host grants and, behind it, by the Wasm memory's own maximum (box.test.ts "[M-5.2.7]").
 *   The engine's own limit is not used: this build of it counts allocations, not their bytes.
 */
import { type Failure, type Result, err, failure, ok } from "@rumi/kernel";
import { type BoxFault, boxFault } from "../fault.ts";
import { SANDBOX_LIMITS } from "../limits.ts";
import { type WasmModule, wasmEngine } from "../wasm/engine.ts";
import { WASM_FAULTED } from "../wasm/box.ts";
import { ENGINE_MEMORY_MIN, QuickJsEngine, ScriptError } from "./engine.ts";
import { engineModule } from "./engine-module.ts";
import { EngineTrap } from "./host.ts";

const HEAD_BYTES = 8;
const ROOM_BYTES = SANDBOX_LIMITS.frame_bytes;
const TAKE_STRATEGY = `(function () {
  const open = globalThis.rumi_strategy;
  delete globalThis.rumi_strategy;
  if (typeof open !== "function") throw new TypeError("the script defines no function rumi_strategy");
  return open;
})()`;

export type QuickJsBoxOptions = {
  /** The script, UTF-8. */
  readonly source: Uint8Array;
  /** Engine, buffers and heap together; at least 16 MiB, at most `wasm_memory_bytes`. */
  readonly memory_bytes: number;
  /** Fuel of each call, 1 … `wasm_fuel`; a step of the program costs about sixty units. */
  readonly fuel_per_call: number;
  /** For tests of the dual fence (M-5.2.7): the host grants whatever the engine asks for. */
  readonly without?: "grow_cap";
};

export function openQuickJsBox(options: QuickJsBoxOptions): Result<QuickJsBox, Failure> {
  for (const [name, value, least, most] of [
    ["memory_bytes", options.memory_bytes, ENGINE_MEMORY_MIN, SANDBOX_LIMITS.wasm_memory_bytes],
    ["fuel_per_call", options.fuel_per_call, 1, SANDBOX_LIMITS.wasm_fuel],
    ["script bytes", options.source.length, 1, SANDBOX_LIMITS.script_bytes],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least || value > most)
      return err(failure("RUMI-STR-055", { name, value, least, most }, { reasonCode: "M.SANDBOX.OPTION" }));
  }
  const module = engineModule();
  if (!module.ok) return module;
  const refused = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-STR-067", { problem }, { reasonCode: "M.SANDBOX.SCRIPT" }));
  let source: string;
  try {
    source = new TextDecoder("utf-8", { fatal: true }).decode(options.source);
  } catch {
    return refused("it is not UTF-8");
  }
  const box = new QuickJsBox(module.value, source, options);
  const fault = box.lastFault();
  return fault === null ? ok(box) : refused(fault.detail);
}

export class QuickJsBox {
  readonly level = "L2";
  readonly mechanism = "quickjs-wasm-fuel";
  /** View of the engine's memory; read it anew after any call. */
  u8 = new Uint8Array();
  inputAt = 0;
  outputAt = 0;
  readonly roomBytes = ROOM_BYTES;
  private readonly module: WasmModule;
  private readonly source: string;
  private readonly options: QuickJsBoxOptions;
  private engine: QuickJsEngine | null = null;
  private head = new Uint32Array();
  private headAt = 0;
  private callee = 0;
  private fault: BoxFault | null = null;

  /** `openQuickJsBox` is the door. */
  constructor(module: WasmModule, source: string, options: QuickJsBoxOptions) {
    this.module = module;
    this.source = source;
    this.options = options;
    this.reset();
  }

  /** A fresh engine that has just loaded the script. */
  reset(): void {
    this.fault = null;
    this.engine = null;
    try {
      const engine = new QuickJsEngine(this.module, this.options);
      this.engine = engine;
      engine.evaluate(this.source);
      const open = engine.evaluate(TAKE_STRATEGY);
      const shared = engine.buffer(HEAD_BYTES + 2 * ROOM_BYTES);
      const places = [HEAD_BYTES, HEAD_BYTES + ROOM_BYTES].map((at) => engine.number(at));
      this.callee = engine.callWith(open, [shared.value, ...places]);
      this.headAt = shared.at;
      this.inputAt = shared.at + HEAD_BYTES;
      this.outputAt = this.inputAt + ROOM_BYTES;
      this.view(engine);
    } catch (error) {
      this.fail(this.classify(error, "the script"));
    }
  }

  /** Calls with a frame of `length` bytes at `inputAt`: the script's answer, or WASM_FAULTED (then see `lastFault`). */
  call(callback: number, length: number): number {
    const { engine, head } = this;
    if (this.fault !== null || engine === null) return WASM_FAULTED;
    head[0] = callback;
    head[1] = length;
    try {
      engine.refuel(this.options.fuel_per_call);
      const answer = engine.callForNumber(this.callee);
      if (this.u8.length === 0) this.view(engine);
      if (!Number.isInteger(answer)) return this.fail(boxFault("trap", "it threw, or answered no number"));
      if (answer > this.roomBytes || answer === WASM_FAULTED)
        return this.fail(boxFault("pointer", `it answered ${answer} bytes; there is room for ${this.roomBytes}`));
      return answer;
    } catch (error) {
      return this.fail(this.classify(error, "a call"));
    }
  }

  lastFault(): BoxFault | null {
    return this.fault;
  }

  /** Fuel that the latest call spent; all of it when it ran out. */
  fuelUsed(): number {
    const { fuel_per_call } = this.options;
    return Math.min(fuel_per_call, fuel_per_call - (this.engine?.fuel.value ?? 0));
  }

  memoryBytes(): number {
    return this.u8.length;
  }

  /** A grown memory detaches its old buffer, and a detached view has length 0. */
  private view(engine: QuickJsEngine): void {
    const { buffer } = engine.memory;
    this.u8 = new Uint8Array(buffer);
    this.head = new Uint32Array(buffer, this.headAt, HEAD_BYTES / 4);
  }

  private fail(fault: BoxFault): number {
    this.fault = fault;
    return WASM_FAULTED;
  }

  private classify(error: unknown, what: string): BoxFault {
    if (this.engine !== null && this.headAt !== 0) this.view(this.engine);
    if (error instanceof ScriptError) return boxFault("trap", error.message);
    if (error instanceof RangeError) return boxFault("stack", "recursion used up the stack");
    if (error instanceof EngineTrap) return boxFault("trap", error.message);
    if (!(error instanceof wasmEngine.RuntimeError)) throw error;
    if ((this.engine?.fuel.value ?? 0) < 0) return boxFault("fuel", `${what} spent more than its fuel`);
    return boxFault("trap", error.message);
  }
}
