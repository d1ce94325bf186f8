/**
 * A strategy that never ends, among a thousand in one thread: how soon it is stopped, and what its neighbours notice.
 *
 * Rounds of one event for each neighbour, back to back. The runaway has three turns among them, each from its start anew:
 * at the third fault an instance is halted and has no more. A neighbour's time runs from the round's beginning of its hundred, so that whoever stands behind the runaway pays for it.
 * Rounds with it and rounds without take turns, so that whatever else the machine does falls on both.
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
  const round = (times: number[], at: number, withRunaway: boolean): void => {
    for (let first = 0; first < NEIGHBOURS; first += HUNDRED) {
      const began = performance.now();
      for (let one = first; one < first + HUNDRED; one += 1) {
        if (withRunaway && at % (ROUNDS / FAULTS) === 0 && one === NEIGHBOURS / 2) turn();
        neighbours[one]?.call(ON_EVENT, 96);
        times.push(performance.now() - began);
      }
    }
  };
  const ratio = (): number => {
    const [alone, beside]: [number[], number[]] = [[], []];
    for (let at = 0; at < ROUNDS; at += 1) {
      round(alone, at, false);
      round(beside, at, true);
    }
    return percentile(beside, 0.99) / percentile(alone, 0.99);
  };
  ratio();
  stops.length = 0;
  const ratios: number[] = [];
  const stopped: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    ratios.push(ratio());
    stopped.push(median(stops.splice(0)));
  }
  return [measured("runaway_stop_ms", "ms", stopped), measured("runaway_neighbour_ratio", "x", ratios)];
}

function opened(box: ReturnType<typeof openQuietBox>): WasmBox {
  if (!box.ok) throw new Error(box.error.code);
  return box.value;
}
