/**
 * Threads that vouch for ranges: a report is the same with and without them, whatever was done to the store and wherever.
 *
 * The log has two whole ranges and a rest, and is tampered with at their borders and inside them.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as sqlite from "@photostructure/sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FailureError, micros } from "@rumi/kernel";
import {
  encodeVerifier,
  RANGE_ENTRIES,
  signCheckpoint,
  verifyLog,
  type LedgerEvent,
  type VerifyReport,
} from "@rumi/ledger";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { openSqliteReader, sqliteVouchers, storedLog, type VoucherOptions } from "../src/index.ts";
import { noteSigner } from "../src/log/leaves.ts";
import { batch, bundledEntry, event, must, openTestStore, SIGNER } from "./support.ts";

const REST = 300;
const SIZE = 2 * RANGE_ENTRIES + REST;
const LAST = RANGE_ENTRIES - 1; // of the first range
const FIRST = RANGE_ENTRIES; // of the second
const VERIFIER = encodeVerifier(noteSigner(SIGNER));
const { DatabaseSync } = createRequire(import.meta.url)("@photostructure/sqlite") as typeof sqlite;

let folder: ReturnType<typeof temporaryFolder>;
let worker_url: URL;
let whole: string;
/** Checkpoints from before the end: inside a tile, at a tile's end, at a range's. */
const earlier: string[] = [];
const EARLIER = [2_000, RANGE_ENTRIES, RANGE_ENTRIES + 256, 5_000];
let copies = 0;

function logEvent(n: number): LedgerEvent {
  const resource_id = n % 5 === 0 ? `ボット "${n}"\\\n` : `bot-${n}`; // some that must be quoted
  const base = event({ occurred_at: micros(1_790_000_000_000_000 + n), resource_id });
  const request_id = n % 2 === 0 ? null : `request-${n}`;
  return { ...base, details: { ...base.details, request_id } };
}

beforeAll(async () => {
  folder = temporaryFolder();
  worker_url = await bundledEntry("vouch-worker");
  const store = await openTestStore(folder.path);
  const stops = [...EARLIER, SIZE];
  for (const [at, to] of stops.entries()) {
    for (let from = stops[at - 1] ?? 0; from < to; from += 500) {
      const events = Array.from({ length: Math.min(500, to - from) }, (_, n) => logEvent(from + n));
      expect(await store.commit(batch([], events))).toMatchObject({ ok: true });
    }
    if (to < SIZE) earlier.push((await storedLog(store, store).checkpoint()) ?? "");
  }
  await store.close();
  whole = join(folder.path, "store.db");
}, 120_000);
afterAll(() => folder.remove());

/** A copy of the store's file, changed behind everybody's back. */
function tampered(...statements: readonly string[]): string {
  const path = join(folder.path, `copy-${(copies += 1)}`, "store.db");
  mkdirSync(join(path, ".."));
  copyFileSync(whole, path);
  const db = new DatabaseSync(path);
  for (const statement of statements) db.exec(statement);
  db.close();
  return path;
}

async function report(
  path: string,
  threads: number,
  more: Partial<VoucherOptions> & { readonly against?: readonly string[] } = {},
): Promise<VerifyReport> {
  const store = must(openSqliteReader(path));
  const vouchers = sqliteVouchers({ path, worker_url, threads, least_size: 0, ...more });
  try {
    return await store.snapshot((reader) => {
      const log = storedLog(store, reader);
      const options = { against: more.against ?? [], ...(threads === 0 ? {} : { vouchers }) };
      return verifyLog({ source: log, payloads: log, index: log, verifier: VERIFIER, ...options });
    });
  } finally {
    await vouchers.close();
    store.close();
  }
}

const kinds = ({ findings }: VerifyReport): string[] => [
  ...new Set(findings.map(({ kind, index }) => `${kind} ${index ?? "-"}`)),
];
const inLeaf = (index: number): string =>
  `UPDATE log_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), 'user:root', 'user:evil') AS BLOB) WHERE idx = ${index}`;
