/**
 * A group of batches as one message to the writer's thread: one list of plain cells, one block of bytes.
 *
 * How to think: a message is cloned value by value, and thousands of small objects and byte arrays cost more than
 * the writing itself. So every text of a statement travels once for each group, all other values lie flat in `cells`
 * in the order in which `unpackGroup` takes them out, and all bytes lie in one buffer that is handed over, not copied.
 *
 * Invariant: unpacking gives exactly what was packed (group-pack.test.ts).
 */
import { invariant } from "@rumi/kernel";
import type { PreparedBatch, PreparedEntry } from "../batch.ts";
import type { SqlValue } from "../values.ts";

export type PackedGroup = {
  readonly texts: readonly string[];
  readonly cells: readonly Cell[];
  readonly bytes: Uint8Array;
};
/** A text, a number or null stands for itself; `true` for the next bytes, whose count is the cell behind it. */
type Cell = string | number | null | true;

const ANY = -1;

export function packGroup(group: readonly PreparedBatch[]): PackedGroup {
  const texts = new Map<string, number>();
  const cells: Cell[] = [group.length];
  const blocks: Uint8Array[] = [];
  const pushBytes = (block: Uint8Array): void => {
    blocks.push(block);
    cells.push(true, block.length);
  };
  const pushValues = (values: readonly SqlValue[]): void => {
    cells.push(values.length);
    for (const value of values) {
      if (value instanceof Uint8Array) pushBytes(value);
      else cells.push(value);
    }
  };
  for (const { writes, entries } of group) {
    cells.push(writes.length);
    for (const { sql, expect, parameters } of writes) {
      let text = texts.get(sql);
      if (text === undefined) texts.set(sql, (text = texts.size));
      cells.push(text, expect === "any" ? ANY : expect);
      pushValues(parameters);
    }
    cells.push(entries.length);
    for (const { event_id, columns, leaf, salt, payload } of entries) {
      cells.push(event_id, payload);
      pushValues(columns);
      pushBytes(leaf);
      pushBytes(salt);
    }
  }
  return { texts: [...texts.keys()], cells, bytes: joined(blocks) };
}

export function unpackGroup({ texts, cells, bytes }: PackedGroup): readonly PreparedBatch[] {
  let at = 0;
  let offset = 0;
  const next = (): Cell => {
    const cell = cells[at];
    invariant(cell !== undefined, "a packed group ends too early");
    at += 1;
    return cell;
  };
  const count = (): number => next() as number;
  const takeBytes = (): Uint8Array => {
    const length = count();
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const values = (): SqlValue[] => {
    const list: SqlValue[] = [];
    for (let left = count(); left > 0; left -= 1) {
      const cell = next();
      list.push(cell === true ? takeBytes() : cell);
    }
    return list;
  };
  const blob = (): Uint8Array => {
    invariant(next() === true, "a packed group holds a value where bytes belong");
    return takeBytes();
  };
  const batches: PreparedBatch[] = [];
  for (let left = count(); left > 0; left -= 1) {
    const writes: PreparedBatch["writes"][number][] = [];
    for (let more = count(); more > 0; more -= 1) {
      const sql = texts[count()] ?? "";
      const expect = count();
      writes.push({ sql, expect: expect === ANY ? "any" : expect, parameters: values() });
    }
    const entries: PreparedEntry[] = [];
    for (let more = count(); more > 0; more -= 1) {
      const event_id = next() as string;
      const payload = next() as string;
      entries.push({ event_id, payload, columns: values(), leaf: blob(), salt: blob() });
    }
    batches.push({ writes, entries });
  }
  return batches;
}

function joined(blocks: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const block of blocks) length += block.length;
  const bytes = new Uint8Array(length); // its own memory: it is handed over whole
  let offset = 0;
  for (const block of blocks) {
    bytes.set(block, offset);
    offset += block.length;
  }
  return bytes;
}
