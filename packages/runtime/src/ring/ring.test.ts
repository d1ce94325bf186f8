import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { createRing, RING_LIMITS, RING_RECORD, RingReader, RingWriter } from "./ring.ts";

async function writerThread(data: object): Promise<{ readonly worker: Worker; readonly remove: () => void }> {
  const folder = temporaryFolder();
  const outfile = join(folder.path, "writer.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("ring.fixture.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
  });
  return { worker: new Worker(outfile, { workerData: data }), remove: folder.remove };
}

describe("ring in shared memory", () => {
  it(
    "[M-4.2.2] 1e6 frames of many sizes from another thread arrive whole, once and in order",
    { timeout: 120_000 },
    async () => {
      const frames = 1_000_000;
      const shared = createRing(65_536);
      const reader = new RingReader(shared);
      const { worker, remove } = await writerThread({ shared, frames, pause_every: 0 });
      let seen = 0;
      let wrong = 0;
      while (!reader.ended) {
        if (!reader.next()) {
          reader.wait(100);
          // The worker starts through this thread's event loop.
          if (seen === 0) await new Promise((resolve) => setImmediate(resolve));
          continue;
        }
        const words = reader.length / 4;
        if (reader.length !== 8 * (1 + (seen % 13)) || reader.at_ns !== seen) wrong += 1;
        for (let i = 0; i < words; i += 1) if (reader.views.u32[(reader.at >> 2) + i] !== seen) wrong += 1;
        if (reader.record !== (seen % 3 === 0 ? RING_RECORD.market : RING_RECORD.execution)) wrong += 1;
        reader.release();
        seen += 1;
      }
      await once(worker, "exit");
      remove();
      expect({ seen, wrong }).toEqual({ seen: frames, wrong: 0 });
    },
  );

  it("a reader that sleeps is woken; no wake-up is lost over thousands of sleeps", { timeout: 60_000 }, async () => {
    const frames = 3_000;
    const shared = createRing(4_096);
    const reader = new RingReader(shared);
    const { worker, remove } = await writerThread({ shared, frames, pause_every: 2 });
    let seen = 0;
    let overslept = 0;
    while (!reader.ended) {
      if (seen === 0) await new Promise((resolve) => setImmediate(resolve));
      const from = performance.now();
      // A lost wake-up would sleep the whole of this.
      if (!reader.wait(seen === 0 ? 20 : 10_000)) continue;
      if (performance.now() - from > 9_000) overslept += 1;
      while (reader.next()) {
        reader.release();
        seen += 1;
      }
    }
    await once(worker, "exit");
    remove();
    expect({ seen, overslept }).toEqual({ seen: frames, overslept: 0 });
  });

  it("a full ring refuses and counts; what is in it stays, and there is room again after a release", () => {
    const shared = createRing(RING_LIMITS.bytes_least);
    const writer = new RingWriter(shared);
    const reader = new RingReader(shared);
    const frame = new Uint8Array(96).fill(7);
    let taken = 0;
    while (writer.write(frame, RING_RECORD.market, taken)) taken += 1;
    expect(taken).toBe(Math.floor(RING_LIMITS.bytes_least / (96 + 16)));
    expect([writer.refused, reader.refused]).toEqual([1, 1]);
    expect(reader.next()).toBe(true);
    expect([reader.at_ns, reader.views.u8[reader.at], reader.length]).toEqual([0, 7, 96]);
    reader.release();
    // The rest of the buffer is too small for the frame; the skip needs the second release.
    reader.next();
    reader.release();
    expect(writer.write(frame, RING_RECORD.safety, 99)).toBe(true);
    let last = -1;
    while (reader.next()) {
      last = reader.at_ns;
      reader.release();
    }
    expect(last).toBe(99);
    expect(() => writer.reserve(writer.frameBytesMax + 8)).toThrow(/quarter/);
    expect(() => createRing(5_000)).toThrow(/power of two/);
  });
});
