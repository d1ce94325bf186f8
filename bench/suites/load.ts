/** Reading a recording from its file into columns, decompression and every check included, no cache. */
import { measureLoad } from "@rumi/venues";
import { measured, repeat, type Measured } from "../measure.ts";
import type { MeasuredMarket } from "./market.ts";

const RUNS = 5;

export async function loadSuite(argument: string): Promise<readonly Measured[]> {
  const { path } = JSON.parse(argument) as MeasuredMarket;
  const runs = await repeat(RUNS, async () => {
    const one = await measureLoad(path, () => performance.now(), 1);
    if (!one.ok) throw new Error(`${path}: ${one.error.code}`);
    return one.value.load_rows_per_s;
  });
  return [measured("load_rows_per_s", "rows/s", runs)];
}