const swapped = (table: string, column: string, a: number, b: number): string[] => [
  `CREATE TEMP TABLE kept AS SELECT ${a + b} - idx AS idx, ${column} AS was FROM ${table} WHERE idx IN (${a}, ${b})`,
  `UPDATE ${table} SET ${column} = (SELECT was FROM kept WHERE kept.idx = ${table}.idx) WHERE idx IN (${a}, ${b})`,
];
const moved = (by: number): string[] => [
  `UPDATE log_entry SET idx = -idx - ${by} WHERE idx >= ${FIRST}`,
  "UPDATE log_entry SET idx = -idx WHERE idx < 0",
];
const column = (name: string, value: string, index: number): string =>
  `UPDATE log_entry SET ${name} = ${value} WHERE idx = ${index}`;

/** What is done, and what must be found among the rest. */
const TAMPERINGS: readonly (readonly [string, string, ...string[]])[] = [
  ["an edited last entry of a range", `edited ${LAST}`, inLeaf(LAST)],
  ["an edited first entry of a range", `edited ${FIRST}`, inLeaf(FIRST)],
  ["edits in two ranges, the later one first", `edited ${LAST}`, inLeaf(FIRST + 9), inLeaf(LAST)],
  ["entries swapped across a border", `reordered ${LAST}`, ...swapped("log_entry", "leaf", LAST, FIRST)],
  ["an entry removed before a border", `removed ${LAST}`, `DELETE FROM log_entry WHERE idx = ${LAST}`],
  [
    "one removed behind it, the rest moved up",
    `removed ${FIRST}`,
    `DELETE FROM log_entry WHERE idx = ${FIRST}`,
    ...moved(-1),
  ],
  [
    "an entry invented at a border",
    `inserted ${FIRST}`,
    ...moved(1),
    `INSERT INTO log_entry SELECT ${FIRST}, 'invented', action, actor, resource_type, resource_id, outcome, occurred_at, trace_id, run_id, request_id, x'7b7d' FROM log_entry WHERE idx = 3`,
  ],
  ["cut off at a border", `truncated ${FIRST}`, `DELETE FROM log_entry WHERE idx >= ${FIRST}`],
  ["cut off before a border", `truncated ${LAST - 1}`, `DELETE FROM log_entry WHERE idx >= ${LAST - 1}`],
  ["an entry longer than any", `edited ${LAST}`, column("leaf", "zeroblob(70000)", LAST)],
  ["an empty entry", `edited ${FIRST}`, column("leaf", "x''", FIRST)],
  [
    "a byte moved from one entry to the next",
    `edited ${LAST - 1}`,
    column("leaf", "leaf || x'7b'", LAST - 1),
    column("leaf", "substr(leaf, 2)", LAST),
  ],
  [
    "a payload changed",
    `commitment_mismatch ${LAST}`,
    `UPDATE log_payload SET payload = replace(payload, 'root', 'evil') WHERE idx = ${LAST}`,
  ],
  [
    "a payload with a byte that is no text",
    `commitment_mismatch ${FIRST}`,
    `UPDATE log_payload SET payload = CAST(CAST(payload AS BLOB) || x'ff' AS TEXT) WHERE idx = ${FIRST}`,
  ],
  [
    "payloads swapped across a border",
    `commitment_mismatch ${LAST}`,
    ...swapped("log_payload", "payload", LAST, FIRST),
  ],
  ["a salt changed", `commitment_mismatch ${FIRST}`, `UPDATE log_payload SET salt = zeroblob(32) WHERE idx = ${FIRST}`],
  [
    "a salt cut short",
    `commitment_mismatch ${FIRST}`,
    `UPDATE log_payload SET salt = substr(salt, 2) WHERE idx = ${FIRST}`,
  ],
  ["a payload gone", `payload_missing ${LAST}`, `DELETE FROM log_payload WHERE idx = ${LAST}`],
  ["all payloads gone", "payload_missing 0", "DELETE FROM log_payload"],
  [
    "a tile changed",
    `tile ${LAST}`,
    "UPDATE log_tile SET data = CAST(substr(data, 1, 255 * 32) || zeroblob(32) AS BLOB) WHERE level = 0 AND idx = 15",
  ],
  [
    "a tile cut short",
    `unreadable ${FIRST}`,
    "UPDATE log_tile SET data = substr(data, 33) WHERE level = 0 AND idx = 16",
  ],
  ["a tile missing", `unreadable ${FIRST - 256}`, "DELETE FROM log_tile WHERE level = 0 AND idx = 15"],
  ["an upper tile changed", "tile -", "UPDATE log_tile SET data = zeroblob(length(data)) WHERE level = 1"],
  ["an upper tile missing", "unreadable -", "DELETE FROM log_tile WHERE level = 1"],
  ["another signature", "signature -", "UPDATE log_checkpoint SET note = replace(note, '— ', '— x')"],
  ...["event_id", "action", "actor", "resource_type", "resource_id", "outcome", "trace_id", "run_id", "request_id"].map(
    (name, at) =>
      [
        `another ${name} to search by`,
        `index_mismatch ${LAST + (at % 2)}`,
        column(name, "'other'", LAST + (at % 2)),
      ] as const,
  ),
  ["another time to search by", `index_mismatch ${LAST}`, column("occurred_at", "occurred_at + 1", LAST)],
  ["a search column that is no text", `index_mismatch ${LAST}`, column("actor", "CAST(actor AS BLOB)", LAST)],
];

