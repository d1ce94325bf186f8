/**
 * Does something soon after it is first asked for, and then at most every so often however often it is asked for: the
 * first of many events is on the screen at once, and a flood of them costs no more than its pace.
 */
export type Paced = { readonly ask: () => void; readonly stop: () => void };

/** What comes in one piece of the stream is one answer. */
const GATHER_MS = 10;

export function paced(run: () => void, every_ms: number): Paced {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last_ms = -Infinity;
  return {
    ask: () => {
      if (timer !== undefined) return;
      const rest_ms = last_ms + every_ms - performance.now();
      timer = setTimeout(
        () => {
          timer = undefined;
          last_ms = performance.now();
          run();
        },
        Math.max(GATHER_MS, rest_ms),
      );
    },
    stop: () => clearTimeout(timer),
  };
}
