/**
 * Where the steps of a flow stand: columns from left to right. A step stands behind everything that it depends on and behind
 * all earlier phases; those of one column stand below each other in the order in which they run. Pure.
 */
export type Placed<S> = { readonly step: S; readonly order: number; readonly column: number; readonly row: number };
export type Edge = { readonly from: string; readonly to: string };
export type Layout<S> = {
  readonly nodes: readonly Placed<S>[];
  readonly edges: readonly Edge[];
  readonly columns: number;
  readonly rows: number;
  /** Where each phase begins. */
  readonly phases: readonly { readonly phase: string; readonly column: number }[];
};
type Step = { readonly id: string; readonly phase: string; readonly depends_on: readonly string[] };

/** `steps` in the order in which they run. */
export function layoutOf<S extends Step>(steps: readonly S[], phases: readonly string[]): Layout<S> {
  const columnOf = new Map<string, number>();
  const taken: number[] = [];
  const nodes: Placed<S>[] = [];
  const begins: { phase: string; column: number }[] = [];
  let first = 0;
  for (const phase of phases) {
    const own = steps.filter((step) => step.phase === phase);
    if (own.length === 0) continue;
    begins.push({ phase, column: first });
    for (const step of own) {
      const before = step.depends_on.flatMap((id) => columnOf.get(id) ?? []);
      const column = Math.max(first, ...before.map((one) => one + 1));
      const row = taken[column] ?? 0;
      taken[column] = row + 1;
      columnOf.set(step.id, column);
      nodes.push({ step, order: steps.indexOf(step) + 1, column, row });
    }
    first = Math.max(...own.map(({ id }) => columnOf.get(id) ?? first)) + 1;
  }
  const edges = steps.flatMap(({ id, depends_on }) =>
    depends_on.filter((from) => columnOf.has(from)).map((from) => ({ from, to: id })),
  );
  return { nodes, edges, columns: first, rows: Math.max(0, ...taken.map((one) => one ?? 0)), phases: begins };
}
