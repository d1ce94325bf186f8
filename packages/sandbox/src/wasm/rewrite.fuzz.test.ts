import { describe, expect, it } from "vitest";
import { openWasmBox, SANDBOX_LIMITS, type WasmEntry } from "../index.ts";
import { ByteWriter } from "./bytes.ts";
import { sampleModule } from "./sample.ts";

const PAGE = SANDBOX_LIMITS.wasm_page_bytes;
const i32 = (value: number): number[] => [0x41, ...new ByteWriter().s32(value).finish()];

/** A loop with memory, table, float and call instructions, so that a changed byte changes something. */
const SEED_MODULE = sampleModule({
  memory: [1, 1, 1, 3],
  tables: [1, 0x70, 0, 4],
  globals: [1, 0x7f, 1, ...i32(5), 0x0b],
  functions: {
    rumi_on_timer: {
      locals: [0x7f, 0x7c],
      code: [
        0x03,
        0x40,
        0x20,
        1,
        ...i32(1),
        0x6a,
        0x22,
        1,
        ...i32(50),
        0x48,
        0x04,
        0x40,
        0x0c,
        1,
        0x0b,
        0x0b,
        0x02,
        0x40,
        0x20,
        1,
        0x0e,
        1,
        0,
        0,
        0x0b,
        ...i32(64),
        ...i32(7),
        ...i32(64),
        0xfc,
        11,
        0,
        ...i32(64),
        ...i32(0),
        ...i32(16),
        0xfc,
        10,
        0,
        0,
        ...i32(1),
        0x40,
        0,
        0x1a,
        ...i32(8),
        0x2b,
        3,
        0,
        0x21,
        2,
        0x23,
        0,
        0x24,
        0,
        0x20,
        1,
        0x10,
        4,
        0x10,
        7,
      ],
    },
  },
});

/** xorshift32; the seed reproduces the run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

describe("rewriter under mutation", () => {
  it("[M-5.2.2] [M-5.2.1] a mutated module is refused or stays inside memory, fuel and time", () => {
    const pick = random(20_261_120);
    const opcodes = [
      0x03, 0x0c, 0x0d, 0x10, 0x1a, 0x20, 0x22, 0x24, 0x40, 0x41, 0x6a, 0x39, 0xa3, 0x0b, 0xfc, 0xfd, 0xfe,
    ];
    let accepted = 0;
    let ran = 0;
    let slowest_ms = 0;
    for (let round = 0; round < 4_000; round += 1) {
      const bytes = new Uint8Array(SEED_MODULE);
      for (let change = 0; change <= pick(3); change += 1)
        bytes[8 + pick(bytes.length - 8)] = pick(2) === 0 ? pick(256) : (opcodes[pick(opcodes.length)] ?? 0);
      const opened = openWasmBox({ bytes, memory_bytes: 2 * PAGE, fuel_per_call: 100_000 });
      if (!opened.ok) continue;
      accepted += 1;
      const box = opened.value;
      for (let entry = 0; entry < 10; entry += 1) {
        const before = process.cpuUsage();
        const answer = box.call(entry as WasmEntry, 64);
        // Processor time, not the clock on the wall: other programs' load is not the module's.
        const spent = process.cpuUsage(before);
        slowest_ms = Math.max(slowest_ms, (spent.user + spent.system) / 1_000);
        ran += 1;
        expect(Number.isInteger(answer)).toBe(true);
        expect(box.memoryBytes()).toBeLessThanOrEqual(2 * PAGE);
        expect(box.fuelUsed()).toBeLessThanOrEqual(100_000);
        if (box.lastFault() !== null) box.reset();
      }
    }
    process.stdout.write(`fuzz: ${accepted} accepted, ${ran} calls, slowest ${slowest_ms.toFixed(1)} ms\n`);
    expect(accepted).toBeGreaterThan(100);
    expect(slowest_ms).toBeLessThan(100);
  });

  it("[M-5.2.6] random bytes and truncations never throw", () => {
    const pick = random(7);
    for (let round = 0; round < 2_000; round += 1) {
      const bytes =
        round % 2 === 0
          ? SEED_MODULE.slice(0, pick(SEED_MODULE.length))
          : Uint8Array.from({ length: 8 + pick(64) }, (_, i) => SEED_MODULE[i < 8 ? i : -1] ?? pick(256));
      const opened = openWasmBox({ bytes, memory_bytes: 2 * PAGE, fuel_per_call: 1_000 });
      expect(opened.ok ? "ok" : opened.error.code).toMatch(/ok|RUMI-STR-05\d/);
    }
  });
});
