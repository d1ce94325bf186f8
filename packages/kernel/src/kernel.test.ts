import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonicalJson,
  formatDecimal,
  isoFromMicros,
  micros,
  microsFromIso,
  parseDecimal,
  seededRandom,
  sha256Hex,
  uuidv7,
  parseUuid,
} from "./index.ts";

describe("time", () => {
  it("writes and reads RFC 3339 with microseconds", () => {
    const at = micros(1_771_934_400_000_001);
    expect(isoFromMicros(at)).toBe("2026-02-24T12:00:00.000001Z");
    expect(microsFromIso("2026-02-24T12:00:00.000001Z")).toBe(at);
    expect(microsFromIso("2026-02-24 12:00")).toBeUndefined();
    for (const none of ["2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-04-30T24:00:00Z", "2026-13-01T00:00:00Z"])
      expect(microsFromIso(none), none).toBeUndefined();
    expect(microsFromIso("2028-02-29T00:00:00Z")).toBeDefined();
    // Also behind another instant of the same second.
    for (const fraction of ["", ".000000", ".000002", ".1", ".999999"]) {
      expect(microsFromIso("2026-02-24T12:00:00.000001Z")).toBe(at);
      const wanted = at - 1 + Number(fraction.slice(1).padEnd(6, "0"));
      expect(microsFromIso(`2026-02-24T12:00:00${fraction}Z`), fraction).toBe(wanted);
    }
    for (const none of [".00000:Z", ".00000/Z", ".-00001Z", ".000001z", ".0000001Z", ",000001Z"])
      expect(microsFromIso(`2026-02-24T12:00:00${none}`), none).toBeUndefined();
    expect(microsFromIso("2026-02-24T12:00:01.000001Z")).toBe(at + 1_000_000);
    for (let i = 0; i < 2; i += 1) {
      expect(microsFromIso("2255-06-05T23:47:34.740991Z")).toBe(Number.MAX_SAFE_INTEGER);
      expect(microsFromIso("2255-06-05T23:47:34.740992Z")).toBeUndefined();
    }
    const before = micros(-1_500_000);
    for (let i = 0; i < 2; i += 1) expect(microsFromIso(isoFromMicros(before))).toBe(before);
  });
  it("an instant further from 1970 than whole microseconds reach is none", () => {
    for (const text of [
      "0000-01-01T00:00:00Z",
      "1684-07-28T00:12:25Z",
      "2255-06-05T23:47:34.740993Z",
      "9999-12-31T23:59:59Z",
    ])
      expect(microsFromIso(text), text).toBeUndefined();
    for (const text of ["1700-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z"])
      expect(microsFromIso(text), text).toBeDefined();
  });
});

describe("decimal", () => {
  it.each([
    ["1", 2, 100],
    ["-0.5", 1, -5],
    ["1.50", 1, 15],
    ["0.001", 2, undefined],
    ["1e3", 2, undefined],
    ["90071992547409.92", 2, undefined],
    ["", 2, undefined],
    ["-0", 0, 0],
    ["+1", 0, undefined],
  ] as const)("parses %s at %d digits as %s", (text, digits, expected) => {
    expect(parseDecimal(text, digits)).toBe(expected);
  });
  it("round-trips every scaled number", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 15 }), (n, digits) => {
        expect(parseDecimal(formatDecimal(n, digits), digits)).toBe(n === 0 ? 0 : n);
      }),
    );
  });
});

describe("canonical JSON", () => {
  it("sorts by UTF-16 code units and keeps numbers as ECMAScript writes them", () => {
    const value = {
      "\u20ac": 1,
      "\r": 2,
      "\ufb33": 3,
      "1": 4,
      "\ud83d\ude00": 5,
      "\u0080": 6,
      "\u00f6": 7,
    };
    expect(Object.keys(JSON.parse(canonicalJson(value)) as object).length).toBe(7);
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
    expect(canonicalJson([1e21, 0.1, -0, 1e-7])).toBe("[1e+21,0.1,0,1e-7]");
    expect(() => canonicalJson("\ud800")).toThrow(TypeError);
    expect(() => canonicalJson(Number.NaN)).toThrow(TypeError);
  });
});

describe("randomness", () => {
  it("is the same for the same seed and stream, and golden", () => {
    const draw = (name: string): number[] => {
      const r = seededRandom("7").stream(name);
      return [r.below(1000), r.below(1000), r.below(1000)];
    };
    expect(draw("a")).toEqual(draw("a"));
    expect(draw("a")).not.toEqual(draw("b"));
    expect(sha256Hex(seededRandom("7").bytes(64))).toMatchInlineSnapshot(
      `"562515439449e203ebc855be9928379e1b6daa8b61ca4cff4e0f9f14a626bdb0"`,
    );
  });
  it("makes UUIDv7 that sort by time", () => {
    const r = seededRandom("u");
    const a = uuidv7(micros(1_000_000_000), r),
      b = uuidv7(micros(2_000_000_000), r);
    expect(parseUuid(a)).toBe(a);
    expect(a[14]).toBe("7");
    expect(a < b).toBe(true);
  });
});
