/** Acts that come one after another, in order of arrival, whatever became of the one before. */
export type Turns = <T>(act: () => Promise<T>) => Promise<T>;

export function turns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const mine = last.then(act, act);
    last = mine.catch(() => undefined); // its caller hears of it; the next one's turn comes all the same
    return mine;
  };
}
