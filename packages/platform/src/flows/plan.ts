/**
 * In which order steps run: phase, then priority, then id; inside a phase no step before what it depends on. Pure.
 *
 * Invariants (model.test.ts "the order of steps"): the order of the steps in the file plays no part; a cycle is named with its steps.
 */
import { err, ok, type Result } from "@rumi/kernel";

type Placed = {
  readonly id: string;
  readonly phase: string;
  readonly priority: number;
  readonly depends_on: readonly string[];
};
export type PlanProblem =
  | { readonly kind: "cycle"; readonly steps: readonly string[] }
  | { readonly kind: "invalid"; readonly field: string; readonly problem: string };
export type Plan<S> = { readonly steps: readonly S[]; readonly warnings: readonly string[] };

export function ordered<S extends Placed>(
  steps: readonly S[],
  phases: readonly string[],
  onMissing: "skip" | "error",
): Result<Plan<S>, PlanProblem> {
  const known = new Map<string, S>();
  const warnings: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (known.has(step.id)) return invalid(`steps.${index}.id`, `${step.id} appears twice`);
    if (!phases.includes(step.phase)) return invalid(`steps.${index}.phase`, `${step.phase} is none of phases`);
    known.set(step.id, step);
  }
  for (const [index, step] of steps.entries())
    for (const id of step.depends_on) {
      const other = known.get(id);
      const field = `steps.${index}.depends_on`;
      if (other === undefined) {
        if (onMissing === "error") return invalid(field, `there is no step ${id}`);
        warnings.push(`${step.id} depends on ${id}, which is not there`);
      } else if (phases.indexOf(other.phase) > phases.indexOf(step.phase))
        return invalid(field, `${id} is in the later phase ${other.phase}`);
    }
  const inOrder: S[] = [];
  for (const phase of phases) {
    const sorted = sortedPhase(steps.filter((step) => step.phase === phase));
    if (!sorted.ok) return sorted;
    inOrder.push(...sorted.value);
  }
  return ok({ steps: inOrder, warnings });
}

/** Again and again the first of those that wait for nobody. */
function sortedPhase<S extends Placed>(steps: readonly S[]): Result<readonly S[], PlanProblem> {
  const waiting = new Map(steps.toSorted(before).map((step) => [step.id, step]));
  const inOrder: S[] = [];
  while (waiting.size > 0) {
    const next = [...waiting.values()].find((step) => !step.depends_on.some((id) => waiting.has(id)));
    if (next === undefined) return err({ kind: "cycle", steps: cycleOf(waiting) });
    waiting.delete(next.id);
    inOrder.push(next);
  }
  return ok(inOrder);
}

function before(a: Placed, b: Placed): number {
  return a.priority - b.priority || (a.id < b.id ? -1 : 1);
}

/** Each of `waiting` depends on another of them, so whoever follows that comes round. */
function cycleOf(waiting: ReadonlyMap<string, Placed>): readonly string[] {
  const seen: string[] = [];
  let [at] = waiting.keys();
  while (at !== undefined && !seen.includes(at)) {
    seen.push(at);
    at = waiting.get(at)?.depends_on.find((id) => waiting.has(id));
  }
  return at === undefined ? seen : [...seen.slice(seen.indexOf(at)), at];
}

function invalid(field: string, problem: string): Result<never, PlanProblem> {
  return err({ kind: "invalid", field, problem });
}