describe("vouching threads", () => {
  it("[L-26] a whole log has nothing to report, and the threads looked at all of its whole ranges", async () => {
    expect(await report(whole, 0)).toMatchObject({ ok: true, entries_checked: SIZE, payloads_checked: SIZE });
    const plain = await report(whole, 0);
    for (const threads of [1, 3]) expect(await report(whole, threads)).toEqual(plain);
    const vouchers = sqliteVouchers({ path: whole, worker_url, threads: 2 });
    try {
      for (const first of [0, FIRST]) expect(await vouchers.vouch(first)).toHaveLength(512);
      expect(await vouchers.vouch(2 * RANGE_ENTRIES)).toBeUndefined(); // it is not whole yet
    } finally {
      await vouchers.close();
    }
  }, 180_000);

  it.each(TAMPERINGS.map(([what, found, ...statements]) => ({ what, found, statements })))(
    "[L-26] $what: found, and told alike with and without threads",
    async ({ found, statements }) => {
      const path = tampered(...statements);
      const plain = await report(path, 0);
      expect(kinds(plain)).toContain(found);
      expect(await report(path, 3)).toEqual(plain);
    },
    60_000,
  );

  it("[L-26] earlier checkpoints are held against the same trees with and without threads", async () => {
    const plain = await report(whole, 0, { against: earlier });
    expect(plain).toMatchObject({ ok: true, against_checked: EARLIER.length });
    expect(await report(whole, 3, { against: earlier })).toEqual(plain);
    for (const [at, size] of EARLIER.entries()) {
      const forged = signCheckpoint({ origin: SIGNER.origin, size, root: new Uint8Array(32) }, noteSigner(SIGNER));
      const found = await report(whole, 3, { against: earlier.with(at, forged) });
      expect(kinds(found), `${size} entries`).toEqual(["forked -"]);
    }
  }, 180_000);

  it("[L-26] a thread that does not start, ends in between, or cannot read proves nothing and says so", async () => {
    const code = async (path: string, more: Partial<VoucherOptions>): Promise<string> => {
      try {
        return `verified: ${(await report(path, 2, more)).ok}`;
      } catch (cause) {
        return cause instanceof FailureError ? cause.failure.code : String(cause);
      }
    };
    const workerOf = (text: string): URL => {
      const file = join(folder.path, `worker-${(copies += 1)}.mjs`);
      writeFileSync(file, `import { parentPort } from "node:worker_threads"; ${text}`);
      return pathToFileURL(file);
    };
    const missing = pathToFileURL(join(folder.path, "no-such-worker.mjs"));
    expect(await code(whole, { worker_url: missing })).toBe("RUMI-LOG-030");
    expect(await code(whole, { worker_url: workerOf("process.exit(0)") })).toBe("RUMI-LOG-030");
    const asked = workerOf('parentPort.on("message", () => process.exit(0))');
    expect(await code(whole, { worker_url: asked })).toBe("RUMI-LOG-030");
    const thrown = workerOf('parentPort.on("message", () => { throw new Error("out of order") })');
    expect(await code(whole, { worker_url: thrown })).toBe("RUMI-LOG-030");
    expect(await code(whole, { path: join(folder.path, "no-such-store") })).toBe("RUMI-LOG-030");
    expect(await code(whole, {})).toBe("verified: true");
  }, 180_000);
});
