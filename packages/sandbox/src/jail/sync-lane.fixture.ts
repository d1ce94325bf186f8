/** A lane's thread for sync-process.test.ts: starts a jail and does what the parent posts. */
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "@rumi/kernel";
import { type JailSpec, type JailWatch, ownThread, spawnSyncJail, threadTimes } from "../index.ts";
import { clockMs } from "./sync-lane.kit.ts";

const { spec, watch } = workerData as { readonly spec: JailSpec; readonly watch: JailWatch };
const now_ms = (): number => Number(process.hrtime.bigint() / 1_000_000n);
const port = parentPort;
invariant(port !== null, "runs as a thread");
const started = spawnSyncJail({ spec, watch, now_ms });
if (!started.ok) port.postMessage({ failure: started.error });
else {
  const box = started.value;
  port.postMessage({ weaker: box.weaker, pid: box.pid });
  port.on(
    "message",
    (message: {
      readonly act?: unknown;
      readonly measure?: number;
      readonly deadline_ms: number;
      readonly stop?: true;
    }) => {
      if (message.stop === true) {
        box.kill();
        port.close();
        return;
      }
      if (message.measure !== undefined) {
        const frame = Buffer.from('{"do":"echo"}');
        const took: number[] = [];
        for (let i = 0; i < message.measure; i += 1) {
          const start = process.hrtime.bigint();
          box.request(frame, message.deadline_ms);
          took.push(Number(process.hrtime.bigint() - start) / 1_000);
        }
        took.sort((a, b) => a - b);
        port.postMessage({ p50_us: took[took.length >> 1], p99_us: took[Math.floor(took.length * 0.99)] });
        return;
      }
      const waited = threadTimes(ownThread())?.waited_ms ?? 0;
      const start = clockMs();
      const answer = box.request(Buffer.from(JSON.stringify(message.act)), message.deadline_ms);
      const until_ms = clockMs();
      port.postMessage({
        took_ms: until_ms - start,
        until_ms,
        waited_ms: (threadTimes(ownThread())?.waited_ms ?? 0) - waited,
        answer: answer.ok ? Buffer.from(answer.value).toString("utf8") : answer.error,
        log: box.logCounts(),
      });
    },
  );
}
