/** Looks names up as this machine does, within a bounded time. */
import { lookup } from "node:dns/promises";
import { millis, type Clock } from "@rumi/kernel";

/** Every address of a name; null where it has none, or none is known after `wait_ms`. */
export function systemResolver(
  clock: Pick<Clock, "sleep">,
  wait_ms: number,
): (domain: string) => Promise<readonly string[] | null> {
  return async (domain) => {
    const known = new AbortController();
    const addresses = lookup(domain, { all: true, verbatim: true }).then(
      (found) => (found.length === 0 ? null : found.map(({ address }) => address)),
      () => null, // not found, or no name server in reach: nothing is known of it
    );
    const late = clock.sleep(millis(wait_ms), known.signal).then(() => null);
    const first = await Promise.race([addresses, late]);
    known.abort();
    return first;
  };
}
