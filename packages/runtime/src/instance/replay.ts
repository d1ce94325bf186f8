/**
 * Replays an earlier life: the machine regenerates the journal record by record until nothing is expected any more.
 *
 * How to think: rows are run up to the next expected record; inputs of the journal are given where they were given then,
 * calls that failed then fail again. What the machine says is compared by the recorder; a difference throws.
 *
 * Invariant: nothing new is dispatched before it is durable, and nothing at all without the lease (recovery.test.ts).
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Failure, failure } from "@rumi/kernel";
import type { MarketFeed } from "@rumi/venues";
import type { JournalEntry } from "../protocol.ts";
import { refusedInit } from "./host-status.ts";
import type { MachineInput } from "./input.ts";
import type { InstanceMachine } from "./machine.ts";
import { DivergenceError, isFault, isReproduced, type Tape } from "./recorder.ts";
import { stateDigest } from "./state-digest.ts";

export type ReplayOptions = {
  readonly machine: InstanceMachine;
  readonly recorder: Tape;
  readonly expected: readonly JournalEntry[];
  readonly feed: MarketFeed;
  /** Sees to it that the feed has the rows before this one, as far as there are any. */
  readonly rowsUpTo?: (row: number) => Failure | null;
  /** There was no checkpoint: the machine starts as it did at first. */
  readonly begin: (() => Failure | null) | null;
  readonly venueState: () => Uint8Array;
  /** Hears of each checkpoint whose state came out again. */
  readonly onState?: (digest: string) => void;
  readonly mayEmit: () => boolean;
  readonly sync: () => Promise<void>;
};

/** Both records, kept beside the journal, and the refusal that names them. */
export function divergenceRefusal(
  { run_dir, epoch }: { readonly run_dir: string; readonly epoch: number },
  { divergence }: DivergenceError,
): Failure {
  const { seq, journal, replay } = divergence;
  writeFileSync(join(run_dir, `divergence-${seq}-epoch-${epoch}.json`), JSON.stringify(divergence, null, 2));
  return failure(
    "RUMI-STR-025",
    { seq, problem: "the regenerated record is another one" },
    { reasonCode: "M.REPLAY.DIVERGED", details: { journal, replay } },
  );
}

/** Rows between two looks at the journal. */
const STRIDE = 4_096;

/** Throws `DivergenceError`; a strategy that refuses to begin again is a value. */
export async function replayLife(options: ReplayOptions): Promise<Failure | null> {
  const { machine, recorder, expected, feed, rowsUpTo, begin, mayEmit, sync } = options;
  const reborn = generationsRestored(expected);
  for (const entry of expected)
    if (isFault(entry) && entry.kind === "input")
      machine.expectFault(entry.input as unknown as Extract<MachineInput, { input: "fault" }>);
  if (begin !== null) {
    const refused = begin();
    if (refused !== null) return refused;
    dispatchAsThen(options);
  }
  recorder.goLiveIfDone(machine.where());
  while (!recorder.live) {
    // One row more than a stride: at its end it is known whether the feed goes on.
    const refused = rowsUpTo?.(machine.cursor + STRIDE + 1) ?? replayBoundary(options, reborn);
    if (refused !== null) return refused;
    if (recorder.live) break;
    const before = machine.cursor;
    const head = recorder.head;
    // A row's entries carry its own cursor; what happened between rows carries the cursor after them.
    const until =
      head === undefined ? before : Math.min(feed.length, isReproduced(head) ? head.cursor + 1 : head.cursor);
    machine.run(Math.min(Math.max(until, before), before + STRIDE));
    machine.takeCheckpointWish();
    if (machine.pending > 0) {
      // A row may reach beyond the journal's end: what is new there waits for the disk like anything new.
      takeHeld(options);
      if (recorder.live) await sync();
      if (recorder.live && !mayEmit()) break;
      machine.dispatch();
    }
    if (machine.cursor === before && recorder.head === head && head !== undefined) {
      throw new DivergenceError({
        seq: head.seq,
        journal: canonicalJson(head),
        replay: `nothing at cursor ${before}`,
      });
    }
  }
  return null;
}

/** What the earlier life did between two rows, at the row where it did it. */
function replayBoundary(options: ReplayOptions, reborn: ReadonlySet<unknown>): Failure | null {
  const { machine, recorder, feed } = options;
  for (let head = recorder.head; head !== undefined; head = recorder.head) {
    if (isSaveHere(head, machine)) {
      machine.saveStrategy();
      continue;
    }
    // The feed's end is told by the shell, so a replay tells it again.
    if (head.kind === "feed_ended" && machine.cursor === feed.length) {
      machine.recordFeedEnded();
      continue;
    }
    if (isReproduced(head) || head.cursor !== machine.cursor) break;
    recorder.passHead();
    // Was it the last that is known? What it brings about is new, and must bear the epoch that a later replay will see.
    recorder.goLiveIfDone(machine.where());
    if (head.kind === "checkpoint" && head.checkpoint["event"] === undefined) {
      compareState(options, head);
      const refused = reborn.has(head.checkpoint["generation"]) ? machine.reborn() : null;
      if (refused !== null) return refusedInit(refused);
    }
    if (head.kind === "input") machine.apply(head.input as unknown as MachineInput);
    dispatchAsThen(options);
  }
  recorder.goLiveIfDone(machine.where());
  return null;
}

/** A save of the shell's own that failed; one that the machine makes before a call comes out again with its row or input. */
function isSaveHere(head: JournalEntry, machine: InstanceMachine): boolean {
  const { cursor, event_time_us, trace_id } = machine.where();
  return (
    isFault(head) &&
    head.kind === "input" &&
    head.input["callback"] === "save_state" &&
    head.input["call"] === machine.calls &&
    head.cursor === cursor &&
    head.event_time_us === event_time_us &&
    head.trace_id === trace_id
  );
}

/** What the earlier life heard while wishes waited to be sent, and before they were. */
function takeHeld({ machine, recorder }: ReplayOptions): void {
  for (let head = recorder.head; head?.kind === "input" && head.input["held"] === true; head = recorder.head) {
    if (head.cursor !== machine.cursor) return;
    recorder.passHead();
    recorder.goLiveIfDone(machine.where());
    machine.apply(head.input as unknown as MachineInput);
  }
}

function dispatchAsThen(options: ReplayOptions): void {
  takeHeld(options);
  // What is new in there waits for the disk and the lease like anything new: the host sends it.
  if (!options.recorder.live) options.machine.dispatch();
}

/** Saves as the earlier life did; where its record names the state, this one must be the same. */
function compareState(
  { machine, venueState, onState }: ReplayOptions,
  { seq, checkpoint }: Extract<JournalEntry, { kind: "checkpoint" }>,
): void {
  const saved = machine.saveStrategy();
  const { state } = checkpoint;
  if (saved === null || typeof state !== "string") return;
  const replay = stateDigest(machine.save(), saved.state, venueState());
  if (replay !== state) throw new DivergenceError({ seq, journal: state, replay });
  onState?.(state);
}

/** Checkpoints from which a later life began: there the strategy was made anew from its saved state, then as now. */
function generationsRestored(expected: readonly JournalEntry[]): ReadonlySet<unknown> {
  return new Set(expected.flatMap((entry) => (entry.kind === "run_resumed" ? [entry.checkpoint] : [])));
}
