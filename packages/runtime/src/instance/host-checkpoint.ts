/** Writes one state checkpoint: its record first and durably, then the slot. */
import { canonicalJson, digestOf, type Failure, type Result } from "@rumi/kernel";
import type { CheckpointSlots, Restored } from "../checkpoint/slots.ts";
import type { JournalWriter } from "../journal/writer.ts";
import type { InstanceSpec } from "../protocol.ts";
import { HOST_LIMITS, type HostOptions } from "./host-options.ts";
import type { RunRecorder, Where } from "./recorder.ts";
import type { MachineState } from "./state.ts";
import { stateDigest } from "./state-digest.ts";

export type CheckpointParts = {
  readonly spec: InstanceSpec;
  readonly why: string;
  readonly machine: MachineState;
  readonly saved: { readonly version: number; readonly state: Uint8Array };
  readonly venue: Uint8Array;
  readonly nextIntentKey: number;
  readonly where: Where;
  readonly recorder: RunRecorder;
  readonly writer: JournalWriter;
  readonly slots: CheckpointSlots;
  readonly sync: () => Promise<void>;
};

/** Rows after which a checkpoint is due at the latest: while more wait that came from outside, it waits for a lull. */
export function checkpointRows({ live, feed }: Pick<HostOptions, "live" | "feed">, cursor: number): number {
  const isBehind = live !== undefined && feed.length > cursor;
  return isBehind ? HOST_LIMITS.checkpoint_in_burst_events : HOST_LIMITS.checkpoint_every_events;
}

/** Whether a periodic checkpoint is due at `cursor`, so many rows and milliseconds after the last one. */
export function checkpointDue(
  since: { readonly cursor: number; readonly rows: number; readonly ms: number },
  of: Pick<HostOptions, "turns" | "live" | "feed">,
): boolean {
  if (since.rows >= checkpointRows(of, since.cursor)) return true;
  return since.rows > 0 && since.ms >= HOST_LIMITS.checkpoint_every_ms && of.turns?.take(of) !== false;
}

/** Answers the bytes written. The record names generation, cursor, occasion and the digest of the whole state. */
export async function writeCheckpoint(parts: CheckpointParts): Promise<Result<number, Failure>> {
  const { spec, why, machine, saved, venue, recorder, writer, slots } = parts;
  const generation = slots.nextGeneration;
  const state = stateDigest(machine, saved.state, venue);
  recorder.append({
    kind: "checkpoint",
    ...parts.where,
    checkpoint: { generation, cursor: machine.cursor, why, state },
  });
  await parts.sync();
  return slots.write({
    header: {
      schema_version: 1,
      generation,
      run_id: spec.run_id,
      epoch: spec.epoch,
      pack_digest: spec.pack_digest,
      config_digest: digestOf(canonicalJson(machine.config)),
      state_schema_version: saved.version,
      last_event_cursor: machine.cursor,
      event_time_us: machine.clock,
      journal_seq: writer.seq,
      journal_chain: writer.chainHex,
      next_intent_key: parts.nextIntentKey,
      machine,
    },
    strategy: saved.state,
    venue,
  });
}

/** Damaged slots that an earlier one was taken instead of (M-6.2.2). */
export function recordRolledBack(recorder: RunRecorder, damaged: Restored["damaged"], where: Where): void {
  for (const slot of damaged)
    recorder.append({
      kind: "checkpoint",
      ...where,
      checkpoint: { event: "rolled_back", reason_code: "M.STATE.ROLLED_BACK", ...slot },
    });
}
