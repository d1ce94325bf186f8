/**
 * Turns a stranger's Wasm module into one that cannot exceed its memory, its tables or its fuel.
 *
 * validate → read (allow-list) → cap memory and tables, add the fuel counter, meter every function, add one
 * entry function per callback → validate again → compile. The first validation is not a formality: an invalid
 * module that writes to a global which does not exist yet would, once rewritten, refill its own fuel.
 *
 * Invariants
 * - A module that is accepted has no import and one memory of at most `memory_bytes`
 *   (packages/sandbox/src/wasm/box.test.ts).
 * - Bytes of any shape give a value, never an exception (rewrite.fuzz.test.ts).
 */
import { type Failure, FailureError, type Result, err, failure, invariant, ok, sha256Hex } from "@rumi/kernel";
import { SANDBOX_LIMITS } from "../limits.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { type WasmModule, wasmEngine } from "./engine.ts";
import { meterFunction } from "./meter.ts";
import { type Limits, type ModuleShape, readModule, SECTION, withinLimit } from "./module.ts";

/** Callbacks by number; a caller uses the number, never the name. */
export const WASM_ENTRIES = [
  { name: "rumi_abi_version", parameters: 0, required: true },
  { name: "rumi_input", parameters: 1, required: true },
  { name: "rumi_output", parameters: 0, required: true },
  { name: "rumi_on_init", parameters: 1, required: true },
  { name: "rumi_on_event", parameters: 1, required: true },
  { name: "rumi_on_timer", parameters: 1, required: true },
  { name: "rumi_on_shutdown", parameters: 1, required: true },
  { name: "rumi_on_healthcheck", parameters: 1, required: false },
  { name: "rumi_save_state", parameters: 0, required: true },
  { name: "rumi_migrate_state", parameters: 1, required: false },
] as const;

export const ENTRY = {
  abi_version: 0,
  input: 1,
  output: 2,
  on_init: 3,
  on_event: 4,
  on_timer: 5,
  on_shutdown: 6,
  on_healthcheck: 7,
  save_state: 8,
  migrate_state: 9,
} as const;
export type WasmEntry = (typeof ENTRY)[keyof typeof ENTRY];

/** Exports that the rewriter adds start with this; a module that uses it is refused. */
export const PRIVATE_PREFIX = "rumi:";

const I32 = 0x7f;
const FUNCTION = 0;
const MEMORY = 2;

export type RewriteOptions = {
  readonly bytes: Uint8Array;
  readonly memory_bytes: number;
  /** For tests of the dual fence (M-5.2.7): functions pay nothing. */
  readonly without?: "fuel";
};
export type RewrittenModule = { readonly bytes: Uint8Array<ArrayBuffer>; readonly sha256: string };

export function rewriteModule(options: RewriteOptions): Result<RewrittenModule, Failure> {
  try {
    withinLimit("wasm_module_bytes", options.bytes.length);
    withinLimit("wasm_memory_bytes", options.memory_bytes);
    const original = new Uint8Array(options.bytes);
    if (!wasmEngine.validate(original))
      return err(
        failure(
          "RUMI-STR-050",
          { problem: "the engine's validation failed" },
          { reasonCode: "M.SANDBOX.WASM_INVALID" },
        ),
      );
    const shape = readModule(original);
    const bytes = build(shape, options, entriesOf(shape));
    invariant(wasmEngine.validate(bytes), "rewriting a valid module gave an invalid one");
    return ok({ bytes, sha256: sha256Hex(original) });
  } catch (error) {
    if (error instanceof FailureError) return err(error.failure);
    throw error;
  }
}

const cache = new Map<string, WasmModule>();

/** As `rewriteModule`, compiled; the newest `wasm_cached_modules` are remembered by content and memory. */
export function compileModule(options: RewriteOptions): Result<WasmModule, Failure> {
  const key = `${sha256Hex(options.bytes)}:${options.memory_bytes}:${options.without ?? ""}`;
  const known = cache.get(key);
  if (known !== undefined) return ok(known);
  const rewritten = rewriteModule(options);
  if (!rewritten.ok) return rewritten;
  const module = new wasmEngine.Module(rewritten.value.bytes);
  cache.set(key, module);
  const [oldest] = cache.keys();
  if (cache.size > SANDBOX_LIMITS.wasm_cached_modules && oldest !== undefined) cache.delete(oldest);
  return ok(module);
}

/** Function index of each entry; undefined for an optional one that is absent. */
function entriesOf(shape: ModuleShape): (number | undefined)[] {
  const missing = (name: string): never => {
    throw new FailureError(failure("RUMI-STR-054", { name }, { reasonCode: "M.SANDBOX.WASM_EXPORT" }));
  };
  if (shape.exports.get("memory")?.kind !== MEMORY) missing("memory");
  for (const name of shape.exports.keys())
    if (name.startsWith(PRIVATE_PREFIX)) missing(`nothing under the reserved name ${name.slice(0, 60)}`);
  return WASM_ENTRIES.map(({ name, parameters, required }) => {
    const found = shape.exports.get(name);
    if (found === undefined) return required ? missing(name) : undefined;
    const type = found.kind === FUNCTION ? shape.types[shape.functions[found.index] ?? -1] : undefined;
    const fits =
      type !== undefined &&
      type.parameters.length === parameters &&
      type.parameters.every((t) => t === I32) &&
      type.results.length === 1 &&
      type.results[0] === I32;
    return fits ? found.index : missing(`${name}(${parameters === 1 ? "i32" : ""}) -> i32`);
  });
}

