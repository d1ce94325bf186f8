/** Which instance has to hear the safety mode as it begins. */
import type { InstanceSpec } from "../protocol.ts";

/**
 * A fresh run begins in NORMAL. One that goes on, or begins with another run's state, begins in the mode of that state:
 * whatever was said meanwhile, NORMAL among it, it has not heard. Generation 0 is the first NORMAL, or no word yet.
 */
export function mustHearSafety(
  { start, from }: Pick<InstanceSpec, "start" | "from">,
  { mode, generation }: { readonly mode: string; readonly generation: number },
): boolean {
  return mode !== "NORMAL" || (generation > 0 && (start === "resume" || from !== undefined));
}
