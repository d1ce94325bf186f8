/** Whole numbers as bytes for a saved state: eight each, little-endian, as every language of the ABI writes them. */
import { frameViews, putInt64, takeInt64 } from "./generated/views.ts";

export function packIntegers(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const views = frameViews(bytes.buffer, 0, bytes.length);
  values.forEach((value, index) => putInt64(views, index * 8, value));
  return bytes;
}

/** `null` when the bytes are no multiple of eight, or a number of theirs is 2^53 or more in magnitude. */
export function unpackIntegers(bytes: Uint8Array): number[] | null {
  if (bytes.length % 8 !== 0) return null;
  const copy = bytes.slice();
  const views = frameViews(copy.buffer, 0, copy.length);
  const values = Array.from({ length: copy.length / 8 }, (_, index) => takeInt64(views, index * 8));
  return values.every(Number.isSafeInteger) ? values : null;
}
