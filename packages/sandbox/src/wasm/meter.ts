/**
 * Rewrites one function so that it pays fuel for what it does and leaks no NaN bits.
 *
 * How to think: a region is a function body or a loop body without its inner loops. Its instructions are
 * counted once (both arms of an `if`, an upper bound) and paid at its head: function entry, or each turn of
 * the loop. Work whose size is an operand (memory.fill, …) pays for the operand. A charge that makes the
 * counter negative traps; no other code can write the counter (validated before rewriting, box.test.ts).
 *
 * Determinism: Wasm leaves the sign and payload of a computed NaN to the processor. They can be seen only by
 * storing, reinterpreting or taking the sign (copysign), so those become canonical first.
 */
import { type ByteReader, ByteWriter, refuseMalformed } from "./bytes.ts";
import { refuseFeature, valueType, withinLimit } from "./module.ts";

/** Static price of an instruction when it is not 1; prices are part of the determinism contract (docs/sandbox.md). */
const PRICES = new Map<number, number>([
  [0x10, 4],
  [0x11, 8],
  [0x40, 4_096],
  [0x6d, 4],
  [0x6e, 4],
  [0x6f, 4],
  [0x70, 4],
  [0x7f, 8],
  [0x80, 8],
  [0x81, 8],
  [0x82, 8],
  [0x91, 4],
  [0x9f, 8],
]);
const BULK_PRICE = 16;
const GROW_TABLE_PRICE = 1_024;

export type Meter = {
  /** Index of the fuel global. */
  readonly fuel: number;
  /** Number of parameters of the function. */
  readonly parameters: number;
  /** A region pays its instructions divided by this, rounded up; 1 unless the module is an interpreter of ours. */
  readonly grain: number;
};

type Scratch = { readonly i32: number; readonly f32: number; readonly f64: number };
type Region = { cost: number; readonly at: number };

export function meterFunction(body: ByteReader, meter: Meter): Uint8Array {
  withinLimit("wasm_function_bytes", body.end - body.position);
  const out = new ByteWriter((body.end - body.position) * 2 + 64);
  const locals = copyLocals(body, out, meter.parameters);
  const scratch: Scratch = { i32: locals, f32: locals + 1, f64: locals + 2 };
  const root: Region = { cost: 1 + Math.ceil(locals / 4), at: chargeStatic(out, meter.fuel) };
  const control: Region[] = [root];
  while (!body.done) {
    const region = control.at(-1);
    if (region === undefined) refuseMalformed("code after the end of a function");
    const start = body.position;
    const opcode = body.byte();
    region.cost += PRICES.get(opcode) ?? 1;
    if (opcode === 0xfc) {
      meterPrefixed(body, out, meter.fuel, scratch, region, start);
      continue;
    }
    skipImmediates(body, opcode);
    if (opcode === 0x40) chargeOperand(out, meter.fuel, scratch.i32, 3);
    canonicalise(out, opcode, scratch);
    out.copy(body.bytes, start, body.position);
    if (opcode === 0x02 || opcode === 0x04) control.push(region);
    else if (opcode === 0x03) control.push({ cost: 1, at: chargeStatic(out, meter.fuel) });
    else if (opcode === 0x0b) {
      control.pop();
      out.fillS32(region.at, Math.ceil(region.cost / meter.grain));
    }
    withinLimit("wasm_control_depth", control.length);
  }
  if (control.length !== 0) refuseMalformed("a function does not end");
  return out.finish();
}

function copyLocals(body: ByteReader, out: ByteWriter, parameters: number): number {
  const groups = withinLimit("wasm_function_locals", body.u32());
  out.u32(groups + 3);
  let total = parameters;
  for (let i = 0; i < groups; i += 1) {
    const count = body.u32();
    total = withinLimit("wasm_function_locals", total + count);
    out.u32(count).byte(valueType(body.byte()));
  }
  out.raw([1, 0x7f, 1, 0x7d, 1, 0x7c]);
  return total;
}

/** fuel -= cost; trap when negative. Returns where the cost is filled in. */
function chargeStatic(out: ByteWriter, fuel: number): number {
  out.byte(0x23).u32(fuel).byte(0x41);
  const at = out.reserveS32();
  trapWhenNegative(out, fuel);
  return at;
}

/** fuel -= top of the stack >>> shift; the operand stays where it is. */
function chargeOperand(out: ByteWriter, fuel: number, scratch: number, shift: number): void {
  out.byte(0x22).u32(scratch).byte(0x23).u32(fuel).byte(0x20).u32(scratch).byte(0x41).s32(shift).byte(0x76);
  trapWhenNegative(out, fuel);
  // `tee` left the operand below; the charge consumed only its own values.
}

