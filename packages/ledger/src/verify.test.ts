import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { MemoryLog, ORIGIN, SIGNER, eventIdOf, eventOf, logOf, must, sampleEvent } from "../test/support.ts";
import { keptUntil } from "./catalogue.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { openLogDirectory } from "./directory-source.ts";
import { leafHash } from "./hashing.ts";
import { localDays } from "./jsonl.ts";
import { openJsonlWriter } from "./jsonl-writer.ts";
import { encodeVerifier, generateSigner } from "./note.ts";
import type { PayloadSource } from "./source.ts";
import { updateTileFiles } from "./tile-files.ts";
import { decodeEntries, encodeEntries } from "./tiles.ts";
import { type VerifyReport, findingText, verifyDirectory, verifyLog } from "./verify.ts";
import { FINDINGS_MAX } from "./verify/finding.ts";
import { micros, seededRandom } from "@rumi/kernel";

const SIZE = 700;
/** Seconds after which also money and approvals need not be kept. */
const SEVEN_YEARS = 2_557 * 86_400;
let folder: ReturnType<typeof temporaryFolder>;
let log: MemoryLog;
let tlog: string;
let jsonl: string;

beforeEach(async () => {
  folder = temporaryFolder();
  tlog = join(folder.path, "tlog");
  jsonl = join(folder.path, "audit");
  log = logOf(SIZE);
  must(await updateTileFiles({ directory: tlog, source: log, verifier: SIGNER }));
  const writer = must(await openJsonlWriter(jsonl, localDays("UTC")));
  must(await writer.catchUp(log, SIZE));
});
afterEach(() => folder.remove());

const everything = async (): Promise<VerifyReport> =>
  verifyDirectory({ directory: tlog, verifier: SIGNER, payloads: log, jsonl });
const kinds = (report: VerifyReport): string[] => report.findings.map(({ kind, index }) => `${kind} ${index ?? "-"}`);

/** Bytes of each file of a folder. */
const sizes = (of: string): ReadonlyMap<string, number> =>
  new Map(readdirSync(of).map((name) => [join(of, name), statSync(join(of, name)).size]));

/** Rewrites one entry bundle of the directory. */
function tamperEntries(name: string, change: (entries: Uint8Array[]) => Uint8Array[]): void {
  const path = join(tlog, "tile/entries", name);
  writeFileSync(path, encodeEntries(change([...decodeEntries(readFileSync(path)).entries])));
}
function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}
const edited = (leaf: Uint8Array): Uint8Array =>
  Buffer.from(Buffer.from(leaf).toString().replace("user:root", "user:evil"));

