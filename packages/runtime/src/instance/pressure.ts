/**
 * A pressure: something that only a clock can measure holds an instance back. The shell measures and records it as an
 * input; the machine obeys. One pressure per source at a time, each with its reason code.
 */
import type { Restriction } from "../gate/gate.ts";

/** Who measured: the instance's SLO, its queue, the Compute side it listens to. */
export const PRESSURE_SOURCES = ["slo", "queue", "compute"] as const;
export type PressureSource = (typeof PRESSURE_SOURCES)[number];

/**
 * `adjust` changes only how the shell runs it; `noop` keeps its orders and lets no new risk out; `degrade` is reduce-only;
 * `cancel` cancels what is open and lets no new risk out; `halt` ends it.
 */
export const PRESSURE_LEVELS = ["none", "adjust", "noop", "degrade", "cancel", "halt"] as const;
export type PressureLevel = (typeof PRESSURE_LEVELS)[number];
export type Pressure = { readonly level: PressureLevel; readonly reason_code: string };

const RESTRICTIONS: Readonly<Record<PressureLevel, Restriction>> = {
  none: "none",
  adjust: "none",
  noop: "no_trade",
  degrade: "reduce_only",
  cancel: "no_trade",
  halt: "no_trade",
};

export const restrictionOf = (level: PressureLevel): Restriction => RESTRICTIONS[level];
