/**
 * Tightenings that the log could not take: in force in memory at once, on a file of their own where that can be written,
 * and carried out as ordinary commands, in their order, when the log is back. The gap they leave is recorded as a gap.
 *
 * How to think: what runners are told is what the rows say, tightened by what waits here; nothing in here loosens.
 *
 * Invariant (emergency.test.ts): what was answered as in force is in force for every runner, also one that dials in
 * later and also after a restart, until the log has it.
 */
import { isoFromMicros, type Micros } from "@rumi/kernel";
import type { EmergencyEntry, EmergencyPort, Pipeline, SafetyMode } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import { isStricter, type KillLevel, type KillRule } from "@rumi/runtime";
import { scopeOf, type ScopeInput } from "../kill-switch/model.ts";
import type { Recorder } from "../runners/recorder.ts";
import { strictness } from "../safety/model.ts";

/** Where the waiting ones outlive the process. Both throw what the file system throws. */
export type EmergencyFile = { readonly read: () => string | null; readonly write: (text: string) => void };
export const EMERGENCY_LIMITS = { /** Beyond it they are kept in memory only. */ entries: 256 } as const;

export interface EmergencySpool extends EmergencyPort {
  readonly waiting: readonly EmergencyEntry[];
  /** What the rows say, tightened by what waits. */
  mode(row: SafetyMode): SafetyMode;
  rules(rows: readonly KillRule[]): readonly KillRule[];
  onChange(listener: () => void): void;
  /** They are in the log now. */
  done(commands: ReadonlySet<string>): void;
}

export function emergencySpool(file: EmergencyFile | undefined): EmergencySpool {
  let waiting: readonly EmergencyEntry[] = readBack(file);
  const listeners: (() => void)[] = [];
  const keep = (): "spooled" | "only_in_memory" => {
    if (file === undefined) return "only_in_memory";
    try {
      file.write(JSON.stringify(waiting.slice(0, EMERGENCY_LIMITS.entries)));
      return waiting.length <= EMERGENCY_LIMITS.entries ? "spooled" : "only_in_memory";
    } catch {
      return "only_in_memory"; // told to whoever asked; the effect does not wait for a disk
    }
  };
  return {
    get waiting() {
      return waiting;
    },
    tighten: (entry) => {
      if (!waiting.some(({ command_id }) => command_id === entry.command_id)) waiting = [...waiting, entry];
      const kept = keep();
      for (const listener of listeners) listener();
      return kept;
    },
    mode: (row) =>
      waiting
        .flatMap(({ operation, input }) => (operation === "safety.set" ? [input["mode"] as SafetyMode] : []))
        .reduce((strict, mode) => (strictness(mode) > strictness(strict) ? mode : strict), row),
    rules: (rows) => waiting.reduce(tightened, rows),
    onChange: (listener) => void listeners.push(listener),
    done: (commands) => {
      waiting = waiting.filter(({ command_id }) => !commands.has(command_id));
      keep();
    },
  };
}

function tightened(rules: readonly KillRule[], { operation, input }: EmergencyEntry): readonly KillRule[] {
  if (operation !== "killswitch.set") return rules;
  const of = scopeOf(input["scope"] as ScopeInput);
  const level = input["level"] as KillLevel;
  const known = rules.find(({ scope, id }) => scope === of.scope && id === of.id);
  if (!isStricter(level, known?.level ?? "ALLOW")) return rules;
  return [...rules.filter((one) => one !== known), { ...of, level }];
}

function readBack(file: EmergencyFile | undefined): readonly EmergencyEntry[] {
  const text = file?.read() ?? null;
  return text === null ? [] : (JSON.parse(text) as readonly EmergencyEntry[]);
}

/** Carries out what waits, in its order, and stops at the first that the log still cannot take. */
export function emergencyReconciler(
  spool: EmergencySpool,
  recorder: Pick<Recorder, "commit">,
  pipeline: Pipeline,
  now: () => Micros,
): Reconciler {
  return {
    name: "emergency",
    run: async () => {
      const [first] = spool.waiting;
      const done = new Set<string>();
      for (const entry of spool.waiting) {
        const operation = pipeline.settings.registry.operations.get(entry.operation);
        const answer =
          operation === undefined
            ? null
            : await pipeline.execute(operation, {
                raw: { params: {}, query: {}, body: entry.input },
                principal: entry.principal,
                idempotencyKey: entry.command_id,
                trace_id: entry.trace_id,
                remote: "emergency spool",
              });
        const isSpooledAgain = answer?.kind === "done" && (answer.data as { spooled?: boolean }).spooled === true;
        if (isSpooledAgain || (answer?.status ?? 0) >= 500) break;
        done.add(entry.command_id);
      }
      if (first === undefined || done.size === 0) return;
      spool.done(done);
      await recorder.commit(
        "system:emergency",
        [],
        [
          {
            action: "audit.gap",
            resource_type: "home",
            resource_id: "audit",
            outcome: "FAILURE",
            details: {
              lost: 0,
              from: isoFromMicros(first.at),
              to: isoFromMicros(now()),
              cause: `the log could not be written; ${done.size} tightenings waited in the emergency spool`,
            },
          },
        ],
      );
    },
  };
}