describe("verify", () => {
  it("[L-26] an untouched log has nothing to report, in the directory and in the rows", async () => {
    const report = await everything();
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      origin: ORIGIN,
      size: SIZE,
      entries_checked: SIZE,
      payloads_checked: SIZE,
      jsonl_lines_checked: SIZE,
      jsonl_complete_to: SIZE,
    });
    expect((await verifyLog({ source: log, verifier: encodeVerifier(SIGNER), payloads: log, jsonl })).ok).toBe(true);
    const empty = await verifyLog({ source: new MemoryLog(), verifier: SIGNER });
    expect(empty).toMatchObject({ ok: true, size: 0 });
  });

  it("[L-26] every kind of edit to an entry file is found, at its index", async () => {
    tamperEntries("001", (all) => all.with(44, edited(at(all, 44))));
    expect(kinds(await everything())).toContain("edited 300");
  });

  it("[L-26] a removed entry is found, whether the rest moves up or not", async () => {
    tamperEntries("001", (all) => all.toSpliced(44, 1));
    const report = await verifyDirectory({ directory: tlog, verifier: SIGNER });
    expect(kinds(report)).toEqual(["removed 300"]);
    const rows = logOf(SIZE);
    rows.entries.splice(3, 1);
    expect(kinds(await verifyLog({ source: rows, verifier: SIGNER }))).toEqual(["removed 3"]);
  });

  it("[L-26] an inserted entry is found", async () => {
    tamperEntries("000", (all) => all.toSpliced(9, 0, edited(at(all, 9))));
    expect(kinds(await verifyDirectory({ directory: tlog, verifier: SIGNER }))).toEqual(["inserted 9"]);
  });

  it("[L-26] reordered entries are found: neighbours, distant ones, one moved", async () => {
    const swap = (a: number, b: number) => (all: Uint8Array[]) => all.with(a, at(all, b)).with(b, at(all, a));
    tamperEntries("000", swap(10, 11));
    expect(kinds(await verifyDirectory({ directory: tlog, verifier: SIGNER }))).toEqual([
      "reordered 10",
      "reordered 11",
    ]);
    tamperEntries("000", swap(10, 11));
    tamperEntries("000", swap(10, 200));
    expect(kinds(await verifyDirectory({ directory: tlog, verifier: SIGNER }))).toEqual([
      "reordered 10",
      "reordered 200",
    ]);
    tamperEntries("000", swap(10, 200));
    tamperEntries("000", (all) => all.toSpliced(10, 1).toSpliced(99, 0, at(all, 10)));
    expect(kinds(await verifyDirectory({ directory: tlog, verifier: SIGNER }))).toEqual(["reordered 10"]);
  });

  it("[L-26] a truncated log is found by its checkpoint", async () => {
    tamperEntries("002.p/188", (all) => all.slice(0, 100));
    expect(kinds(await verifyDirectory({ directory: tlog, verifier: SIGNER }))).toEqual(["truncated 612"]);
    const rows = logOf(SIZE);
    rows.entries.length = 600;
    expect(kinds(await verifyLog({ source: rows, verifier: SIGNER }))).toEqual(["truncated 600"]);
  });

  it("[L-26] a log cut off together with its checkpoint is found only against a checkpoint kept elsewhere", async () => {
    const kept = log.note;
    const shorter = logOf(500);
    expect((await verifyLog({ source: shorter, verifier: SIGNER, payloads: shorter })).ok).toBe(true);
    expect(kinds(await verifyLog({ source: shorter, verifier: SIGNER, against: [kept] }))).toEqual(["truncated 500"]);
  });

  it("[L-26] a rewritten log signed by the true key is found against an earlier checkpoint, a grown one is not", async () => {
    const earlier = logOf(400).note;
    expect((await verifyLog({ source: log, verifier: SIGNER, against: [earlier, logOf(256).note, log.note] })).ok).toBe(
      true,
    );
    const forged = new MemoryLog();
    forged.append(Array.from({ length: SIZE }, (_, n) => (n === 5 ? sampleEvent(10_000) : sampleEvent(n))));
    expect(kinds(await verifyLog({ source: forged, verifier: SIGNER, against: [earlier] }))).toEqual(["forked -"]);
  });

  it("[L-26] a tree rewritten without the key is forked; a checkpoint of another key is no signature", async () => {
    const forged = new MemoryLog();
    forged.append(Array.from({ length: SIZE }, (_, n) => sampleEvent(n + 1)));
    forged.note = log.note;
    expect(kinds(await verifyLog({ source: forged, verifier: SIGNER }))).toEqual(["forked -"]);
    forged.note = signCheckpoint(
      { origin: ORIGIN, size: SIZE, root: forged.root },
      generateSigner(ORIGIN, seededRandom("thief")),
    );
    expect(kinds(await verifyLog({ source: forged, verifier: SIGNER }))).toEqual(["signature -"]);
  });

  it("[L-26] every byte of the directory counts: one flipped bit anywhere is found", async () => {
    for (const by of [3, 300, 9]) {
      log.append(Array.from({ length: by }, (_, n) => sampleEvent(log.head.size + n)));
      must(await updateTileFiles({ directory: tlog, source: log, verifier: SIGNER }));
    }
    expect(readdirSync(join(tlog, "tile/entries/003.p"))).toHaveLength(2); // also what an earlier checkpoint named
    const files = readdirSync(tlog, { recursive: true, withFileTypes: true }).filter(
      (file) => file.isFile() && file.name !== "log.vkey",
    );
    expect(files.length).toBeGreaterThan(6);
    const random = seededRandom("bits");
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      const whole = readFileSync(path);
      for (let trial = 0; trial < 4; trial += 1) {
        const bent = Buffer.from(whole);
        const place = random.below(bent.length);
        bent[place] = (bent[place] ?? 0) ^ (1 << random.below(8));
        writeFileSync(path, bent);
        expect((await verifyDirectory({ directory: tlog, verifier: SIGNER })).ok, `${file.name} byte ${place}`).toBe(
          false,
        );
      }
      writeFileSync(path, whole);
    }
    expect((await everything()).ok).toBe(true);
  });

  it("[L-26] a changed tile is told apart from a changed entry; missing files are named", async () => {
    const tile = join(tlog, "tile/0/001");
    const bytes = readFileSync(tile);
    bytes.set(leafHash(Buffer.from("x")), 44 * 32);
    writeFileSync(tile, bytes);
    expect(kinds(await verifyDirectory({ directory: tlog, verifier: SIGNER }))).toContain("tile 300");
    rmSync(tile);
    rmSync(join(tlog, "tile/entries/000"));
    expect(kinds(await verifyDirectory({ directory: tlog, verifier: SIGNER }))).toEqual([
      "unreadable 0",
      "unreadable 256",
    ]);
    rmSync(join(tlog, "checkpoint"));
    expect(kinds(await verifyDirectory({ directory: tlog, verifier: SIGNER }))).toEqual(["unreadable -"]);
  });

  it("[L-26] a changed payload or salt is a commitment mismatch", async () => {
    const opened = at(log.opened, 7);
    log.opened[7] =
      opened === undefined ? undefined : { salt: opened.salt, payload: opened.payload.replace("200", "500") };
    const other = at(log.opened, 9);
    log.opened[9] = other === undefined ? undefined : { ...other, salt: new Uint8Array(32) };
    expect(kinds(await verifyDirectory({ directory: tlog, verifier: SIGNER, payloads: log }))).toEqual([
      "commitment_mismatch 7",
      "commitment_mismatch 9",
    ]);
  });

  it("[L-26] an erased payload is fine once a later audit.erasure names it, else it is missing", async () => {
    log.opened[7] = undefined;
    expect(kinds(await verifyLog({ source: log, verifier: SIGNER, payloads: log }))).toEqual(["payload_missing 7"]);
    log.append([eventOf(SIZE + SEVEN_YEARS, "audit.erasure", { erased_event_ids: [eventIdOf(log, 7)] })]);
    const report = await verifyLog({ source: log, verifier: SIGNER, payloads: log });
    expect(report).toMatchObject({ ok: true, payloads_erased: 1 });
    log.append([sampleEvent(SIZE + 1)]);
    log.opened[SIZE + 1] = undefined;
    expect(kinds(await verifyLog({ source: log, verifier: SIGNER, payloads: log }))).toEqual([
      `payload_missing ${SIZE + 1}`,
    ]);
    expect(kinds(await verifyLog({ source: log, verifier: SIGNER, payloads: log, jsonl }))).toContain(
      "jsonl_mismatch 7",
    );
  });

  it("[L-26] [L-N15] an erasure before an event's time was over is found, at the second; one by a law is not", async () => {
    const erasedAt = async (index: number, occurred_at: number, more = {}): Promise<string[]> => {
      const copy = logOf(SIZE);
      copy.opened[index] = undefined;
      const event = eventOf(SIZE, "audit.erasure", { erased_event_ids: [eventIdOf(copy, index)], ...more });
      copy.append([{ ...event, occurred_at: micros(occurred_at) }]);
      return kinds(await verifyLog({ source: copy, verifier: SIGNER, payloads: copy }));
    };
    const financial = at(log.events, 7);
    const end = financial.occurred_at + SEVEN_YEARS * 1_000_000;
    expect(keptUntil(financial)).toBe(end);
    expect(await erasedAt(7, end - 1)).toEqual(["erased_early 7"]);
    expect(await erasedAt(7, end)).toEqual([]);
    expect(await erasedAt(7, end - 1, { legal_basis: "a court's order" })).toEqual([]);
    expect([at(log.events, 8).action, keptUntil(at(log.events, 8))]).toEqual(["pack.approved", null]);
    expect(await erasedAt(8, end * 2)).toEqual(["erased_early 8"]);
    const standard = { action: "authentication.summary", occurred_at: micros(0) };
    expect(keptUntil(standard)).toBe(365 * 86_400_000_000);
    expect(keptUntil({ ...standard, action: "of a later version" })).toBeNull();
  });

  it("[L-26] [R-17.1] an edited, removed, doubled, moved or invented JSONL line is found", async () => {
    const name = at(
      readdirSync(jsonl)
        .filter((file) => file.startsWith("approval_"))
        .toSorted(),
      0,
    );
    const path = join(jsonl, name);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    const found = async (changed: readonly string[]): Promise<string[]> => {
      writeFileSync(path, `${changed.join("\n")}\n`);
      return kinds(await everything());
    };
    expect(await found(lines.with(2, at(lines, 2).replace("user:root", "user:evil")))).toEqual(["jsonl_mismatch 8"]);
    expect(await found(lines.toSpliced(2, 1))).toEqual(["jsonl_mismatch 8"]);
    expect(await found(lines.toSpliced(2, 0, at(lines, 2)))).toEqual(["jsonl_mismatch 8"]);
    expect(await found(lines.with(2, at(lines, 3)).with(3, at(lines, 2)))).not.toEqual([]);
    expect(await found(lines.slice(0, -1))).toEqual(["jsonl_mismatch 698"]);
    expect(await found([...lines, "{}"])).toEqual(["jsonl_mismatch -"]);
    expect(await found(lines)).toEqual([]);
    copyFileSync(path, join(jsonl, "approval_2031-01-01.jsonl"));
    expect((await everything()).findings_total).toBe(lines.length);
    rmSync(join(jsonl, "approval_2031-01-01.jsonl"));
    appendFileSync(path, '{"torn":');
    expect(kinds(await everything())).toEqual(["jsonl_mismatch -"]);
  });

  it("[L-26] a log that grows meanwhile is verified as of its head: its tiles, and the lines that were there", async () => {
    const writer = must(await openJsonlWriter(jsonl, localDays("UTC")));
    const grow = async (by: number): Promise<void> => {
      log.append(Array.from({ length: by }, (_, n) => sampleEvent(log.head.size + n)));
      must(await updateTileFiles({ directory: tlog, source: log, verifier: SIGNER }));
    };
    /** Verifies while `act` happens between the head and the entries. */
    const whileReading = async (act: () => Promise<void>): Promise<VerifyReport> => {
      let first: Promise<void> | undefined;
      const payloads: PayloadSource = {
        payloads: async (from, to) => {
          await (first ??= act());
          return log.payloads(from, to);
        },
      };
      return verifyDirectory({ directory: tlog, verifier: SIGNER, payloads, jsonl });
    };
    for (const by of [1, 5, 100, 300]) {
      const size = log.head.size;
      const report = await whileReading(async () => {
        await grow(by);
        must(await writer.catchUp(log, log.head.size));
      });
      expect(report).toMatchObject({ ok: true, findings: [], size, jsonl_lines_checked: size });
    }

    // The writer is in the middle of a line when the check begins.
    await grow(1);
    const before = sizes(jsonl);
    must(await writer.catchUp(log, log.head.size));
    const [path = "", from = 0] = [...sizes(jsonl)].find(([name, bytes]) => bytes !== before.get(name)) ?? [];
    const whole = readFileSync(path);
    truncateSync(path, (before.get(path) ?? from) + 40);
    expect(await whileReading(async () => writeFileSync(path, whole))).toMatchObject({
      ok: true,
      findings: [],
      jsonl_lines_checked: log.head.size,
    });

    // What was there before and belongs to no entry is told, whatever else is written behind it.
    appendFileSync(
      path,
      whole
        .subarray(before.get(path) ?? 0)
        .toString()
        .replace(/"log_index":\d+/, '"log_index":9999'),
    );
    const report = await whileReading(async () => grow(3));
    expect(kinds(report)).toEqual(["jsonl_mismatch 9999"]);
  });

  it("[L-26] after pruning, whole bundles may be gone below the minimum index and the rest verifies", async () => {
    rmSync(join(tlog, "tile/entries/000"));
    const source = must(await openLogDirectory(tlog));
    expect((await verifyLog({ source, verifier: SIGNER })).ok).toBe(false);
    const big = logOf(5_000);
    big.entries.fill(Buffer.from("gone"), 0, 4_096);
    expect(await verifyLog({ source: big, verifier: SIGNER, minimum_index: 4_096 })).toMatchObject({
      ok: true,
      entries_checked: 904,
    });
    expect((await verifyLog({ source: big, verifier: SIGNER, minimum_index: 3_840 })).ok).toBe(false);
  });

  it("findings have a limit, are all counted, and read in both languages", async () => {
    log.opened.fill(undefined);
    log.append(Array.from({ length: FINDINGS_MAX }, (_, n) => sampleEvent(SIZE + n)));
    log.opened.fill(undefined);
    const seen: number[] = [];
    const report = await verifyLog({
      source: log,
      verifier: SIGNER,
      payloads: log,
      onProgress: (done) => seen.push(done),
    });
    expect(report.findings).toHaveLength(FINDINGS_MAX);
    expect(report.findings_total).toBe(SIZE + FINDINGS_MAX);
    expect(findingText(at(report.findings, 3), "en").text).toContain("entry 3");
    expect(findingText(at(report.findings, 3), "ja").text).toContain("3");
    expect(seen.at(-1)).toBe(SIZE + FINDINGS_MAX);
  });
});
