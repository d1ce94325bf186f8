import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeEntries,
  encodeEntries,
  entriesPath,
  levelCount,
  parseTilePath,
  rowLength,
  tilePath,
  tileWidth,
  tilesBetween,
} from "./tiles.ts";

describe("tiles", () => {
  it("paths are the standard's: groups of three digits, all but the last behind an x", () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe("tile/0/x001/x234/067");
    expect(tilePath({ level: 1, index: 0, width: 7 })).toBe("tile/1/000.p/7");
    expect(entriesPath(1_000, 256)).toBe("tile/entries/x001/000");
    expect(entriesPath(12, 255)).toBe("tile/entries/012.p/255");
  });

  it("a path parses to what wrote it, and other spellings are refused", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }),
        fc.nat({ max: 10 ** 12 }),
        fc.integer({ min: 1, max: 256 }),
        (level, index, width) => {
          expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ kind: "tile", level, index, width });
          expect(parseTilePath(entriesPath(index, width))).toEqual({ kind: "entries", level: 0, index, width });
        },
      ),
    );
    for (const bad of [
      "tile/0/0",
      "tile/0/0001",
      "tile/7/000",
      "tile/0/000.p/0",
      "tile/0/000.p/256",
      "tile/0/000.p/01",
      "tile/0/x000/001",
      "tile/0/../000",
      "tile/00/000",
      "/tile/0/000",
      "tile/entries/000/",
    ]) {
      expect(parseTilePath(bad), bad).toBeUndefined();
    }
  });

  it("the published tree of 70,000 leaves (the standard's example) has the right tiles", () => {
    expect([0, 1, 2].map((level) => rowLength(level, 70_000))).toEqual([70_000, 273, 1]);
    expect(levelCount(70_000)).toBe(3);
    expect(tileWidth(0, 273, 70_000)).toBe(112);
    expect(tileWidth(1, 1, 70_000)).toBe(17);
    expect(tileWidth(2, 0, 70_000)).toBe(1);
    expect(tilesBetween(0, 70_000)).toHaveLength(274 + 2 + 1);
    expect(tilesBetween(69_999, 70_000)).toEqual([{ level: 0, index: 273, width: 112 }]);
    expect(tilesBetween(255, 256)).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
  });

  it("bundles parse back to their entries, cut bundles report the rest, the length limit is reached", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), fc.nat(), (entries, cut) => {
        const bundle = encodeEntries(entries);
        const back = decodeEntries(bundle);
        expect(back.rest).toBe(0);
        expect(back.entries.map((entry) => Buffer.from(entry).toString("hex"))).toEqual(
          entries.map((entry) => Buffer.from(entry).toString("hex")),
        );
        const shorter = bundle.subarray(0, cut % (bundle.length + 1));
        const part = decodeEntries(shorter);
        const read = part.entries.reduce((sum, entry) => sum + 2 + entry.length, 0);
        expect(read + part.rest).toBe(shorter.length);
      }),
    );
    expect(decodeEntries(encodeEntries([new Uint8Array(65_535)])).entries[0]?.length).toBe(65_535);
    expect(() => encodeEntries([new Uint8Array(65_536)])).toThrow(RangeError);
  });
});
