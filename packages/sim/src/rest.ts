/** The course of a run: faults first, then a calm, and at the end of a long one a rest in which nothing may wait any more. */

/** The part of a run that has faults. */
export const ROUGH_PART = 0.6;
/** Nobody wishes anything for so long at the end: what was wished before has its answer then. */
const REST_TICKS = 30;

/** A shorter calm is too short to demand anything. */
export function demandsRest(ticks: number): boolean {
  return ticks * (1 - ROUGH_PART - 0.1) >= 40;
}

export function isResting(tick: number, ticks: number): boolean {
  return demandsRest(ticks) && tick > ticks - REST_TICKS;
}
