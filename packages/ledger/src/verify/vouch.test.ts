import { type Uuid, micros } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { MemoryLog, SIGNER, eventIdOf, eventOf, logOf, sampleEvent } from "../../test/support.ts";
import { leafHash } from "../hashing.ts";
import type { IndexSource, PackedSource, RangeVouchers } from "../source.ts";
import { TreeBuilder } from "../tree-builder.ts";
import { type VerifyOptions, type VerifyReport, verifyLog } from "../verify.ts";
import { indexLine } from "./index-check.ts";
import { RANGE_ENTRIES, vouchForRange } from "./vouch.ts";

/** Two whole ranges and a rest. */
const SIZE = 2 * RANGE_ENTRIES + 10;

/** What a store would say of a log in memory. */
function packedOf(log: MemoryLog): PackedSource {
  return {
    tile: (level, index) => log.tile(level, index),
    packed: async (index) => {
      const [from, to] = [index * 256, (index + 1) * 256];
      const leaves = log.entries.slice(from, to);
      const opened = log.opened.slice(from, to).filter((one) => one !== undefined);
      if (opened.length < 256) return undefined;
      const payloads = opened.map(({ payload }) => Buffer.from(payload));
      return {
        leaves: Buffer.concat(leaves),
        leaf_lengths: leaves.map(({ length }) => length),
        salts: Buffer.concat(opened.map(({ salt }) => salt)),
        payloads: Buffer.concat(payloads),
        payload_lengths: payloads.map(({ length }) => length),
        index_lines: log.events.slice(from, to).map((event) => indexLine(event) ?? ""),
      };
    },
  };
}

type Asked = RangeVouchers & { readonly asked: number[]; readonly open: () => number };

/** Vouches in this thread and answers the later-asked first. */
function vouchersOf(log: MemoryLog, at_once: number): Asked {
  const asked: number[] = [];
  let open = 0;
  return {
    at_once,
    least_size: 0,
    asked,
    open: () => open,
    vouch: async (first) => {
      asked.push(first);
      open += 1;
      const roots = await vouchForRange(packedOf(log), first);
      for (let turn = asked.length; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return roots;
    },
  };
}

const NO_INDEX: IndexSource = { indexed: async (from, to) => Array.from({ length: to - from }, () => undefined) };

const verified = (log: MemoryLog, more: Partial<VerifyOptions> = {}): Promise<VerifyReport> =>
  verifyLog({ source: log, payloads: log, index: NO_INDEX, verifier: SIGNER, ...more });

describe("vouching", () => {
  it("[L-26] a tree of whole tiles' roots is the tree of their leaves, in root, edge, tiles and what is appended later", () => {
    const leaf = (n: number): Uint8Array => leafHash(Buffer.from(`${n}`));
    for (const tiles of [1, 2, 3, 255, 256, 257]) {
      const full: string[][] = [[], []];
      const note = (list: string[] | undefined) => (level: number, index: number, data: Uint8Array) => {
        if (level > 0) list?.push(`${level}/${index} ${Buffer.from(data).toString("hex")}`);
      };
      const [byLeaf, byTile] = [new TreeBuilder(note(full[0])), new TreeBuilder(note(full[1]))];
      for (let tile = 0; tile < tiles; tile += 1) {
        const one = new TreeBuilder();
        for (let i = 0; i < 256; i += 1) {
          byLeaf.push(leaf(tile * 256 + i));
          one.push(leaf(tile * 256 + i));
        }
        byTile.pushTile(one.root());
      }
      for (const tree of [byLeaf, byTile]) tree.push(leaf(-1));
      expect(byTile.size).toBe(byLeaf.size);
      expect(byTile.root()).toEqual(byLeaf.root());
      expect(byTile.range()).toEqual(byLeaf.range());
      expect(byTile.partialTiles()).toEqual(byLeaf.partialTiles());
      expect(full[1]).toEqual(full[0]);
      expect(() => byTile.pushTile(leaf(0))).toThrow(/invariant/);
    }
  });

  it("[L-26] however many are asked, and in whatever order they answer, the report is that of one who asks nobody", async () => {
    const log = logOf(SIZE);
    const alone = await verified(log);
    expect(alone).toMatchObject({ ok: true, entries_checked: SIZE, payloads_checked: SIZE });
    for (const at_once of [1, 2, 7]) {
      const vouchers = vouchersOf(log, at_once);
      expect(await verified(log, { vouchers })).toEqual(alone);
      expect(vouchers.asked).toEqual([0, RANGE_ENTRIES]);
    }
    const small = vouchersOf(log, 2);
    expect(await verified(log, { vouchers: { ...small, least_size: SIZE + 1 } })).toEqual(alone);
    expect(small.asked).toEqual([]);
  });

  it("[L-26] [L-N15] an erasure in one range of a payload of another is seen, early ones too", async () => {
    for (const [seconds, found] of [
      [2_557 * 86_400, []],
      [60, ["erased_early"]],
    ] as const) {
      const log = new MemoryLog();
      log.append(Array.from({ length: RANGE_ENTRIES + 20 }, (_, n) => sampleEvent(n)));
      const erasure = eventOf(0, "audit.erasure", { erased_event_ids: [eventIdOf(log, 7)] });
      const occurred_at = micros(erasure.occurred_at + (7 + seconds) * 1_000_000);
      log.append([{ ...erasure, event_id: "0192f0c8-0000-7000-8000-000000000002" as Uuid, occurred_at }]);
      log.append(Array.from({ length: RANGE_ENTRIES }, (_, n) => sampleEvent(RANGE_ENTRIES + 20 + n)));
      log.opened[7] = undefined;
      const alone = await verified(log);
      expect(alone).toMatchObject({ payloads_erased: 1 });
      expect(alone.findings.map(({ kind }) => kind)).toEqual(found);
      expect(await vouchForRange(packedOf(log), RANGE_ENTRIES)).toBeUndefined();
      expect(await verified(log, { vouchers: vouchersOf(log, 2) })).toEqual(alone);
    }
  });

  it("[L-26] below the minimum index nobody is asked, nor where other things than a voucher's are looked at", async () => {
    const log = logOf(SIZE);
    const pruned = vouchersOf(log, 4);
    expect(await verified(log, { vouchers: pruned, minimum_index: 256 })).toMatchObject({
      entries_checked: SIZE - 256,
    });
    expect(pruned.asked).toEqual([RANGE_ENTRIES]);
    const vouchers = vouchersOf(log, 4);
    expect(await verifyLog({ source: log, payloads: log, verifier: SIGNER, vouchers })).toMatchObject({ ok: true });
    expect(await verifyLog({ source: log, index: NO_INDEX, verifier: SIGNER, vouchers })).toMatchObject({ ok: true });
    expect(vouchers.asked).toEqual([]);
  });

  it("[L-26] who cannot answer ends the verification, and nobody reads on when it is over", async () => {
    const log = logOf(SIZE);
    const vouch = (): Promise<never> => Promise.reject(new Error("nobody is left"));
    await expect(verified(log, { vouchers: { at_once: 2, least_size: 0, vouch } })).rejects.toThrow("nobody is left");
    const broken = { ...vouchersOf(log, 4), vouch: async () => new Uint8Array(32) };
    await expect(verified(log, { vouchers: broken })).rejects.toThrow(/invariant/);
    const stopped = vouchersOf(log, 4);
    const onProgress = (): never => {
      throw new Error("stopped");
    };
    await expect(verified(log, { vouchers: stopped, onProgress })).rejects.toThrow("stopped");
    expect([stopped.asked.length, stopped.open()]).toEqual([2, 0]);
  });
});
