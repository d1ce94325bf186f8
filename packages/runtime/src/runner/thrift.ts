/**
 * What a runner of many instances does for its memory: its heaps grow in small steps.
 *
 * How to think: V8 lets a heap grow to several times what lives in it before it looks for what does not. With a few
 * instances that is the best for their latency and costs nothing; of thousands, what is dead and not looked for yet is
 * more than all that lives. It holds for every thread of the process, from each one's next collection on, and stays.
 */
import { setFlagsFromString } from "node:v8";

export const THRIFT = {
  /** Instances of a runner from which it is thrifty. */
  from_instances: 500,
  /** How much a heap may grow after a collection before the next one. */
  growth_percent: 30,
} as const;

/** Answers whether the process is thrifty now. */
export function thriftyWith(instances: number): boolean {
  if (instances < THRIFT.from_instances) return false;
  setFlagsFromString(`--heap-growing-percent=${THRIFT.growth_percent}`);
  return true;
}
