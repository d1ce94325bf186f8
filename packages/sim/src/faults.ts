/**
 * What goes wrong in one run: drawn from the seed once as a temper, and then second by second.
 *
 * A temper leaves some kinds out, so that a run is not only noise; the last part of every run is free of faults, and what
 * still waits at its end is a violation (not_settled).
 */
import { between, happens } from "./world/chance.ts";
import type { Random } from "@rumi/kernel";

export const FAULT_KINDS = [
  "crash_control",
  "crash_runner",
  "pause_control",
  "pause_runner",
  "part",
  "cut",
  "venue_cut",
  "disk_full",
  "clock_jump",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type Act =
  | "kill"
  | "block"
  | "hold"
  | "safety"
  | "require"
  | "report"
  | "disable"
  | "break_glass"
  | "bulk"
  | "about_bulk";
const ACTS: readonly Act[] = [
  ...(["kill", "block", "hold", "hold", "safety", "require", "report"] as const),
  ...(["disable", "break_glass", "bulk", "bulk", "about_bulk"] as const),
];

const WISHES = 0.5;

export type Temper = {
  /** Faults a second, by kind; 0 leaves it out. */
  readonly rates: Readonly<Record<FaultKind, number>>;
  /** Probability that one message between runner and control plane is lost, doubled or overtaken. */
  readonly rough: number;
  readonly venue_loss: number;
  readonly operator_loss: number;
  /** Wishes a second of the one who runs bots. */
  readonly wishes: number;
  /** Acts a second of those who tighten, and of the one who loosens again. */
  readonly tightens: number;
  readonly loosens: number;
  /** Drawn from, each time that somebody tightens. */
  readonly acts: readonly Act[];
  /** In production every dangerous act takes two people. */
  readonly environment: "dev" | "prod";
};

/** Only these kinds, this often, and no noise on any way. */
export function only(rate: number, ...kinds: readonly FaultKind[]): Temper {
  const rates = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, kinds.includes(kind) ? rate : 0]));
  return {
    rates: rates as Record<FaultKind, number>,
    rough: 0,
    venue_loss: 0,
    operator_loss: 0,
    wishes: WISHES,
    tightens: 0,
    loosens: 0,
    acts: ACTS,
    environment: "dev",
  };
}

export function temperOf(random: Random): Temper {
  const acts = ACTS.filter(() => happens(random, 0.4));
  const rates = Object.fromEntries(
    FAULT_KINDS.map((kind) => [kind, happens(random, 0.5) ? 0.01 + random.unit() * 0.04 : 0]),
  ) as Record<FaultKind, number>;
  return {
    rates,
    rough: happens(random, 0.3) ? random.unit() * 0.03 : 0,
    venue_loss: happens(random, 0.6) ? random.unit() * 0.1 : 0,
    operator_loss: happens(random, 0.6) ? random.unit() * 0.3 : 0,
    wishes: WISHES,
    tightens: happens(random, 0.7) ? 0.05 + random.unit() * 0.25 : 0,
    loosens: 0.2 + random.unit() * 0.4,
    acts: acts.length === 0 ? ["bulk"] : acts,
    environment: happens(random, 0.4) ? "prod" : "dev",
  };
}

/** How long, in milliseconds, each kind lasts or its victim is away. */
export function lastsMs(kind: FaultKind, random: Random): number {
  switch (kind) {
    case "crash_control":
    case "crash_runner":
      return between(random, 50, 6_000);
    case "pause_control":
      return between(random, 500, 12_000);
    case "pause_runner":
      return between(random, 500, 35_000);
    case "venue_cut":
      return between(random, 500, 30_000);
    // Longer than a lease, now and then.
    case "part":
      return between(random, 500, 60_000);
    case "disk_full":
      return between(random, 500, 8_000);
    case "cut":
    case "clock_jump":
      return 0;
  }
}

/** A step of the wall clock, microseconds: mostly small, now and then an hour. */
export function clockStepUs(random: Random): number {
  const size_ms = happens(random, 0.2) ? between(random, 60_000, 3_600_000) : between(random, 100, 30_000);
  return (happens(random, 0.5) ? 1 : -1) * size_ms * 1_000;
}
