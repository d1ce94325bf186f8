/** A feed's thread of the ring's test: writes numbered frames of changing sizes as fast as there is room. */
import { workerData } from "node:worker_threads";
import { RING_RECORD, RingWriter } from "./ring.ts";

const { shared, frames, pause_every } = workerData as {
  readonly shared: SharedArrayBuffer;
  readonly frames: number;
  readonly pause_every: number;
};
const writer = new RingWriter(shared);
const idle = new Int32Array(new SharedArrayBuffer(4));
for (let n = 0; n < frames; n += 1) {
  const bytes = 8 * (1 + (n % 13));
  let at = writer.reserve(bytes);
  // Execution events are never dropped: no room means wait.
  while (at < 0) {
    Atomics.wait(idle, 0, 0, 0.05);
    at = writer.reserve(bytes);
  }
  for (let i = 0; i < bytes / 4; i += 1) writer.views.u32[(at >> 2) + i] = n;
  writer.publish(bytes, n % 3 === 0 ? RING_RECORD.market : RING_RECORD.execution, n);
  if (pause_every > 0 && n % pause_every === 0) Atomics.wait(idle, 0, 0, 1);
}
writer.close();
