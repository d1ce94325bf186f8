/**
 * Whether an event fits its deadline on this machine (M-5.2.1), judged before the start.
 *
 * Fuel is what stops Wasm and scripts, and it is fixed in the descriptor so that a replay is exact anywhere. So a machine
 * judges how long that much fuel may take here; a slower machine refuses instead of stopping late. A process has no fuel:
 * its smoke is timed, and so is everybody's. A strategy that needs half of its time for an event that is nothing special
 * leaves no room for one that is.
 */
import type { StrategyDescriptor } from "@rumi/abi";
import type { Failure, Result } from "@rumi/kernel";
import { measureFuelNs, measureScriptFuelNs } from "@rumi/sandbox";
import type { Strategy } from "../strategy/strategy.ts";

/** Work that waits for memory takes longer per unit of fuel than the measured loop. */
const SLOWER_THAN_MEASURED = 4;
/** The part of its time that an ordinary event may take. */
const ORDINARY_SHARE = 0.5;

export type DeadlineProblem = { readonly reason_code: string; readonly detail: string; readonly failure?: Failure };

type Metered = "rust_wasm" | "typescript";
const now = (): bigint => process.hrtime.bigint();
const measured: Partial<Record<Metered, Result<number, Failure>>> = {};

/** Of this machine; measured once, and again while it could not be. */
function measuredHere(kind: Metered): Result<number, Failure> {
  const known = measured[kind];
  if (known?.ok === true) return known;
  return (measured[kind] = kind === "rust_wasm" ? measureFuelNs(now) : measureScriptFuelNs(now));
}

/** `null`, or why a call that spends all its fuel would pass its deadline. */
export function deadlineProblem(
  { runtime_kind, resources }: Pick<StrategyDescriptor, "runtime_kind" | "resources">,
  nsPerFuel: (kind: Metered) => Result<number, Failure> = measuredHere,
): DeadlineProblem | null {
  if (runtime_kind !== "rust_wasm" && runtime_kind !== "typescript") return null;
  const ns = nsPerFuel(runtime_kind);
  if (!ns.ok)
    return {
      reason_code: ns.error.reasonCode ?? ns.error.code,
      detail: "the speed of this machine could not be measured",
      failure: ns.error,
    };
  const needed_ms = (resources.fuel_per_event * ns.value * SLOWER_THAN_MEASURED) / 1e6;
  return needed_ms <= resources.event_timeout_ms
    ? null
    : {
        reason_code: "M.ADMISSION.DEADLINE",
        detail: `${resources.fuel_per_event} units of fuel may take ${Math.ceil(needed_ms)} ms here; event_timeout_ms is ${resources.event_timeout_ms}`,
      };
}

/** The same strategy, with the time of each of its events. */
export type TimedStrategy = { readonly strategy: Strategy; readonly took_ms: readonly number[] };

export function timed(inner: Strategy, monotonic: () => number): TimedStrategy {
  const took_ms: number[] = [];
  const many = inner.invokeMany?.bind(inner);
  const strategy: Strategy = {
    isolation: inner.isolation,
    get views() {
      return inner.views;
    },
    room: (bytes) => inner.room(bytes),
    invoke: (callback, length) => {
      const began = monotonic();
      const answer = inner.invoke(callback, length);
      if (callback === ON_EVENT) took_ms.push(monotonic() - began);
      return answer;
    },
    outputAt: (length) => inner.outputAt(length),
    get framesTaken() {
      return inner.framesTaken ?? 0;
    },
    ...(inner.framesAtOnce === undefined ? {} : { framesAtOnce: inner.framesAtOnce }),
    ...(many === undefined
      ? {}
      : {
          invokeMany: (frames: number, length: number) => {
            const began = monotonic();
            const answer = many(frames, length);
            const each = (monotonic() - began) / Math.max(1, inner.framesTaken ?? 1);
            for (let frame = 0; frame < (inner.framesTaken ?? 1); frame += 1) took_ms.push(each);
            return answer;
          },
        }),
    fault: () => inner.fault(),
    reset: () => inner.reset(),
    close: () => inner.close(),
  };
  return { strategy, took_ms };
}
const ON_EVENT = 2;

/** What the smoke's events took, in words, and whether that is too long. */
export function paceOf(
  { resources }: Pick<StrategyDescriptor, "resources">,
  took_ms: readonly number[],
): { readonly detail: string; readonly problem: DeadlineProblem | null } {
  const sorted = [...took_ms].toSorted((a, b) => a - b);
  const half = sorted[sorted.length >> 1] ?? 0;
  const said = (ms: number): string => `${Math.round(ms * 1_000) / 1_000} ms`;
  const detail = `${sorted.length} events, half of them within ${said(half)}, the slowest ${said(sorted.at(-1) ?? 0)}; event_timeout_ms is ${resources.event_timeout_ms}`;
  const late = half > resources.event_timeout_ms * ORDINARY_SHARE;
  return { detail, problem: late ? { reason_code: "M.ADMISSION.DEADLINE", detail } : null };
}
