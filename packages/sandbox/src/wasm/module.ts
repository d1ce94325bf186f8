/**
 * Reads a Wasm module's sections and refuses what the sandbox does not allow.
 *
 * An allow-list: a section, type, flag or constant that is not named here is refused by name, so a feature
 * that a later engine learns does not slip in. The engine validated the bytes before this code sees them.
 */
import { FailureError, failure } from "@rumi/kernel";
import { SANDBOX_LIMITS } from "../limits.ts";
import { ByteReader, refuseMalformed } from "./bytes.ts";

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  data_count: 12,
} as const;

export type FunctionType = { readonly parameters: readonly number[]; readonly results: readonly number[] };
export type Limits = { readonly minimum: number; readonly maximum: number | undefined };
export type ModuleShape = {
  readonly bytes: Uint8Array;
  /** Payload of each section present, by id; custom sections are dropped. */
  readonly sections: ReadonlyMap<number, ByteReader>;
  readonly types: readonly FunctionType[];
  /** Type index of each function. */
  readonly functions: readonly number[];
  readonly tables: readonly { readonly element: number; readonly limits: Limits }[];
  readonly memory: Limits;
  readonly globals: number;
  readonly exports: ReadonlyMap<string, { readonly kind: number; readonly index: number }>;
};

export function refuseFeature(feature: string): never {
  throw new FailureError(failure("RUMI-STR-052", { feature }, { reasonCode: "M.SANDBOX.WASM_FEATURE" }));
}

export function withinLimit(name: keyof typeof SANDBOX_LIMITS, value: number): number {
  const limit = SANDBOX_LIMITS[name];
  if (value <= limit) return value;
  throw new FailureError(failure("RUMI-STR-053", { name, value, limit }, { reasonCode: "M.SANDBOX.WASM_LIMIT" }));
}

/** i32, i64, f32, f64, funcref, externref. */
export function valueType(byte: number): number {
  if ((byte >= 0x7c && byte <= 0x7f) || byte === 0x70 || byte === 0x6f) return byte;
  return refuseFeature(byte === 0x7b ? "SIMD (v128)" : `value type 0x${byte.toString(16)}`);
}

export function readModule(bytes: Uint8Array): ModuleShape {
  const reader = new ByteReader(bytes, 8);
  const sections = new Map<number, ByteReader>();
  while (!reader.done) {
    const id = reader.byte();
    const payload = reader.slice(reader.u32());
    if (id === SECTION.custom) continue;
    if (id === SECTION.start) refuseFeature("a start section");
    if (id > SECTION.data_count) refuseFeature(id === 13 ? "exception handling (tags)" : `section ${id}`);
    if (sections.has(id)) refuseMalformed(`section ${id} appears twice`);
    sections.set(id, payload);
  }
  const section = (id: number): ByteReader => {
    const found = sections.get(id);
    return found === undefined ? new ByteReader(new Uint8Array([0])) : new ByteReader(bytes, found.position, found.end);
  };
  refuseImports(section(SECTION.import));
  const memories = vector(section(SECTION.memory), "wasm_tables", (r) => readLimits(r, "memory"));
  const [memory] = memories;
  if (memory === undefined)
    throw new FailureError(failure("RUMI-STR-054", { name: "memory" }, { reasonCode: "M.SANDBOX.WASM_EXPORT" }));
  if (memories.length > 1) refuseFeature("more than one memory");
  const globals = vector(section(SECTION.global), "wasm_globals", readGlobal).length;
  vector(section(SECTION.element), "wasm_segments", readElement);
  vector(section(SECTION.data), "wasm_segments", readData);
  return {
    bytes,
    sections,
    memory,
    globals,
    types: vector(section(SECTION.type), "wasm_types", readFunctionType),
    functions: vector(section(SECTION.function), "wasm_functions", (r) => r.u32()),
    tables: vector(section(SECTION.table), "wasm_tables", (r) => ({
      element: referenceType(r.byte()),
      limits: readLimits(r, "table"),
    })),
    exports: new Map(
      vector(section(SECTION.export), "wasm_exports", (r) => [r.text(), { kind: r.byte(), index: r.u32() }] as const),
    ),
  };
}

function vector<T>(reader: ByteReader, limit: keyof typeof SANDBOX_LIMITS, read: (reader: ByteReader) => T): T[] {
  const count = withinLimit(limit, reader.u32());
  const items: T[] = [];
  for (let i = 0; i < count; i += 1) items.push(read(reader));
  return items;
}

function refuseImports(reader: ByteReader): void {
  if (reader.u32() === 0) return;
  const name = `${reader.text()}.${reader.text()}`;
  throw new FailureError(
    failure("RUMI-STR-051", { name: name.slice(0, 100) }, { reasonCode: "M.SANDBOX.WASM_IMPORT" }),
  );
}

function referenceType(byte: number): number {
  return byte === 0x70 || byte === 0x6f ? byte : refuseFeature(`table element type 0x${byte.toString(16)}`);
}

function readLimits(reader: ByteReader, what: string): Limits {
  const flag = reader.byte();
  if (flag > 1) refuseFeature(flag < 4 ? `a shared ${what}` : `a 64-bit ${what}`);
  const minimum = reader.u32();
  return { minimum, maximum: flag === 1 ? reader.u32() : undefined };
}

function readFunctionType(reader: ByteReader): FunctionType {
  const form = reader.byte();
  if (form !== 0x60) refuseFeature(`garbage-collected types (0x${form.toString(16)})`);
  const list = (): number[] => vector(reader, "wasm_function_locals", (r) => valueType(r.byte()));
  return { parameters: list(), results: list() };
}

function readGlobal(reader: ByteReader): void {
  valueType(reader.byte());
  if (reader.byte() > 1) refuseFeature("a shared global");
  readConstant(reader);
}

/** A constant expression: one constant, then `end`. */
function readConstant(reader: ByteReader): void {
  const opcode = reader.byte();
  switch (opcode) {
    case 0x41:
      reader.skipSigned(5);
      break;
    case 0x42:
      reader.skipSigned(10);
      break;
    case 0x43:
      reader.skip(4);
      break;
    case 0x44:
      reader.skip(8);
      break;
    case 0x23:
    case 0xd2:
      reader.u32();
      break;
    case 0xd0:
      referenceType(reader.byte());
      break;
    default:
      refuseFeature(`0x${opcode.toString(16)} in a constant`);
  }
  if (reader.byte() !== 0x0b) refuseFeature("a computed constant (extended-const)");
}

function readElement(reader: ByteReader): void {
  const flag = reader.u32();
  if (flag > 7) refuseFeature(`element segment ${flag}`);
  const active = (flag & 1) === 0;
  const explicit = (flag & 2) !== 0;
  const expressions = (flag & 4) !== 0;
  if (active && explicit) reader.u32();
  if (active) readConstant(reader);
  if (!active || explicit) {
    const kind = reader.byte();
    if (expressions) referenceType(kind);
    else if (kind !== 0) refuseFeature(`element kind ${kind}`);
  }
  const count = withinLimit("wasm_table_entries", reader.u32());
  for (let i = 0; i < count; i += 1) {
    if (expressions) readConstant(reader);
    else reader.u32();
  }
}

function readData(reader: ByteReader): void {
  const flag = reader.u32();
  if (flag > 2) refuseFeature(`data segment ${flag}`);
  if (flag === 2 && reader.u32() !== 0) refuseFeature("more than one memory");
  if (flag !== 1) readConstant(reader);
  reader.skip(reader.u32());
}
