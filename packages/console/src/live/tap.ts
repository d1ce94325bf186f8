/** Hands the events of the stream on, as they come, to whatever part of the page asked for them. */
import type { LiveEvent } from "./sse.ts";

/** Answers how to hear no more. */
export type Listen = (hear: (event: LiveEvent) => void) => () => void;
export type Tap = { readonly tell: (event: LiveEvent) => void; readonly listen: Listen };

export function createTap(): Tap {
  const hearers = new Set<(event: LiveEvent) => void>();
  return {
    tell: (event) => {
      for (const hear of hearers) hear(event);
    },
    listen: (hear) => {
      hearers.add(hear);
      return () => void hearers.delete(hear);
    },
  };
}
