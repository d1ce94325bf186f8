/**
 * Lets commands on one target go one after another in this process, so that a hot row is not decided in vain.
 * Only a courtesy: what makes it right is the expected row counts of the commit.
 */
export interface Turns {
  take<T>(target: string, act: () => Promise<T>): Promise<T>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    take: async (target, act) => {
      const before = last.get(target);
      const mine = before === undefined ? act() : before.then(act, act);
      const settled = mine.catch(() => undefined); // whoever comes next does not inherit a fault
      last.set(target, settled);
      try {
        return await mine;
      } finally {
        if (last.get(target) === settled) last.delete(target);
      }
    },
  };
}
