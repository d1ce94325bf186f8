/** How restrictions stand to each other: what several rooms ask for, the strictest of them holds. */
import type { Restriction } from "./context.ts";

const ORDER: Readonly<Record<Restriction, number>> = {
  none: 0,
  limit_only: 1,
  reduce_size: 2,
  reduce_only: 3,
  no_trade: 4,
};

export const strictest = (a: Restriction, b: Restriction): Restriction => (ORDER[a] >= ORDER[b] ? a : b);
