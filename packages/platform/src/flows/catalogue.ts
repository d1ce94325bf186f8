/**
 * Which flows there are: the files of all sources, the strongest first. Pure.
 *
 * Invariants (model.test.ts "sources"): a weaker source never replaces an id of a stronger one, not even of a file there that was
 * refused; what is refused is listed with its reason, and running it gives that reason.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { closureOf, type FlowClosure } from "./closure.ts";
import type { Schedule } from "./schedule/cron.ts";
import { parseFlow, type Flow } from "./model.ts";
import type { Available } from "./modifiers/apply.ts";
import {
  modifyFlows,
  readModifiers,
  type ModifierEntry,
  type ModifierProblem,
  type ModifierText,
} from "./modifiers/catalogue.ts";
import type { FlowSource } from "./source.ts";

export type FlowText = {
  readonly source: FlowSource;
  /** As an operator would look for it, relative to the home or to its pack. */
  readonly path: string;
  readonly owner_pack: string | null;
  readonly text: Result<string, Failure>;
};
export type FlowEntry = {
  readonly flow: Flow;
  readonly closure: FlowClosure;
  readonly source: FlowSource;
  readonly path: string;
  readonly owner_pack: string | null;
  readonly digest: string;
  readonly schedule: Schedule | null;
  readonly warnings: readonly string[];
  /** That changed it, in no order; `flow` is as they left it. */
  readonly modifiers: readonly ModifierEntry[];
};
export type FlowProblem = {
  readonly flow_id: string | null;
  readonly source: FlowSource;
  readonly path: string;
  readonly failure: Failure;
};
export type Catalogue = {
  readonly entries: ReadonlyMap<string, FlowEntry>;
  readonly problems: readonly FlowProblem[];
  readonly modifiers: readonly ModifierEntry[];
  readonly modifier_problems: readonly ModifierProblem[];
};
/** What changes flows, and what it may ask for. */
export type Modifying = { readonly files: readonly ModifierText[]; readonly available: Available };

export const UNMODIFIED: Modifying = {
  files: [],
  available: { interfaces: new Set(), capabilities: new Set() },
};

/** `files` in order of strength, those of one source in order of path. */
export function catalogueOf(files: readonly FlowText[], modifying: Modifying = UNMODIFIED): Catalogue {
  const claimed = new Map<string, FlowText>();
  const read = new Map<string, Omit<FlowEntry, "closure" | "modifiers">>();
  const problems: FlowProblem[] = [];
  for (const file of files) {
    const { source, path, owner_pack } = file;
    const refuse = (flow_id: string | null, why: Failure): void =>
      void problems.push({ flow_id, source, path, failure: why });
    const parsed = file.text.ok ? parseFlow(file.text.value, file) : err({ flow_id: null, failure: file.text.error });
    const flow_id = parsed.ok ? parsed.value.flow.flow_id : parsed.error.flow_id;
    const other = flow_id === null ? undefined : claimed.get(flow_id);
    if (flow_id !== null && other !== undefined) {
      // Of a stronger source it is meant so; of the same one nobody could say which was.
      if (isSame(other, file)) refuse(flow_id, failure("RUMI-FLOW-013", { flow_id, path, other: other.path }));
      continue;
    }
    if (flow_id !== null) claimed.set(flow_id, file);
    if (parsed.ok) read.set(parsed.value.flow.flow_id, { ...parsed.value, source, path, owner_pack });
    else refuse(flow_id, parsed.error.failure);
  }
  const { read: modifiersRead, problems: modifier_problems } = readModifiers(modifying.files);
  const own = new Map([...read].map(([flow_id, { flow }]) => [flow_id, flow]));
  const pathOf = (flow_id: string): string => read.get(flow_id)?.path ?? flow_id;
  const { flows, modifiers } = modifyFlows(own, modifiersRead, { available: modifying.available, pathOf });
  const entries = new Map<string, FlowEntry>();
  for (const [flow_id, entry] of read) {
    const flow = flows.get(flow_id) ?? entry.flow;
    const closure = closureOf(flow, entry.path, (called) => flows.get(called));
    const applied = modifiers.filter((one) => one.skip_reason === null && one.modifier.target_flow_id === flow_id);
    if (closure.ok) entries.set(flow_id, { ...entry, flow, modifiers: applied, closure: closure.value });
    else problems.push({ flow_id, source: entry.source, path: entry.path, failure: closure.error });
  }
  return { entries, problems, modifiers, modifier_problems };
}

/** Packs are equally strong. */
function isSame(a: FlowText, b: FlowText): boolean {
  return a.source === b.source;
}

export function findFlow(
  { entries, problems }: Pick<Catalogue, "entries" | "problems">,
  flow_id: string,
): Result<FlowEntry, Failure> {
  const entry = entries.get(flow_id);
  if (entry !== undefined) return ok(entry);
  const refused = problems.find((one) => one.flow_id === flow_id);
  return err(refused?.failure ?? failure("RUMI-FLOW-001", { flow_id }));
}
