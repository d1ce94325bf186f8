/**
 * Which modifiers change a flow, in which order, and why the others do not. Pure.
 *
 * How to think: what replaces and removes comes first, then what is added; of those at one point the lower priority comes
 * first, then the step's id, then the modifier's. Nobody's step ever stands twice, and a step that something else waits for
 * still stands before it: a modifier that would break that is passed over with its reason, and the flow is as without it.
 *
 * Invariants (apply.test.ts): the order of the files plays no part; each modifier is applied or has a reason.
 */
import type { Flow } from "../model.ts";
import type { Step } from "../steps/model.ts";
import { FIRST_STEP, LAST_STEP, type Modifier } from "./model.ts";

/** What `requires` is held against. */
export type Available = { readonly interfaces: ReadonlySet<string>; readonly capabilities: ReadonlySet<string> };
export type Outcome = { readonly modifier: Modifier; readonly skip_reason: string | null };
export type Modified = { readonly flow: Flow; readonly outcomes: readonly Outcome[] };

/** A flow's steps while they are changed; `was` are ids of steps that this one took the place of. */
type Place = { readonly step: Step; readonly was: readonly string[]; readonly added: boolean };
type Point = { readonly anchor: string; readonly side: "before" | "after" };

export function applyModifiers(flow: Flow, modifiers: readonly Modifier[], available: Available): Modified {
  const outcomes: Outcome[] = [];
  const taken = new Map<string, string>();
  const points = new Map<string, string>();
  let places: readonly Place[] = flow.steps.map((step) => ({ step, was: [], added: false }));
  for (const modifier of modifiers.toSorted(before)) {
    const changed = requirements(modifier, available) ?? change(places, flow, modifier, { taken, points });
    const skip_reason = typeof changed === "string" ? changed : outOfOrder(changed);
    outcomes.push({ modifier, skip_reason });
    if (skip_reason === null && typeof changed !== "string") places = changed;
  }
  const isChanged = outcomes.some(({ skip_reason }) => skip_reason === null);
  return { flow: isChanged ? { ...flow, steps: places.map(({ step }) => step) } : flow, outcomes };
}

const isAdding = ({ action }: Modifier): boolean => action !== "replace" && action !== "remove";

function before(a: Modifier, b: Modifier): number {
  const text = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);
  return (
    Number(isAdding(a)) - Number(isAdding(b)) ||
    a.priority - b.priority ||
    text(a.step?.id ?? "", b.step?.id ?? "") ||
    text(a.modifier_id, b.modifier_id)
  );
}

function requirements({ requires }: Modifier, { interfaces, capabilities }: Available): string | undefined {
  const missing = [
    ...requires.interfaces.filter((name) => !interfaces.has(name)).map((name) => `interface ${name}`),
    ...requires.capabilities.filter((name) => !capabilities.has(name)).map((name) => `capability ${name}`),
  ];
  return missing.length === 0 ? undefined : `requires_not_satisfied:${missing.join(", ")}`;
}

/** The steps with the modifier's, or why not. */
function change(
  places: readonly Place[],
  flow: Flow,
  modifier: Modifier,
  seen: { readonly taken: Map<string, string>; readonly points: Map<string, string> },
): readonly Place[] | string {
  const { phase, action, target_step_id, step, modifier_id } = modifier;
  if (!flow.phases.includes(phase)) return `phase_not_found:${phase}`;
  const at = action === "append" ? endOf(places, flow, phase) : targetAt(places, phase, target_step_id ?? "");
  if (at === -1) return `target_step_not_found:${target_step_id ?? ""}`;
  const target = places[at];
  const replaced = action === "replace" ? target?.step.id : undefined;
  if (step !== null && step.id !== replaced && places.some((one) => one.step.id === step.id))
    return `step_id_taken:${step.id}`;
  if (action === "append") return step === null ? places : insert(places, at, step);
  if (target === undefined) return `target_step_not_found:${target_step_id ?? ""}`;
  if (action === "remove" || action === "replace") {
    const other = seen.taken.get(target.step.id);
    if (other !== undefined) return `target_step_taken:${target.step.id} by ${other}`;
    if (step !== null) seen.taken.set(step.id, modifier_id);
    const own = step === null ? [] : [{ step, was: [...target.was, target.step.id], added: false }];
    return [...places.slice(0, at), ...own, ...places.slice(at + 1)];
  }
  return step === null ? places : inject(places, target, { step, action }, seen.points);
}

/** Behind those that were put at the same point before, which are the stronger ones. */
function inject(
  places: readonly Place[],
  target: Place,
  { step, action }: { readonly step: Step; readonly action: "inject_before" | "inject_after" },
  points: Map<string, string>,
): readonly Place[] {
  const point: Point = { anchor: target.step.id, side: action === "inject_before" ? "before" : "after" };
  const at = places.indexOf(target);
  if (point.side === "before") return insert(places, at, step);
  const key = `${point.side} ${point.anchor}`;
  const last = places.findIndex((one) => one.step.id === points.get(key));
  points.set(key, step.id);
  return insert(places, (last === -1 ? at : last) + 1, step);
}

function insert(places: readonly Place[], at: number, step: Step): readonly Place[] {
  return [...places.slice(0, at), { step, was: [], added: true }, ...places.slice(at)];
}

/** Of the flow's own steps and what took their place: what was added is nobody's point. */
function targetAt(places: readonly Place[], phase: string, id: string): number {
  const isOf = (one: Place): boolean => !one.added && one.step.phase === phase;
  if (id === FIRST_STEP) return places.findIndex(isOf);
  if (id === LAST_STEP) return places.findLastIndex(isOf);
  return places.findIndex((one) => isOf(one) && (one.step.id === id || one.was.includes(id)));
}

/** Where the phase ends, also where nothing is in it. */
function endOf(places: readonly Place[], flow: Flow, phase: string): number {
  const order = flow.phases.indexOf(phase);
  return places.findLastIndex((one) => flow.phases.indexOf(one.step.phase) <= order) + 1;
}

/** A step must not stand before what it depends on; a dependency that is gone is none. */
function outOfOrder(places: readonly Place[]): string | null {
  const at = new Map(places.map((one, index) => [one.step.id, index]));
  for (const [index, { step }] of places.entries())
    for (const id of step.depends_on) if ((at.get(id) ?? -1) >= index) return `depends_on_later:${step.id} on ${id}`;
  return null;
}
