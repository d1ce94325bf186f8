/**
 * A strategy in Wasm, called in the lane's own thread (L2).
 *
 * How to think: the box carries bytes and knows nothing of their meaning. The caller writes a frame at
 * `inputPointer(size)`, calls an entry by number and reads the answer at `outputPointer(length)`. A call costs no
 * allocation while it succeeds. After a fault the box is dead (`call` answers WASM_FAULTED) until `reset()`.
 *
 * Invariants
 * - Same module, same calls: same answers, same fuel, on every machine (box.test.ts "[M-0.7]").
 * - Fuel, trap, stack and bad pointer are told apart without reading the engine's messages (box.test.ts).
 */
import { type Failure, type Result, err, failure, ok } from "@rumi/kernel";
import { type BoxFault, boxFault, FAULT_REASONS } from "../fault.ts";
import { SANDBOX_LIMITS } from "../limits.ts";
import { type WasmGlobal, type WasmMemory, type WasmModule, wasmEngine } from "./engine.ts";
import { compileModule, ENTRY, PRIVATE_PREFIX, WASM_ENTRIES, type WasmEntry } from "./rewrite.ts";

/** What `call` and the pointers answer when the box faulted; ask `lastFault()` for why. */
export const WASM_FAULTED = -2_147_483_648;

export type WasmBoxOptions = {
  readonly bytes: Uint8Array;
  /** Largest linear memory; at least one page (64 KiB), at most `wasm_memory_bytes`. */
  readonly memory_bytes: number;
  /** Fuel of each call, 1 … `wasm_fuel`. About one unit per Wasm instruction. */
  readonly fuel_per_call: number;
  /** For tests of the dual fence (M-5.2.7): leave one fence out. */
  readonly without?: "fuel";
};

/** Constants of this file: the import would be looked up on every call. */
const ON_EVENT = ENTRY.on_event;
const OUTPUT = ENTRY.output;

type Entry = (fuel: number, argument: number) => number;

export function openWasmBox(options: WasmBoxOptions): Result<WasmBox, Failure> {
  for (const [name, value, least, most] of [
    ["memory_bytes", options.memory_bytes, SANDBOX_LIMITS.wasm_page_bytes, SANDBOX_LIMITS.wasm_memory_bytes],
    ["fuel_per_call", options.fuel_per_call, 1, SANDBOX_LIMITS.wasm_fuel],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least || value > most)
      return err(failure("RUMI-STR-055", { name, value, least, most }, { reasonCode: "M.SANDBOX.OPTION" }));
  }
  const module = compileModule(options);
  if (!module.ok) return module;
  try {
    return ok(new WasmBox(module.value, options.fuel_per_call));
  } catch (error) {
    if (error instanceof RangeError)
      return err(
        failure("RUMI-STR-057", { problem: error.message }, { reasonCode: FAULT_REASONS.memory, cause: error }),
      );
    if (error instanceof wasmEngine.RuntimeError) {
      return err(
        failure("RUMI-STR-056", { problem: error.message }, { reasonCode: "M.SANDBOX.WASM_START", cause: error }),
      );
    }
    throw error;
  }
}

export class WasmBox {
  readonly level = "L2";
  readonly mechanism = "wasm-fuel";
  /** Views of the strategy's memory. Read them through `refresh()` after any call, never keep them. */
  u8 = new Uint8Array();
  i32 = new Int32Array();
  f64 = new Float64Array();
  private readonly module: WasmModule;
  private readonly fuel: number;
  private memory = NO_MEMORY;
  private counter = NO_COUNTER;
  private entries: Entry[] = [];
  private event: Entry = ABSENT;
  private output: Entry = ABSENT;
  private fault: BoxFault | null = null;

  /** Throws what instantiation throws; `openWasmBox` is the door. */
  constructor(module: WasmModule, fuel: number) {
    this.module = module;
    this.fuel = fuel;
    this.begin();
  }

