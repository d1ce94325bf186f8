/** What a thread that hosts strategies needs for those in processes, in a form that threads can be given. */
import type { LoadStrategyOptions, PythonHome } from "@rumi/runtime";
import type { JailFacts, JailWatch } from "@rumi/sandbox";

export type JailsJob = {
  readonly watch: JailWatch;
  readonly python: PythonHome | null;
  /** Absent: what `python` names. */
  readonly jails?: readonly JailFacts[];
};

/** One clock for the thread and for who watches it. */
export const jailNowMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

export function jailsOf({ watch, python, jails }: JailsJob): Pick<LoadStrategyOptions, "python" | "native" | "jails"> {
  const native = { watch, now_ms: jailNowMs };
  return {
    native,
    ...(jails === undefined ? {} : { jails }),
    ...(python === null ? {} : { python: { home: python, ...native } }),
  };
}
