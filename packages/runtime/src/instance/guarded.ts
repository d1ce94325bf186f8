/** What goes wrong inside an instance ends that instance; the lane and its other instances go on (guarded.test.ts). */

/** Thrown where the host has ended the instance already. */
export const CAUGHT = Symbol("halted by the host");

/** `undefined` when it went wrong; `fail` was told then, unless the host knew. */
export async function guarded<T>(work: () => Promise<T>, fail: (cause: unknown) => void): Promise<T | undefined> {
  try {
    return await work();
  } catch (cause) {
    if (cause !== CAUGHT) fail(cause);
    return undefined;
  }
}
