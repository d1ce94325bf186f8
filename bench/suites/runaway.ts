/**
 * A strategy that never ends, among a thousand in one thread: how soon it is stopped, and what its neighbours notice.
 *
 * Rounds of one event for each neighbour, back to back. The runaway has three turns among them, each from its start anew:
 * at the third fault an instance is halted and has no more. A neighbour's time runs from the round's beginning of its hundred, so that whoever stands behind the runaway pays for it.
 * Ratio and its base are measured in turns in one run.
 */
import { openQuietBox, openSpinningBox, type WasmBox } from "@rumi/sandbox";
import { measured, type Measured, median, percentile } from "../measure.ts";

const NEIGHBOURS = 1_000;
const HUNDRED = 100;
const ROUNDS = 300;
const RUNS = 5;
/** The third one halts (HEALTH_LIMITS.faults_halt). */
const FAULTS = 3;
const ON_EVENT = 4;
/** As the default pack declares it. */
const FUEL = 1_000_000;

export function runawaySuite(): readonly Measured[] {
  const neighbours = Array.from({ length: NEIGHBOURS }, () => opened(openQuietBox(FUEL)));
  const runaway = opened(openSpinningBox(FUEL));
  const stops: number[] = [];
  const turn = (): void => {
    const began = performance.now();
    runaway.call(ON_EVENT, 96);
    stops.push(performance.now() - began);
    if (runaway.lastFault()?.kind !== "fuel") throw new Error("the runaway was not stopped by its fuel");
    runaway.reset();
  };
  const p99 = (withRunaway: boolean): number => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1)
      for (let first = 0; first < NEIGHBOURS; first += HUNDRED) {
        const began = performance.now();
        for (let at = first; at < first + HUNDRED; at += 1) {
          if (withRunaway && round % (ROUNDS / FAULTS) === 0 && at === NEIGHBOURS / 2) turn();
          neighbours[at]?.call(ON_EVENT, 96);
          times.push(performance.now() - began);
        }
      }
    return percentile(times, 0.99);
  };
  p99(true);
  stops.length = 0;
  const ratios: number[] = [];
  const stopped: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const quiet = p99(false);
    ratios.push(p99(true) / quiet);
    stopped.push(median(stops.splice(0)));
  }
  return [measured("runaway_stop_ms", "ms", stopped), measured("runaway_neighbour_ratio", "x", ratios)];
}

function opened(box: ReturnType<typeof openQuietBox>): WasmBox {
  if (!box.ok) throw new Error(box.error.code);
  return box.value;
}
