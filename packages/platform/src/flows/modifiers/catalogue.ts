/**
 * Which modifiers there are, and what they make of the flows. Pure.
 *
 * Invariants (apply.test.ts): a weaker source never takes the id of a stronger one; a modifier never
 * makes a flow that could be run into one that could not.
 */
import { err, failure, type Failure, type Result } from "@rumi/kernel";
import type { FlowSource } from "../source.ts";
import { closureOf } from "../closure.ts";
import type { Flow } from "../model.ts";
import { applyModifiers, type Available } from "./apply.ts";
import { parseModifier, type Modifier } from "./model.ts";

export type ModifierText = {
  readonly source: FlowSource;
  readonly path: string;
  readonly owner_pack: string | null;
  readonly text: Result<string, Failure>;
};
type Read = {
  readonly modifier: Modifier;
  readonly source: FlowSource;
  readonly path: string;
  readonly owner_pack: string | null;
  readonly digest: string;
  readonly warnings: readonly string[];
};
export type ModifierEntry = Read & {
  /** Why it changes nothing; null where it does. */
  readonly skip_reason: string | null;
  /** Applied to the same flow, though one of the two says that they do not go together. */
  readonly conflicts: readonly string[];
  /** Applied to the same flow, and not among those that it says it goes with, where it names any. */
  readonly untested_with: readonly string[];
};
export type ModifierProblem = {
  readonly modifier_id: string | null;
  readonly source: FlowSource;
  readonly path: string;
  readonly failure: Failure;
};

export function readModifiers(files: readonly ModifierText[]): {
  readonly read: readonly Read[];
  readonly problems: readonly ModifierProblem[];
} {
  const claimed = new Map<string, ModifierText>();
  const read: Read[] = [];
  const problems: ModifierProblem[] = [];
  for (const file of files) {
    const { source, path, owner_pack } = file;
    const parsed = file.text.ok
      ? parseModifier(file.text.value, file)
      : err({ modifier_id: null, failure: file.text.error });
    const modifier_id = parsed.ok ? parsed.value.modifier.modifier_id : parsed.error.modifier_id;
    const other = modifier_id === null ? undefined : claimed.get(modifier_id);
    if (modifier_id !== null && other !== undefined) {
      // Of a stronger source it is meant so; of the same one nobody could say which was.
      if (other.source === source) {
        const why = failure("RUMI-FLOW-013", { flow_id: modifier_id, path, other: other.path });
        problems.push({ modifier_id, source, path, failure: why });
      }
      continue;
    }
    if (modifier_id !== null) claimed.set(modifier_id, file);
    if (parsed.ok) read.push({ ...parsed.value, source, path, owner_pack });
    else problems.push({ modifier_id, source, path, failure: parsed.error.failure });
  }
  return { read, problems };
}

export type ModifiedFlows = {
  readonly flows: ReadonlyMap<string, Flow>;
  readonly modifiers: readonly ModifierEntry[];
};

/** `pathOf` is where a flow's file lies. */
export function modifyFlows(
  flows: ReadonlyMap<string, Flow>,
  read: readonly Read[],
  of: { readonly available: Available; readonly pathOf: (flow_id: string) => string },
): ModifiedFlows {
  const all = applied(flows, read, of.available, () => null);
  const isRunnable = (among: ReadonlyMap<string, Flow>, flow: Flow): boolean =>
    closureOf(flow, of.pathOf(flow.flow_id), (called) => among.get(called)).ok;
  const isWorse = [...flows.values()].some(
    (flow) => isRunnable(flows, flow) && !isRunnable(all.flows, all.flows.get(flow.flow_id) ?? flow),
  );
  if (!isWorse) return all;
  // What calls other flows is all that could have made it so.
  const calling = ({ step }: Modifier): string | null =>
    step?.type === "flow" ? `flow_not_callable:${step.flow_id}` : null;
  return applied(flows, read, of.available, calling);
}

function applied(
  flows: ReadonlyMap<string, Flow>,
  read: readonly Read[],
  available: Available,
  refuse: (modifier: Modifier) => string | null,
): ModifiedFlows {
  const next = new Map(flows);
  const reasons = new Map<string, string | null>();
  for (const { modifier } of read) {
    const reason = flows.has(modifier.target_flow_id)
      ? refuse(modifier)
      : `target_flow_not_found:${modifier.target_flow_id}`;
    if (reason !== null) reasons.set(modifier.modifier_id, reason);
  }
  for (const [flow_id, flow] of flows) {
    const own = read.filter(
      ({ modifier }) => modifier.target_flow_id === flow_id && !reasons.has(modifier.modifier_id),
    );
    if (own.length === 0) continue;
    const modified = applyModifiers(
      flow,
      own.map(({ modifier }) => modifier),
      available,
    );
    next.set(flow_id, modified.flow);
    for (const { modifier, skip_reason } of modified.outcomes) reasons.set(modifier.modifier_id, skip_reason);
  }
  const inForce = read.filter(({ modifier }) => reasons.get(modifier.modifier_id) === null);
  const modifiers = read.map((one): ModifierEntry => {
    const skip_reason = reasons.get(one.modifier.modifier_id) ?? null;
    const others = skip_reason === null ? inForce.filter((other) => isBeside(one.modifier, other.modifier)) : [];
    return {
      ...one,
      skip_reason,
      ...beside(
        one.modifier,
        others.map(({ modifier }) => modifier),
      ),
    };
  });
  return { flows: next, modifiers };
}

const isBeside = (a: Modifier, b: Modifier): boolean =>
  a.target_flow_id === b.target_flow_id && a.modifier_id !== b.modifier_id;

function beside(
  { modifier_id, conflicts_with, compatible_with }: Modifier,
  others: readonly Modifier[],
): Pick<ModifierEntry, "conflicts" | "untested_with"> {
  const idsOf = (list: readonly Modifier[]): readonly string[] => list.map((other) => other.modifier_id).toSorted();
  return {
    conflicts: idsOf(
      others.filter(
        (other) => conflicts_with.includes(other.modifier_id) || other.conflicts_with.includes(modifier_id),
      ),
    ),
    untested_with:
      compatible_with.length === 0 ? [] : idsOf(others.filter((other) => !compatible_with.includes(other.modifier_id))),
  };
}
