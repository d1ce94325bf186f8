/**
 * Which box a strategy runs in: the level that is asked for, what the machine has, and how strict its owner is. Pure.
 *
 * How to think: a kind of strategy has levels of its own, the one it runs at by itself first. `strict` takes the level
 * asked for, or refuses. `any` takes something else instead, and what is in force says so. The control plane asks before
 * a start, with what the runners told (RUMI-BOT-020); the runner asks again with what it found itself (RUMI-STR-064).
 *
 * Invariants (choice.test.ts "[M-5.1.1]")
 * - Strict never gets another level than the one asked for, nor a mechanism that is weaker on this machine.
 * - Nobody gets L0 who did not ask for it, and strict never does.
 */
import type { RuntimeKind } from "@rumi/abi";
import { err, ok, type Result } from "@rumi/kernel";

export const ISOLATION_LEVELS = ["L0", "L1", "L2", "L3"] as const;
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];

export type IsolationWish = {
  readonly isolation: "any" | "strict";
  /** Absent: the kind's own. */
  readonly isolation_level?: IsolationLevel | undefined;
};

/** One mechanism of a machine. */
export type BoxFact = {
  readonly level: string;
  readonly mechanism: string;
  readonly available: boolean;
  /** Whether `strict` takes it on this machine; absent: it does. */
  readonly strict?: boolean;
  readonly reason: string | null;
};

export type ChosenBox = {
  readonly level: IsolationLevel;
  readonly mechanism: string;
  /** The level that was asked for and is not to be had. */
  readonly instead_of: IsolationLevel | null;
};
export type NoBox = { readonly needs: string; readonly problem: string };

/** The levels at which a kind can run, its own first. */
export const LEVELS_OF: Readonly<Record<RuntimeKind, readonly IsolationLevel[]>> = {
  rust_wasm: ["L2", "L0"],
  typescript: ["L2"],
  python: ["L1", "L3"],
  rust_native: ["L1", "L3"],
};

/** Both are part of the program. Without fuel only the watchdog ends a loop, and its lane with it. */
const IN_THREAD: readonly BoxFact[] = [
  { level: "L2", mechanism: "wasm-fuel", available: true, strict: true, reason: null },
  {
    level: "L0",
    mechanism: "wasm-watchdog",
    available: true,
    strict: false,
    reason: "only the watchdog ends a loop without end, and its lane with it",
  },
];

const NEEDS: Readonly<Record<IsolationLevel, string>> = {
  L0: "a lane's own thread with a watchdog (L0)",
  L1: "a process jail (L1: bubblewrap or the Landlock self-jail)",
  L2: "Wasm (L2)",
  L3: "a container (L3: runc, or Docker where it is named)",
};

/** RUMI-BOT-020's words where there is none. */
export function chooseBox(kind: RuntimeKind, wish: IsolationWish, facts: readonly BoxFact[]): Result<ChosenBox, NoBox> {
  const levels = LEVELS_OF[kind];
  const wanted = wish.isolation_level;
  const boxes = levels.flatMap((level) => boxesOf(kind, facts).filter((fact) => fact.level === level));
  const own = boxes.filter(({ level }) => (wanted === undefined ? level !== "L0" : level === wanted));
  const taken = (box: BoxFact, instead_of: IsolationLevel | null): Result<ChosenBox, never> =>
    ok({ level: box.level as IsolationLevel, mechanism: box.mechanism, instead_of });
  const best = strongest(own);
  if (best !== undefined && (wish.isolation === "any" || best.strict !== false)) return taken(best, null);
  const other = strongest(boxes.filter(({ level }) => level !== "L0" && level !== wanted));
  if (wish.isolation === "any" && other !== undefined) return taken(other, wanted ?? null);
  const needs = wanted === undefined ? levels.map((level) => NEEDS[level]).join(" or ") : NEEDS[wanted];
  const runsAt = `a ${kind} strategy runs at ${levels.join(" or ")}`;
  return err({
    needs,
    problem: own.length === 0 && wanted !== undefined && !levels.includes(wanted) ? runsAt : why(own),
  });
}

function boxesOf(kind: RuntimeKind, facts: readonly BoxFact[]): readonly BoxFact[] {
  if (kind === "rust_wasm" || kind === "typescript") return IN_THREAD;
  // A stranger's binary cannot be asked to jail itself.
  return facts.filter(({ mechanism }) => kind === "python" || mechanism !== "self-jail");
}

function strongest(boxes: readonly BoxFact[]): BoxFact | undefined {
  const there = boxes.filter(({ available }) => available);
  return there.find(({ strict }) => strict !== false) ?? there[0];
}

function why(boxes: readonly BoxFact[]): string {
  if (boxes.length === 0) return "there is no such mechanism";
  const weak = "weaker here than strict isolation takes";
  return boxes
    .map(({ mechanism, reason, available }) => `${mechanism}: ${reason ?? (available ? weak : "unavailable")}`)
    .join("; ");
}
