/** The bots that were chosen in the table, until something was asked for them together; gone with the page. */
import { useSyncExternalStore } from "react";

let chosen: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();

export function choose(bots: ReadonlySet<string>): void {
  chosen = bots;
  for (const listener of listeners) listener();
}

export function useChosen(): ReadonlySet<string> {
  return useSyncExternalStore(subscribe, () => chosen);
}

function subscribe(onChange: () => void): () => void {
  listeners.add(onChange);
  return () => listeners.delete(onChange);
}
