/**
 * The cheap check of a stored log at start: do its last rows agree with each other and with the signature?
 *
 * It reads a handful of rows whatever the size. It finds a torn, truncated or edited end; edits further
 * back are the business of the full verifier. A log that fails is refused with RUMI-STO-002 (head.test.ts).
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { emptyHead, leafHash, loadHead, rootOf, type LogHead, type NoteSigner } from "@rumi/ledger";
import { openHead } from "./leaves.ts";

const TILE_WIDTH = 256;
const HASH_BYTES = 32;

/** Dialect-free; rows as `HeadRows` names them. */
export const HEAD_QUERIES = {
  checkpoint: "SELECT size, root, note FROM log_checkpoint WHERE kind = 'current'",
  last: "SELECT idx, leaf FROM log_entry ORDER BY idx DESC LIMIT 1",
  tiles: `SELECT t.level, t.idx, t.data, m.tiles FROM log_tile t
    JOIN (SELECT level, max(idx) AS idx, count(*) AS tiles FROM log_tile GROUP BY level) m ON m.level = t.level AND m.idx = t.idx
    ORDER BY t.level`,
} as const;

export type HeadRows = {
  readonly checkpoints: readonly { readonly size: number; readonly root: Uint8Array; readonly note: string }[];
  readonly last: readonly { readonly idx: number; readonly leaf: Uint8Array }[];
  /** The rightmost tile of each level, and how many tiles the level has. */
  readonly tiles: readonly {
    readonly level: number;
    readonly idx: number;
    readonly data: Uint8Array;
    readonly tiles: number;
  }[];
};

export function checkedHead(rows: HeadRows, signer: NoteSigner): Result<LogHead, Failure> {
  const [checkpoint] = rows.checkpoints;
  const [last] = rows.last;
  if (checkpoint === undefined) {
    return last === undefined && rows.tiles.length === 0
      ? ok(emptyHead())
      : broken("there are leaves or tiles and no checkpoint");
  }
  const { size } = checkpoint;
  if (last === undefined || last.idx !== size - 1)
    return broken(`the checkpoint counts ${size} leaves, the last stored one has index ${last?.idx ?? "none"}`);
  const misplaced = tileProblem(rows, size);
  if (misplaced !== undefined) return broken(misplaced);
  const head = loadHead(
    size,
    rows.tiles.map(({ data }) => (data.length === TILE_WIDTH * HASH_BYTES ? new Uint8Array(0) : data)),
  );
  if (!head.ok) return broken(`a rightmost tile has the wrong width (${head.error.code})`);
  const bottom = rows.tiles[0]?.data.slice(-HASH_BYTES) ?? new Uint8Array(0);
  if (Buffer.compare(bottom, leafHash(last.leaf)) !== 0) return broken("the last leaf is not the one in the last tile");
  if (Buffer.compare(rootOf(head.value), checkpoint.root) !== 0)
    return broken("the tiles do not give the checkpoint's root");
  const opened = openHead(signer, checkpoint.note);
  if (!opened.ok)
    return broken(`the checkpoint is not signed by this home's log key for this origin (${opened.error.code})`);
  if (opened.value.size !== size || Buffer.compare(opened.value.root, checkpoint.root) !== 0)
    return broken("the signed checkpoint names another size or root");
  return head;
}

function tileProblem(rows: HeadRows, size: number): string | undefined {
  for (let level = 0; ; level += 1) {
    const hashes = Math.floor(size / TILE_WIDTH ** level);
    const tile = rows.tiles[level];
    if (hashes === 0)
      return tile === undefined ? undefined : `level ${level} has tiles that a log of ${size} cannot have`;
    const expected = Math.ceil(hashes / TILE_WIDTH);
    const width = hashes - (expected - 1) * TILE_WIDTH;
    if (tile === undefined || tile.level !== level || tile.tiles !== expected || tile.idx !== expected - 1)
      return `level ${level} must have ${expected} tiles`;
    if (tile.data.length !== width * HASH_BYTES)
      return `the last tile of level ${level} has ${tile.data.length} bytes instead of ${width * HASH_BYTES}`;
  }
}

function broken(problem: string): Result<never, Failure> {
  return err(failure("RUMI-STO-002", { problem }));
}
