/**
 * How many audit events a second become durable: 64 callers, one event each, batches as they come.
 *
 * Measured through the shipped path: writer in its own thread, fsync on, leaves, tiles and signature
 * included. Run it with `npx tsx packages/store/bench/appends.ts`.
 */
import { pathToFileURL } from "node:url";
import { systemClock, systemRandom } from "@rumi/kernel";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { batch, bundledWorker, event, openTestStore } from "../test/support.ts";

const CALLERS = 64;
const WARM_UP = 2_000;

export type AppendsMeasured = {
  readonly appends_per_s: number;
  /** Processor time of both threads, user and system: what remains comparable on a busy machine. */
  readonly cpu_us_per_append: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly callers: number;
  readonly appends: number;
};

export async function measureAppends(appends = 50_000): Promise<AppendsMeasured> {
  const clock = systemClock();
  const { path, remove } = temporaryFolder();
  const store = await openTestStore(path, { random: systemRandom(), writer: { kind: "worker", worker_url: await bundledWorker() } });
  const run = async (count: number): Promise<number[]> => {
    const taken_ms: number[] = [];
    let left = count;
    await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        while (left > 0) {
          left -= 1;
          const began = performance.now();
          const done = await store.commit(batch([], [event({ occurred_at: clock.now() })]));
          if (!done.ok) throw new Error(JSON.stringify(done.error));
          taken_ms.push(performance.now() - began);
        }
      }),
    );
    return taken_ms;
  };
  try {
    await run(WARM_UP);
    const cpu = process.cpuUsage();
    const began = performance.now();
    const taken_ms = (await run(appends)).toSorted((a, b) => a - b);
    const seconds = (performance.now() - began) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const at = (share: number): number => Number((taken_ms[Math.floor(taken_ms.length * share)] ?? 0).toFixed(3));
    return { appends_per_s: Math.round(appends / seconds), cpu_us_per_append: Math.round((user + system) / appends), p50_ms: at(0.5), p99_ms: at(0.99), callers: CALLERS, appends };
  } finally {
    await store.close();
    remove();
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${JSON.stringify(await measureAppends())}\n`);
}
