/** Where bills of materials and summaries lie, each under the hash of its bytes; the composition root hands it in. */
import { err, failure, ok, sha256Hex, type Failure, type Result } from "@rumi/kernel";

export interface SupplyShelf {
  /** Durable when it returns; the same bytes twice are one file. */
  put(sha256: string, bytes: Uint8Array): void;
  /** Undefined where there is none. */
  get(sha256: string): Uint8Array | undefined;
}

/** For tests and for programs without a disk of their own. */
export function memorySupplyShelf(): SupplyShelf {
  const kept = new Map<string, Uint8Array>();
  return { put: (sha256, bytes) => void kept.set(sha256, bytes), get: (sha256) => kept.get(sha256) };
}

/** Its reference. */
export function keep(shelf: SupplyShelf, text: string): string {
  const bytes = Buffer.from(text);
  const sha256 = sha256Hex(bytes);
  shelf.put(sha256, bytes);
  return `sha256:${sha256}`;
}

/** The text that the reference names, and no other. */
export function kept(shelf: SupplyShelf, ref: string): Result<string, Failure> {
  const sha256 = ref.slice("sha256:".length);
  const bytes = shelf.get(sha256);
  if (bytes === undefined) return err(failure("RUMI-SUP-052", { ref, problem: "it is gone" }));
  return sha256Hex(bytes) === sha256
    ? ok(Buffer.from(bytes).toString("utf8"))
    : err(failure("RUMI-SUP-052", { ref, problem: "its bytes are others" }));
}
