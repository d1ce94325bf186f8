import { readFileSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import type { JournalEntry } from "../protocol.ts";
import { CHAIN_START, encodeFrame, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from "./frame.ts";
import { MerkleRoot } from "./merkle.ts";
import { readJournal } from "./reader.ts";
import { JournalWriter, type NewEntry } from "./writer.ts";

const RUN = "0197a000-0000-7000-8000-000000000001";
const folders: { remove: () => void }[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));

function room(segmentBytes = 1_000_000): {
  directory: string;
  options: Parameters<typeof JournalWriter.create>[0];
  now: { ms: number };
} {
  const folder = temporaryFolder();
  folders.push(folder);
  const now = { ms: 0 };
  const directory = join(folder.path, "journal");
  return {
    directory,
    now,
    options: { directory, runId: RUN, segmentBytes, segmentAgeMs: 1_000, monotonic: () => now.ms },
  };
}
const input = (n: number): NewEntry => ({
  kind: "input",
  at_us: n,
  event_time_us: n * 10,
  cursor: n,
  trace_id: "t".repeat(32),
  input: { n },
});
const readOk = (directory: string, durableSeq = 0) => {
  const read = readJournal({ directory, runId: RUN, durableSeq });
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value;
};

describe("intent journal", () => {
  it("[M-0.7] the format is the frozen golden vector", () => {
    const golden = JSON.parse(
      readFileSync(new URL("../../../../docs/formats/intent-journal.json", import.meta.url), "utf8"),
    ) as { header: { hex: string }; records: { payload: string; frame: string }[]; merkle_root: string };
    expect(encodeSegmentHeader({ segment: 1, firstSeq: 1, runId: RUN, chain: CHAIN_START }).toString("hex")).toBe(
      golden.header.hex,
    );
    let chain: Buffer = CHAIN_START;
    const merkle = new MerkleRoot();
    for (const record of golden.records) {
      const encoded = encodeFrame(chain, Buffer.from(record.payload));
      expect(encoded.frame.toString("hex")).toBe(record.frame);
      merkle.add(Buffer.from(record.payload));
      chain = encoded.chain;
    }
    expect(merkle.rootHex()).toBe(golden.merkle_root);
  });

  it("closes segments by size and by age, each under the RFC 6962 root of its records", async () => {
    const { directory, options, now } = room(1_000);
    const writer = JournalWriter.create(options);
    const written: JournalEntry[] = [];
    for (let n = 0; n < 20; n += 1) written.push(writer.append(input(n)));
    await writer.sync();
    const bySize = writer.takeClosed();
    expect(bySize.length).toBeGreaterThan(1);
    now.ms = 2_000;
    writer.append(input(99));
    writer.rollIfOld();
    expect(writer.takeClosed()).toHaveLength(1);
    writer.release();
    const back = readOk(directory);
    expect(back.entries.slice(0, 20)).toEqual(written);
    expect(back.closed.slice(0, bySize.length)).toEqual(bySize);
    const naive = (leaves: Buffer[]): Buffer => {
      if (leaves.length === 1)
        return createHash("sha256")
          .update(Buffer.from([0]))
          .update(leaves[0] as Buffer)
          .digest();
      let split = 1;
      while (split * 2 < leaves.length) split *= 2;
      return createHash("sha256")
        .update(Buffer.from([1]))
        .update(naive(leaves.slice(0, split)))
        .update(naive(leaves.slice(split)))
        .digest();
    };
    const merkle = new MerkleRoot();
    const leaves = Array.from({ length: 13 }, (_, n) => Buffer.from(String(n)));
    for (const leaf of leaves) merkle.add(leaf);
    expect(merkle.rootHex()).toBe(naive(leaves).toString("hex"));
  });

  it("[M-8.2.2] a torn tail of any length is cut, kept as evidence, and writing continues", () => {
    const whole = room();
    const writer = JournalWriter.create(whole.options);
    for (let n = 0; n < 3; n += 1) writer.append(input(n));
    writer.syncNow();
    const two = readFileSync(join(whole.directory, "00000001.journal")).length;
    writer.append(input(3));
    writer.release();
    const bytes = readFileSync(join(whole.directory, "00000001.journal"));
    for (let cut = two + 1; cut < bytes.length; cut += 7) {
      const { directory, options } = room();
      JournalWriter.create(options).release();
      writeFileSync(join(directory, "00000001.journal"), bytes.subarray(0, cut));
      const torn = readOk(directory, 3);
      expect(torn.entries).toHaveLength(3);
      expect(torn.torn?.offset).toBe(two);
      const next = JournalWriter.resume(options, torn);
      next.append(input(3));
      next.release();
      expect(readFileSync(join(directory, "00000001.journal")).equals(bytes)).toBe(true);
      expect(readdirSync(directory).some((name) => name.includes(".torn-"))).toBe(true);
    }
  });

  it("[M-6.2.2] any flipped byte inside is refused with its place, and so is a lost durable record", () => {
    const { directory, options } = room();
    const writer = JournalWriter.create(options);
    for (let n = 0; n < 4; n += 1) writer.append(input(n));
    writer.release();
    const path = join(directory, "00000001.journal");
    const bytes = readFileSync(path);
    const lastFrame = bytes.lastIndexOf(Buffer.from([0xa5, 0x52, 0x4a, 0x01]));
    for (let at = 0; at < lastFrame; at += 11) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      writeFileSync(path, damaged);
      const read = readJournal({ directory, runId: RUN, durableSeq: 0 });
      expect(read.ok ? "read" : read.error.code, `byte ${at}`).toBe("RUMI-STR-020");
    }
    writeFileSync(path, bytes);
    truncateSync(path, lastFrame + 5);
    expect(readJournal({ directory, runId: RUN, durableSeq: 3 }).ok).toBe(true);
    expect(readJournal({ directory, runId: RUN, durableSeq: 4 }).ok).toBe(false);
  });

  it("a stopped run that is resumed goes on in a new segment, so that a reported root never changes", () => {
    const { directory, options } = room();
    const writer = JournalWriter.create(options);
    writer.append(input(1));
    writer.append({ kind: "run_stopped", at_us: 1, event_time_us: 1, cursor: 1, trace_id: "x" });
    writer.finish();
    const reported = writer.takeClosed();
    const next = JournalWriter.resume(options, readOk(directory, 2));
    next.append(input(2));
    next.release();
    const back = readOk(directory);
    expect(back.closed).toEqual(reported);
    expect(back.last?.segment).toBe(2);
    expect(SEGMENT_HEADER_BYTES).toBe(72);
  });
});