  /**
   * A fresh instance: memory, globals and fault are as at the start. The old memory is let go before a new one is asked
   * for; where there is no address space for it the box stays dead and says so.
   */
  reset(): BoxFault | null {
    this.memory = NO_MEMORY;
    this.counter = NO_COUNTER;
    this.entries = [];
    this.event = ABSENT;
    this.output = ABSENT;
    this.view();
    try {
      this.begin();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fault = boxFault("memory", error.message);
    }
    return this.fault;
  }

  private begin(): void {
    const { exports } = new wasmEngine.Instance(this.module);
    this.memory = exports[`${PRIVATE_PREFIX}memory`] as WasmMemory;
    this.counter = exports[`${PRIVATE_PREFIX}fuel`] as WasmGlobal;
    this.entries = WASM_ENTRIES.map(
      (_, entry) => (exports[`${PRIVATE_PREFIX}${entry}`] as Entry | undefined) ?? ABSENT,
    );
    this.event = this.entries[ENTRY.on_event] ?? ABSENT;
    this.output = this.entries[ENTRY.output] ?? ABSENT;
    this.fault = null;
    this.view();
  }

  /** Whether the module has an optional entry. */
  has(entry: WasmEntry): boolean {
    return this.entries[entry] !== ABSENT;
  }

  /** What the strategy's `rumi_abi_version` answers. */
  abiVersion(): number {
    return this.call(ENTRY.abi_version, 0);
  }

  /** Calls an entry with a length: the strategy's answer, or WASM_FAULTED (then `lastFault()` is set). */
  call(entry: WasmEntry, length: number): number {
    if (this.fault !== null) return WASM_FAULTED;
    try {
      // What an intent passes has call sites of its own, which the engine can then compile to direct calls.
      const answer =
        entry === ON_EVENT
          ? this.event(this.fuel, length)
          : entry === OUTPUT
            ? this.output(this.fuel, length)
            : this.callRarely(entry, length);
      if (this.u8.length === 0) this.view();
      return answer;
    } catch (error) {
      return this.fail(this.classify(error));
    }
  }

  /** Where the strategy wants `size` bytes of input; 8-byte aligned and inside its memory, or WASM_FAULTED. */
  inputPointer(size: number): number {
    return this.pointer(ENTRY.input, size);
  }

  /** Where the strategy left `length` bytes of output; checked like `inputPointer`. */
  outputPointer(length: number): number {
    return this.pointer(ENTRY.output, length);
  }

  lastFault(): BoxFault | null {
    return this.fault;
  }

  /** Fuel that the latest call spent; `fuel_per_call` when it ran out. */
  fuelUsed(): number {
    return Math.min(this.fuel, this.fuel - this.counter.value);
  }

  memoryBytes(): number {
    return this.u8.length;
  }

  private callRarely(entry: WasmEntry, length: number): number {
    return (this.entries[entry] ?? ABSENT)(this.fuel, length);
  }

  private pointer(entry: WasmEntry, size: number): number {
    const answer = this.call(entry, size);
    if (this.fault !== null) return WASM_FAULTED;
    const at = answer >>> 0;
    if ((at & 7) !== 0 || at + size > this.u8.length)
      return this.fail(boxFault("pointer", `${at} for ${size} bytes in a memory of ${this.u8.length}`));
    return at;
  }

  /** A grown memory detaches its old buffer, and a detached view has length 0. */
  private view(): void {
    const { buffer } = this.memory;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  private fail(fault: BoxFault): number {
    this.fault = fault;
    return WASM_FAULTED;
  }

  private classify(error: unknown): BoxFault {
    if (error instanceof RangeError) return boxFault("stack", "recursion used up the stack");
    if (!(error instanceof wasmEngine.RuntimeError)) throw error;
    this.view();
    if (this.counter.value < 0) return boxFault("fuel", `more than ${this.fuel} units`);
    return boxFault("trap", error.message);
  }
}

const NO_MEMORY = new wasmEngine.Memory({ initial: 0, maximum: 0 });
const NO_COUNTER = new wasmEngine.Global({ value: "i32", mutable: true }, 0);
const ABSENT: Entry = () => -1;
