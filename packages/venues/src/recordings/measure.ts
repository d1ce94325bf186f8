/** How fast a recording loads on this machine, for `npm run bench` and for people who wonder. */
import type { Failure, Result } from "@rumi/kernel";
import { inferInstrument } from "./infer.ts";
import { loadRecordings } from "./load.ts";

export type LoadMeasurement = {
  readonly path: string;
  readonly rows: number;
  readonly best_ms: number;
  readonly median_ms: number;
  readonly load_rows_per_s: number;
};

/** Loads the file `repetitions` times without a cache; the rate is that of the median run. `monotonic` in milliseconds. */
export async function measureLoad(
  path: string,
  monotonic: () => number,
  repetitions = 5,
): Promise<Result<LoadMeasurement, Failure>> {
  const inferred = await inferInstrument(path);
  if (!inferred.ok) return inferred;
  const file = { path, format: inferred.value.format, instrument: inferred.value.instrument };
  const times: number[] = [];
  let rows = 0;
  for (let i = 0; i < repetitions; i += 1) {
    const start = monotonic();
    const loaded = await loadRecordings([file]);
    if (!loaded.ok) return loaded;
    times.push(monotonic() - start);
    rows = loaded.value.feed.length;
  }
  times.sort((a, b) => a - b);
  const median = times[times.length >> 1] ?? 0;
  return {
    ok: true,
    value: {
      path,
      rows,
      best_ms: times[0] ?? 0,
      median_ms: median,
      load_rows_per_s: Math.round((rows * 1_000) / median),
    },
  };
}
