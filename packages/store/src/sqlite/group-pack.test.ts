import fc from "fast-check";
import { expect, it } from "vitest";
import type { PreparedBatch } from "../batch.ts";
import { packGroup, unpackGroup } from "./group-pack.ts";

const bytes = fc.uint8Array({ maxLength: 50 });
const value = fc.oneof(fc.string({ unit: "grapheme" }), fc.maxSafeInteger(), fc.constant(null), bytes);
const batch: fc.Arbitrary<PreparedBatch> = fc.record({
  writes: fc.array(
    fc.record({
      sql: fc.constantFrom("A", "B", "C"),
      parameters: fc.array(value),
      expect: fc.oneof(fc.nat(5), fc.constant("any" as const)),
    }),
  ),
  entries: fc.array(
    fc.record({ event_id: fc.string(), columns: fc.array(value), leaf: bytes, salt: bytes, payload: fc.string() }),
  ),
});

it("a group comes out of its message as it went in, after cloning too", () => {
  fc.assert(
    fc.property(fc.array(batch), (group) => {
      expect(unpackGroup(structuredClone(packGroup(group)))).toEqual(group);
    }),
  );
});

it("bytes that are a part of a larger memory travel without the rest of it", () => {
  const leaf = new Uint8Array(10_000).fill(7).subarray(5_000, 5_010);
  const packed = packGroup([{ writes: [], entries: [{ event_id: "e", columns: [], leaf, salt: leaf, payload: "" }] }]);
  expect(packed.bytes.buffer.byteLength).toBe(20);
});
