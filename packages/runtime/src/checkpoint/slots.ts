/**
 * Two slots for state checkpoints: the older one is overwritten, the newer one stays until that is proven.
 *
 * A write goes aside, is made durable, read back and compared, and only then renamed over the older slot.
 *
 * Invariants
 * - At every instant at least one slot that was valid before is still whole (kill test, checkpoint.test.ts).
 * - Damaged slots are renamed, never deleted; the caller tells it on.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { err, failure, type Failure, ok, type Result } from "@rumi/kernel";
import { syncDirectory } from "../journal/writer.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./format.ts";

const SLOTS = ["a.checkpoint", "b.checkpoint"] as const;
type Slot = (typeof SLOTS)[number];

export type Restored = {
  readonly checkpoint: Checkpoint | null;
  /** Its length as it lies on the disk; 0 without one. */
  readonly bytes: number;
  /** Slots that were damaged, with the name of the evidence. */ readonly damaged: readonly {
    readonly slot: string;
    readonly problem: string;
    readonly evidence: string;
  }[];
};

export class CheckpointSlots {
  readonly #directory: string;
  #next: Slot;
  #generation: number;

  private constructor(directory: string, next: Slot, generation: number) {
    this.#directory = directory;
    this.#next = next;
    this.#generation = generation;
  }

  static create(directory: string): CheckpointSlots {
    mkdirSync(directory, { recursive: true });
    return new CheckpointSlots(directory, SLOTS[0], 0);
  }

  /** Opens the directory of an earlier life: newest valid slot, damaged ones put aside; none valid of some is an error. */
  static open(directory: string): Result<{ readonly slots: CheckpointSlots; readonly restored: Restored }, Failure> {
    mkdirSync(directory, { recursive: true });
    const damaged: { slot: string; problem: string; evidence: string }[] = [];
    let newest: { slot: Slot; checkpoint: Checkpoint; bytes: number } | undefined;
    for (const slot of SLOTS) {
      const path = join(directory, slot);
      if (!existsSync(path)) continue;
      const bytes = readFileSync(path);
      const decoded = decodeCheckpoint(bytes);
      if (typeof decoded === "string") {
        const evidence = freeName(directory, `${slot}.damaged`);
        renameSync(path, join(directory, evidence));
        damaged.push({ slot, problem: decoded, evidence });
      } else if (newest === undefined || decoded.header.generation > newest.checkpoint.header.generation)
        newest = { slot, checkpoint: decoded, bytes: bytes.length };
    }
    if (newest === undefined && damaged.length > 0) {
      return err(
        failure(
          "RUMI-STR-023",
          { path: directory, problem: damaged.map((one) => `${one.slot}: ${one.problem}`).join("; ") },
          { reasonCode: "M.STATE.CORRUPT", details: { damaged } },
        ),
      );
    }
    const next = newest?.slot === SLOTS[0] ? SLOTS[1] : SLOTS[0];
    const slots = new CheckpointSlots(directory, next, newest?.checkpoint.header.generation ?? 0);
    return ok({ slots, restored: { checkpoint: newest?.checkpoint ?? null, bytes: newest?.bytes ?? 0, damaged } });
  }

  get nextGeneration(): number {
    return this.#generation + 1;
  }

  /** Answers the bytes written. */
  write(checkpoint: Checkpoint): Result<number, Failure> {
    const path = join(this.#directory, this.#next);
    const aside = `${path}.new`;
    const bytes = encodeCheckpoint(checkpoint);
    try {
      const fd = openSync(aside, "w", 0o600);
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      fdatasyncSync(fd);
      closeSync(fd);
      if (!readFileSync(aside).equals(bytes))
        return err(
          failure(
            "RUMI-STR-039",
            { path: aside, problem: "what was read back differs" },
            { reasonCode: "M.STATE.WRITE_FAILED" },
          ),
        );
      renameSync(aside, path);
      syncDirectory(this.#directory);
    } catch (cause) {
      return err(
        failure("RUMI-STR-039", { path: aside, problem: String(cause) }, { reasonCode: "M.STATE.WRITE_FAILED", cause }),
      );
    }
    this.#generation = checkpoint.header.generation;
    this.#next = this.#next === SLOTS[0] ? SLOTS[1] : SLOTS[0];
    return ok(bytes.length);
  }
}

/** Path of the newest sound slot, changing nothing; for whoever reads another run's state. */
export function newestSlot(directory: string): string | undefined {
  let newest: { readonly path: string; readonly generation: number } | undefined;
  for (const slot of SLOTS) {
    const path = join(directory, slot);
    const decoded = existsSync(path) ? decodeCheckpoint(readFileSync(path)) : "absent";
    if (typeof decoded === "string" || decoded.header.generation < (newest?.generation ?? 0)) continue;
    newest = { path, generation: decoded.header.generation };
  }
  return newest?.path;
}

/**
 * Rows that the slots stand at: what a life goes on from, and what it may have to fall back to; 0 for a slot that is not
 * there or not sound, because then everything may be needed.
 */
export function slotCursors(directory: string): { readonly newest: number; readonly oldest: number } {
  const cursors = SLOTS.map((slot) => {
    const path = join(directory, slot);
    const decoded = existsSync(path) ? decodeCheckpoint(readFileSync(path)) : "absent";
    return typeof decoded === "string" ? 0 : decoded.header.last_event_cursor;
  });
  return { newest: Math.max(...cursors), oldest: Math.min(...cursors) };
}

function freeName(directory: string, base: string): string {
  for (let n = 1; ; n += 1) if (!existsSync(join(directory, `${base}-${n}`))) return `${base}-${n}`;
}