function build(
  shape: ModuleShape,
  { memory_bytes, without }: RewriteOptions,
  entries: readonly (number | undefined)[],
): Uint8Array<ArrayBuffer> {
  const memoryPages = Math.floor(memory_bytes / SANDBOX_LIMITS.wasm_page_bytes);
  const present = entries.flatMap((index, entry) => (index === undefined ? [] : [{ index, entry }]));
  const out = new ByteWriter(shape.bytes.length * 2 + 1_024);
  out.raw([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  const emit = (id: number, payload: ByteWriter): void => {
    const finished = payload.finish();
    out.byte(id).u32(finished.length).raw(finished);
  };
  const copied = (id: number): void => {
    const found = shape.sections.get(id);
    if (found !== undefined) emit(id, new ByteWriter().copy(shape.bytes, found.position, found.end));
  };
  /** The section's payload with `added` more items at its end. */
  const extended = (id: number, added: number): ByteWriter => {
    const found = shape.sections.get(id);
    if (found === undefined) return new ByteWriter().u32(added);
    const reader = new ByteReader(shape.bytes, found.position, found.end);
    const count = reader.u32();
    return new ByteWriter().u32(count + added).copy(shape.bytes, reader.position, found.end);
  };
  const fuel = shape.globals;
  emit(SECTION.type, extended(SECTION.type, 1).raw([0x60, 2, I32, I32, 1, I32]));
  const functions = extended(SECTION.function, present.length);
  for (const _ of present) functions.u32(shape.types.length);
  emit(SECTION.function, functions);
  if (shape.tables.length > 0) emit(SECTION.table, cappedTables(shape));
  emit(SECTION.memory, writeLimits(new ByteWriter().u32(1), capped(shape.memory, memoryPages)));
  emit(SECTION.global, extended(SECTION.global, 1).raw([I32, 1, 0x41, 0, 0x0b]));
  // Its own exports are not passed on: nobody calls them, and the engine makes a function object of each in every instance.
  const exports = new ByteWriter().u32(present.length + 2);
  exports.text(`${PRIVATE_PREFIX}fuel`).byte(3).u32(fuel).text(`${PRIVATE_PREFIX}memory`).byte(MEMORY).u32(0);
  present.forEach(({ entry }, i) =>
    exports
      .text(`${PRIVATE_PREFIX}${entry}`)
      .byte(FUNCTION)
      .u32(shape.functions.length + i),
  );
  emit(SECTION.export, exports);
  copied(SECTION.element);
  copied(SECTION.data_count);
  emit(SECTION.code, meteredCode(shape, fuel, present, without));
  copied(SECTION.data);
  return out.finish();
}

function meteredCode(
  shape: ModuleShape,
  fuel: number,
  present: readonly { index: number; entry: number }[],
  without: RewriteOptions["without"],
): ByteWriter {
  const code = new ByteWriter(shape.bytes.length * 2).u32(shape.functions.length + present.length);
  const found = shape.sections.get(SECTION.code);
  const reader =
    found === undefined ? new ByteReader(new Uint8Array([0])) : new ByteReader(shape.bytes, found.position, found.end);
  reader.u32();
  for (const type of shape.functions) {
    const body = reader.slice(reader.u32());
    const metered =
      without === "fuel"
        ? body.bytes.subarray(body.position, body.end)
        : meterFunction(body, { fuel, parameters: shape.types[type]?.parameters.length ?? 0, grain: 1 });
    code.u32(metered.length).raw(metered);
  }
  for (const { index, entry } of present) {
    // (fuel, argument) => { counter = fuel; return callback(argument) }
    const body = new ByteWriter().raw([0, 0x20, 0, 0x24]).u32(fuel);
    if (WASM_ENTRIES[entry]?.parameters === 1) body.raw([0x20, 1]);
    const finished = body.byte(0x10).u32(index).byte(0x0b).finish();
    code.u32(finished.length).raw(finished);
  }
  return code;
}

function cappedTables(shape: ModuleShape): ByteWriter {
  const out = new ByteWriter().u32(shape.tables.length);
  for (const { element, limits } of shape.tables) {
    withinLimit("wasm_table_entries", limits.minimum);
    writeLimits(out.byte(element), capped(limits, SANDBOX_LIMITS.wasm_table_entries));
  }
  return out;
}

function capped(limits: Limits, maximum: number): { minimum: number; maximum: number } {
  if (limits.minimum > maximum) {
    throw new FailureError(
      failure(
        "RUMI-STR-053",
        {
          name: "memory_bytes",
          value: limits.minimum * SANDBOX_LIMITS.wasm_page_bytes,
          limit: maximum * SANDBOX_LIMITS.wasm_page_bytes,
        },
        { reasonCode: "M.SANDBOX.WASM_LIMIT" },
      ),
    );
  }
  return { minimum: limits.minimum, maximum: Math.min(limits.maximum ?? maximum, maximum) };
}

function writeLimits(out: ByteWriter, limits: { minimum: number; maximum: number }): ByteWriter {
  return out.byte(1).u32(limits.minimum).u32(limits.maximum);
}
