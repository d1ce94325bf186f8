/**
 * SQLite's rows of a whole tile in one row, for those who vouch for ranges of a log (ledger's verify/vouch.ts).
 *
 * The database lays leaves, salts and payloads end to end itself: making a value in JavaScript costs more than reading
 * it. Rows come in the order of the key, though nothing promises that; in another order they vouch for nothing.
 * What cannot be said in this form (a column of another type, say) is no answer: whoever looks closer names it.
 */
import { FailureError } from "@rumi/kernel";
import { TILE_WIDTH, type PackedEntries, type PackedSource } from "@rumi/ledger";
import type { Reader, Statement } from "../port.ts";

type PackedRow = {
  readonly entries: number;
  readonly opened: number;
  readonly leaves: Uint8Array | null;
  readonly leaf_lengths: string;
  readonly salts: Uint8Array | null;
  readonly payloads: Uint8Array | null;
  readonly payload_lengths: string;
  readonly index_lines: string;
};

// group_concat takes bytes as they are, and the casts only say that no text is meant.
const PACKED = `SELECT count(*) AS entries, count(p.idx) AS opened,
  CAST(group_concat(e.leaf, '') AS BLOB) AS leaves, group_concat(octet_length(e.leaf)) AS leaf_lengths,
  CAST(group_concat(p.salt, '') AS BLOB) AS salts,
  CAST(group_concat(p.payload, '') AS BLOB) AS payloads, group_concat(octet_length(p.payload)) AS payload_lengths,
  group_concat(json_array(e.event_id, e.action, e.actor, e.resource_type, e.resource_id, e.outcome, e.occurred_at,
    e.trace_id, e.run_id, e.request_id), char(10)) AS index_lines
FROM log_entry AS e LEFT JOIN log_payload AS p ON p.idx = e.idx
WHERE e.idx >= ? AND e.idx < ?`;

const TILE = "SELECT data FROM log_tile WHERE level = ? AND idx = ?";

/** Reads whole tiles of the log of a SQLite store. */
export function packedLog(reader: Reader): PackedSource {
  return {
    tile: async (level, index) =>
      (await reader.rows<{ data: Uint8Array }>({ sql: TILE, parameters: [level, index] }))[0]?.data,
    packed: async (index) => {
      const parameters = [index * TILE_WIDTH, (index + 1) * TILE_WIDTH];
      const row = await rowOf(reader, { sql: PACKED, parameters });
      if (row?.entries !== TILE_WIDTH || row.opened !== TILE_WIDTH) return undefined;
      const { leaves, salts, payloads } = row;
      if (leaves === null || salts === null || payloads === null) return undefined;
      return {
        leaves,
        leaf_lengths: numbersOf(row.leaf_lengths),
        salts,
        payloads,
        payload_lengths: numbersOf(row.payload_lengths),
        index_lines: row.index_lines.split("\n"), // quoted texts hold no line end
      } satisfies PackedEntries;
    },
  };
}

/** Undefined where the database cannot say it so. */
async function rowOf(reader: Reader, statement: Statement): Promise<PackedRow | undefined> {
  try {
    return (await reader.rows<PackedRow>(statement))[0];
  } catch (cause) {
    if (cause instanceof FailureError && cause.failure.code === "RUMI-STO-010") return undefined;
    throw cause;
  }
}

const numbersOf = (text: string): readonly number[] => text.split(",").map(Number);
