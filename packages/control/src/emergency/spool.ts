/**
 * Tightenings that the log could not take: in force in memory at once, on a file of their own where that can be written,
 * and carried out as ordinary commands when the log is back (reconciler.ts).
 *
 * How to think: what runners are told, what is shown and what guards judge by is what the rows say, tightened by what
 * waits here; nothing in here loosens. Only what is stricter than what waits for its scope is added, so that one scope has
 * no more entries than there are levels.
 *
 * Invariants (emergency.test.ts)
 * - What was answered as in force is in force for every runner, also one that dials in later and also after a restart,
 *   until the rows say it.
 * - One id is one command: another wish under it is never answered as in force.
 */
import { canonicalJson, failure, isoFromMicros, type Failure, type Json } from "@rumi/kernel";
import type { EmergencyEntry, EmergencyPort, SafetyMode, Tightening } from "@rumi/operations";
import { isStricter, type KillLevel, type KillRule } from "@rumi/runtime";
import { scopeOf, scopeText, type ScopeInput } from "../kill-switch/model.ts";
import { strictness } from "../safety/model.ts";

/** Where the waiting ones outlive the process. Both throw what the file system throws. */
export type EmergencyFile = { readonly read: () => string | null; readonly write: (text: string) => void };
export const EMERGENCY_LIMITS = {
  /** On the file; beyond it they are kept in memory only. */
  entries: 256,
  /** In memory, of single scopes; what is for all bots is taken beyond it. */
  scoped: 1_024,
} as const;

export interface EmergencySpool extends EmergencyPort {
  readonly waiting: readonly EmergencyEntry[];
  /** What the rows say, tightened by what waits. */
  mode(row: SafetyMode): SafetyMode;
  rules(rows: readonly KillRule[]): readonly KillRule[];
  onChange(listener: () => void): void;
  /** They are in the log now. */
  done(commands: ReadonlySet<string>): void;
}
/** For whoever asks what is in force. */
export type Tightened = Pick<EmergencySpool, "mode" | "rules" | "waiting">;

export function emergencySpool(file: EmergencyFile | undefined): EmergencySpool {
  let waiting: readonly EmergencyEntry[] = readBack(file);
  let isKept = waiting.length > 0;
  const listeners: (() => void)[] = [];
  const keep = (): boolean => {
    if (file === undefined) return false;
    try {
      // What is for all bots comes first: it is the last that a restart may forget.
      const wideFirst = [...waiting.filter((one) => !isScoped(one)), ...waiting.filter(isScoped)];
      file.write(JSON.stringify(wideFirst.slice(0, EMERGENCY_LIMITS.entries)));
      return waiting.length <= EMERGENCY_LIMITS.entries;
    } catch {
      return false; // told to whoever asked; the effect does not wait for a disk
    }
  };
  return {
    get waiting() {
      return waiting;
    },
    tighten: (entry, isInRows) => {
      const known = waiting.find(({ command_id }) => command_id === entry.command_id);
      if (known !== undefined && !isSameWish(known, entry)) return refused(idReused(entry));
      if (known === undefined && isInRows) return { kind: "in_force", durable: true, added: false };
      const added = known === undefined && !isCovered(waiting, entry);
      if (added && isScoped(entry) && waiting.filter(isScoped).length >= EMERGENCY_LIMITS.scoped)
        return refused(
          failure("RUMI-CMD-026", { limit: EMERGENCY_LIMITS.scoped }, { reasonCode: "G.KILLSWITCH.FULL" }),
        );
      if (added) waiting = [...waiting, entry];
      if (added || !isKept) isKept = keep();
      if (added) for (const listener of listeners) listener();
      return { kind: "in_force", durable: isKept, added };
    },
    mode: (row) => tightenedMode(waiting, row),
    rules: (rows) => tightenedRules(waiting, rows),
    onChange: (listener) => void listeners.push(listener),
    done: (commands) => {
      waiting = waiting.filter(({ command_id }) => !commands.has(command_id));
      isKept = keep();
    },
  };
}

const refused = (why: Failure): Tightening => ({ kind: "refused", failure: why });
const idReused = ({ command_id }: EmergencyEntry): Failure =>
  failure("RUMI-CMD-002", { command_id }, { reasonCode: "COMMAND_ID_REUSED" });

/** Whether what the rules and the mode say leaves the entry nothing to tighten. */
export function isInForce(entry: EmergencyEntry, mode: SafetyMode, rules: readonly KillRule[]): boolean {
  if (entry.operation === "safety.set") return tightenedMode([entry], mode) === mode;
  const [rule] = ruleOf(entry);
  if (rule === undefined) return false;
  const levels = rules.filter(({ scope, id }) => scope === rule.scope && id === rule.id).map(({ level }) => level);
  return !isStricter(rule.level, "ALLOW") || levels.some((level) => !isStricter(rule.level, level));
}

/** Whose word it is that a rule or a mode stands although no row says so. */
export function spooledWord({ principal, input, at }: EmergencyEntry) {
  return { reason: String(input["reason"]), by: principal.id, at: isoFromMicros(at) };
}

const isCovered = (waiting: readonly EmergencyEntry[], entry: EmergencyEntry): boolean =>
  isInForce(entry, tightenedMode(waiting, "NORMAL"), waiting.flatMap(ruleOf));

const isSameWish = (a: EmergencyEntry, b: EmergencyEntry): boolean =>
  a.operation === b.operation &&
  a.principal.id === b.principal.id &&
  canonicalJson(a.input as Json) === canonicalJson(b.input as Json);

/** About some bots only; the safety mode and `all` are about every bot. */
const isScoped = ({ operation, input }: EmergencyEntry): boolean =>
  operation === "killswitch.set" && scopeOf(input["scope"] as ScopeInput).scope !== "all";

function tightenedMode(waiting: readonly EmergencyEntry[], row: SafetyMode): SafetyMode {
  return waiting
    .flatMap(({ operation, input }) => (operation === "safety.set" ? [input["mode"] as SafetyMode] : []))
    .reduce((strict, mode) => (strictness(mode) > strictness(strict) ? mode : strict), row);
}

function tightenedRules(waiting: readonly EmergencyEntry[], rows: readonly KillRule[]): readonly KillRule[] {
  const rules = new Map(rows.map((row) => [scopeText(row), row]));
  for (const rule of waiting.flatMap(ruleOf)) {
    const key = scopeText(rule);
    if (isStricter(rule.level, rules.get(key)?.level ?? "ALLOW")) rules.set(key, rule);
  }
  return [...rules.values()];
}

function ruleOf({ operation, input }: EmergencyEntry): readonly KillRule[] {
  if (operation !== "killswitch.set") return [];
  return [{ ...scopeOf(input["scope"] as ScopeInput), level: input["level"] as KillLevel }];
}

function readBack(file: EmergencyFile | undefined): readonly EmergencyEntry[] {
  const text = file?.read() ?? null;
  return text === null ? [] : (JSON.parse(text) as readonly EmergencyEntry[]);
}
