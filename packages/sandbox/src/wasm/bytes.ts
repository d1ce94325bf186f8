/** Reading and writing the Wasm binary format's primitives: bytes, LEB128 numbers, vectors. */
import { FailureError, failure } from "@rumi/kernel";

/** Stops the rewriting; `rewriteModule` turns it into a value at its door. */
export function refuseMalformed(problem: string): never {
  throw new FailureError(failure("RUMI-STR-050", { problem }, { reasonCode: "M.SANDBOX.WASM_INVALID" }));
}

export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    if (end > bytes.length || position > end) refuseMalformed("a length leads outside the module");
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  byte(): number {
    const value = this.position < this.end ? this.bytes[this.position] : undefined;
    if (value === undefined) refuseMalformed("the module ends too early");
    this.position += 1;
    return value;
  }

  /** Unsigned LEB128, at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value <= 0xffff_ffff ? value : refuseMalformed("a number exceeds 32 bits");
    }
    return refuseMalformed("a number is too long");
  }

  /** Steps over a signed LEB128 of at most `bytes` bytes. */
  skipSigned(bytes: number): void {
    for (let count = 0; count < bytes; count += 1) if (this.byte() < 0x80) return;
    refuseMalformed("a number is too long");
  }

  skip(count: number): void {
    if (count > this.end - this.position) refuseMalformed("a length leads outside the module");
    this.position += count;
  }

  slice(count: number): ByteReader {
    const start = this.position;
    this.skip(count);
    return new ByteReader(this.bytes, start, this.position);
  }

  text(): string {
    const length = this.u32();
    const start = this.position;
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(start, this.position));
  }
}

export class ByteWriter {
  private bytes: Uint8Array;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  private reserve(extra: number): void {
    if (this.length + extra <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + extra));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  byte(value: number): this {
    this.reserve(1);
    this.bytes[this.length] = value;
    this.length += 1;
    return this;
  }

  raw(values: ArrayLike<number>): this {
    this.reserve(values.length);
    this.bytes.set(values, this.length);
    this.length += values.length;
    return this;
  }

  copy(from: Uint8Array, start: number, end: number): this {
    return this.raw(from.subarray(start, end));
  }

  u32(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.byte(rest);
  }

  s32(value: number): this {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** Five bytes whatever the value is, so that it can be filled in later. Returns where it is. */
  reserveS32(): number {
    const at = this.length;
    this.raw([0x80, 0x80, 0x80, 0x80, 0x00]);
    return at;
  }

  /** `value` is not negative. */
  fillS32(at: number, value: number): void {
    for (let i = 0; i < 4; i += 1) this.bytes[at + i] = ((value >>> (7 * i)) & 0x7f) | 0x80;
    this.bytes[at + 4] = (value >>> 28) & 0x07;
  }

  text(value: string): this {
    const encoded = new TextEncoder().encode(value);
    return this.u32(encoded.length).raw(encoded);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.subarray(0, this.length));
  }
}
