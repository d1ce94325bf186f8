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

/** Texts read before, by a hash of their bytes: tags and ids come again and again, and making a string costs more than finding it. */
const READ_BEFORE: string[] = Array.from({ length: 256 }, () => "");

/** `undefined` for bytes that are not printable ASCII followed by zeros only. */
export function takeText(from: FrameViews, at: number, size: number): string | undefined {
  const { u8 } = from;
  let length = 0;
  let hash = 0;
  for (; length < size; length += 1) {
    const code = u8[at + length] ?? 0;
    if (code === 0) break;
    if (code < 0x21 || code > 0x7e) return undefined;
    hash = (Math.imul(hash, 31) + code) | 0;
  }
  for (let i = length; i < size; i += 1) if (u8[at + i] !== 0) return undefined;
  const known = READ_BEFORE[hash & 255] ?? "";
  if (isSame(known, u8, at, length)) return known;
  const text = String.fromCharCode(...u8.subarray(at, at + length));
  READ_BEFORE[hash & 255] = text;
  return text;
}

function isSame(text: string, u8: Uint8Array, at: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i += 1) if (text.charCodeAt(i) !== u8[at + i]) return false;
  return true;
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
