/** Long work in pieces: after so many steps everybody else has the thread once. */
import { setImmediate as others } from "node:timers/promises";

/** Steps between two turns: a few milliseconds where each is a call of the file system. */
const STEPS = 64;

export type Turns = {
  /** One step is done. */
  next(): Promise<void> | undefined;
};

export function createTurns(): Turns {
  let steps = 0;
  return {
    next: () => {
      steps += 1;
      return steps % STEPS === 0 ? others() : undefined;
    },
  };
}
