// A copy of packages/abi/src/views.ts, made by packages/abi/gen.ts; do not edit.
/**
 * Typed-array views on one buffer, and how numbers and texts are put there and taken back.
 *
 * Works anywhere (no Node API), allocates nothing for numbers. 64-bit integers travel as two 32-bit halves of
 * a JavaScript number: exact because |n| < 2^53 on both sides (codec.test.ts). Needs a little-endian machine,
 * as WebAssembly does.
 */
export type FrameViews = {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
};

/** `byteOffset` and `byteLength` must be multiples of 8. */
export function frameViews(buffer: ArrayBufferLike, byteOffset: number, byteLength: number): FrameViews {
  return {
    u8: new Uint8Array(buffer, byteOffset, byteLength),
    u16: new Uint16Array(buffer, byteOffset, byteLength / 2),
    u32: new Uint32Array(buffer, byteOffset, byteLength / 4),
    i32: new Int32Array(buffer, byteOffset, byteLength / 4),
    f64: new Float64Array(buffer, byteOffset, byteLength / 8),
  };
}

export function makeFrameViews(bytes: number): FrameViews {
  return frameViews(new ArrayBuffer(bytes), 0, bytes);
}

const HIGH = 4_294_967_296;

export function putInt64(to: FrameViews, at: number, value: number): void {
  const word = at >> 2;
  to.u32[word] = value;
  to.i32[word + 1] = Math.floor(value / HIGH);
}

/** Outside ±(2^53 - 1) the result is not a safe integer, which is how a reader sees it. */
export function takeInt64(from: FrameViews, at: number): number {
  const word = at >> 2;
  return (from.i32[word + 1] ?? 0) * HIGH + (from.u32[word] ?? 0);
}

export function takeUint64(from: FrameViews, at: number): number {
  const word = at >> 2;
  return (from.u32[word + 1] ?? 0) * HIGH + (from.u32[word] ?? 0);
}

export function isWord(value: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= maximum;
}

/** Printable ASCII that fits into `size` bytes. */
export function isText(value: string, size: number): boolean {
  if (value.length > size) return false;
  for (let i = 0; i < value.length; i += 1) {
    const code = value.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return true;
}

export function putText(to: FrameViews, at: number, size: number, value: string): void {
  for (let i = 0; i < size; i += 1) to.u8[at + i] = i < value.length ? value.charCodeAt(i) : 0;
}

/** `undefined` for bytes that are not printable ASCII followed by zeros only. */
export function takeText(from: FrameViews, at: number, size: number): string | undefined {
  let text = "";
  let ended = false;
  for (let i = 0; i < size; i += 1) {
    const code = from.u8[at + i] ?? 0;
    if (code === 0) ended = true;
    else if (ended || code < 0x21 || code > 0x7e) return undefined;
    else text += String.fromCharCode(code);
  }
  return text;
}

export function putBytes(to: FrameViews, at: number, bytes: Uint8Array, padded: number): void {
  to.u8.set(bytes, at);
  for (let i = at + bytes.length; i < at + padded; i += 1) to.u8[i] = 0;
}

export function copyBytes(from: FrameViews, at: number, into: Uint8Array): void {
  for (let i = 0; i < into.length; i += 1) into[i] = from.u8[at + i] ?? 0;
}

export function pad8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
