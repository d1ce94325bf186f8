/**
 * What the use of something deprecated does (RUMI_DEPRECATION_LEVEL): `warn` says so once for each thing, `log` at every use,
 * `silent` never; `error` refuses it.
 *
 * Invariant (deprecation.test.ts): whoever uses something deprecated asks first, and does without it where it is refused.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";

export const DEPRECATION_LEVELS = ["warn", "error", "silent", "log"] as const;
export type DeprecationLevel = (typeof DEPRECATION_LEVELS)[number];

export interface Deprecations {
  /** `thing` is what is deprecated, `line` what is said of it; a failure is its refusal. */
  use(thing: string, line: string): Result<undefined, Failure>;
}

export function createDeprecations(level: DeprecationLevel, logger: Pick<Logger, "warning">): Deprecations {
  const said = new Set<string>();
  return {
    use: (thing, line) => {
      if (level === "error") return err(failure("RUMI-SYS-014", { thing }));
      if (level === "log" || (level === "warn" && !said.has(thing))) logger.warning(line);
      said.add(thing);
      return ok(undefined);
    },
  };
}