/** Stack: counter, charge. */
function trapWhenNegative(out: ByteWriter, fuel: number): void {
  out.byte(0x6b).byte(0x24).u32(fuel).byte(0x23).u32(fuel).raw([0x41, 0x00, 0x48, 0x04, 0x40, 0x00, 0x0b]);
}

function canonicalise(out: ByteWriter, opcode: number, scratch: Scratch): void {
  // i32.reinterpret_f32, f32.store, f32.copysign; i64.reinterpret_f64, f64.store, f64.copysign
  if (opcode === 0xbc || opcode === 0x38 || opcode === 0x98) {
    out
      .byte(0x22)
      .u32(scratch.f32)
      .raw([0x43, 0, 0, 0xc0, 0x7f])
      .byte(0x20)
      .u32(scratch.f32)
      .byte(0x20)
      .u32(scratch.f32)
      .raw([0x5b, 0x1b]);
  } else if (opcode === 0xbd || opcode === 0x39 || opcode === 0xa6) {
    out
      .byte(0x22)
      .u32(scratch.f64)
      .raw([0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f])
      .byte(0x20)
      .u32(scratch.f64)
      .byte(0x20)
      .u32(scratch.f64)
      .raw([0x61, 0x1b]);
  }
}

function meterPrefixed(
  body: ByteReader,
  out: ByteWriter,
  fuel: number,
  scratch: Scratch,
  region: Region,
  start: number,
): void {
  const operation = body.u32();
  if (operation > 17) refuseFeature(`instruction 0xfc ${operation}`);
  if (operation >= 8) {
    body.u32();
    if (operation === 8 || operation === 10 || operation === 12 || operation === 14) body.u32();
    region.cost += operation === 15 ? GROW_TABLE_PRICE : BULK_PRICE;
  }
  // Bytes cost an eighth, table entries a half: memory.init/copy/fill; table.init/copy/grow/fill.
  if (operation === 8 || operation === 10 || operation === 11) chargeOperand(out, fuel, scratch.i32, 3);
  else if (operation === 12 || operation === 14 || operation === 15 || operation === 17)
    chargeOperand(out, fuel, scratch.i32, 1);
  out.copy(body.bytes, start, body.position);
}

/** Steps over what follows an opcode; refuses every opcode that is not allowed. */
function skipImmediates(body: ByteReader, opcode: number): void {
  if (opcode >= 0x45 && opcode <= 0xc4) return;
  if (opcode >= 0x28 && opcode <= 0x3e) {
    if (body.u32() >= 64) refuseFeature("more than one memory");
    body.u32();
    return;
  }
  switch (opcode) {
    case 0x00:
    case 0x01:
    case 0x05:
    case 0x0b:
    case 0x0f:
    case 0x1a:
    case 0x1b:
    case 0xd1:
      return;
    case 0x02:
    case 0x03:
    case 0x04:
      return skipBlockType(body);
    case 0x0c:
    case 0x0d:
    case 0x10:
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23:
    case 0x24:
    case 0x25:
    case 0x26:
    case 0xd2:
      body.u32();
      return;
    case 0x11:
      body.u32();
      body.u32();
      return;
    case 0x0e: {
      const targets = withinLimit("wasm_function_bytes", body.u32());
      for (let i = 0; i <= targets; i += 1) body.u32();
      return;
    }
    case 0x1c: {
      const count = withinLimit("wasm_function_locals", body.u32());
      for (let i = 0; i < count; i += 1) valueType(body.byte());
      return;
    }
    case 0x3f:
    case 0x40:
      if (body.byte() !== 0) refuseFeature("more than one memory");
      return;
    case 0x41:
      return body.skipSigned(5);
    case 0x42:
      return body.skipSigned(10);
    case 0x43:
      return body.skip(4);
    case 0x44:
      return body.skip(8);
    case 0xd0:
      valueType(body.byte());
      return;
    default:
      refuseFeature(FAMILIES.get(opcode) ?? `instruction 0x${opcode.toString(16)}`);
  }
}

const FAMILIES = new Map<number, string>([
  [0x06, "exception handling"],
  [0x07, "exception handling"],
  [0x08, "exception handling"],
  [0x09, "exception handling"],
  [0x0a, "exception handling"],
  [0x18, "exception handling"],
  [0x19, "exception handling"],
  [0x1f, "exception handling"],
  [0x12, "tail calls"],
  [0x13, "tail calls"],
  [0x14, "typed function references"],
  [0x15, "typed function references"],
  [0xfb, "garbage collection"],
  [0xfd, "SIMD"],
  [0xfe, "threads (atomics)"],
]);

function skipBlockType(body: ByteReader): void {
  const first = body.bytes[body.position];
  if (first === 0x40 || (first !== undefined && first >= 0x40 && first < 0x80)) {
    const byte = body.byte();
    if (byte !== 0x40) valueType(byte);
  } else body.skipSigned(5);
}
