/**
 * Compute sides of the runner's instances: each is begun after its lead, fed by its progress, and ends with it.
 *
 * How to think: a side that cannot be begun, or whose thread dies, never touches its lead: the lead sees its progress
 * stand still and does what its bot chose for that (M-3.2.1, M-3.2.3). A side whose thread died is begun again from its
 * own journal, each time after a longer wait; that it was lost is a signal on the lead's record.
 *
 * Invariants
 * - A lost side begins again while its lead lives, and never after (companions.test.ts "[M-3.2.1]").
 * - The wait doubles with every loss in a row and starts anew when a side has lived for a while (companions.test.ts).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Timers } from "@rumi/kernel";
import type { ComputeSide } from "../compute/policy.ts";
import { lostInput, makeProgress, resultInput, sideRunId, sideSpec } from "../compute/side.ts";
import type { FromLane, LaneReply, ToLane } from "../lane/messages.ts";
import type { InstanceSpec } from "../protocol.ts";

export const COMPANION_LIMITS = {
  /** Before a lost side begins again: this, then twice as long after each loss. */
  restart_ms: 500,
  restart_max_ms: 60_000,
  /** A side that lived so long was well; its next loss is the first one again. */
  well_ms: 60_000,
} as const;

type Result = Extract<FromLane, { type: "result" }>;
type ToLaneProgress = NonNullable<Extract<ToLane, { type: "start" }>["progress"]>;
export type CompanionLanes = {
  readonly begin: (spec: InstanceSpec, slot: number, progress: ToLaneProgress) => Promise<LaneReply>;
  readonly input: (run_id: string, input: Extract<ToLane, { type: "input" }>["input"]) => Promise<LaneReply>;
  readonly log: (line: string) => void;
  readonly timers: Pick<Timers, "after">;
  readonly monotonic: () => number;
};

type Known = {
  readonly lead: InstanceSpec;
  readonly side: ComputeSide;
  readonly slot: number;
  readonly progress: ToLaneProgress;
  losses: number;
  began: number;
  /** Ends the wait for its next beginning. */
  cancel: () => void;
};

export class Companions {
  readonly #lanes: CompanionLanes;
  /** By the side's run id. */
  readonly #sides = new Map<string, Known>();

  constructor(lanes: CompanionLanes) {
    this.#lanes = lanes;
  }

  /** Shared memory of a lead with a side; `undefined` where it has none. */
  progressOf(spec: InstanceSpec): ToLaneProgress | undefined {
    return spec.compute === undefined ? undefined : { role: "lead", rows: makeProgress() };
  }

  /** The lead lives: its side begins. */
  async begin(lead: InstanceSpec, slot: number, { rows }: ToLaneProgress): Promise<void> {
    const side = lead.compute;
    if (side === undefined) return;
    const run_id = sideRunId(lead.run_id);
    this.#sides.get(run_id)?.cancel();
    const known: Known = {
      lead,
      side,
      slot,
      progress: { role: "side", rows },
      losses: 0,
      began: 0,
      cancel: () => undefined,
    };
    this.#sides.set(run_id, known);
    await this.#begin(known);
  }

  async #begin(known: Known): Promise<void> {
    const { lead, side, slot, progress } = known;
    const spec = sideSpec(lead, side);
    const start = existsSync(join(spec.run_dir, "journal")) ? "resume" : "fresh";
    known.began = this.#lanes.monotonic();
    const reply = await this.#lanes.begin({ ...spec, start }, slot, progress);
    if (!reply.ok) this.#lanes.log(`run ${lead.run_id}: its Compute side did not begin: ${reply.error.error}`);
  }

  /** The thread of these runs is gone; sides among them begin again after a wait. */
  lost(run_ids: readonly string[]): void {
    for (const run_id of run_ids) {
      const known = this.#sides.get(run_id);
      if (known === undefined) continue;
      const { restart_ms, restart_max_ms, well_ms } = COMPANION_LIMITS;
      if (this.#lanes.monotonic() - known.began >= well_ms) known.losses = 0;
      const wait_ms = Math.min(restart_max_ms, restart_ms * 2 ** Math.min(known.losses, 20));
      known.losses += 1;
      const { run_id: lead } = known.lead;
      this.#lanes.log(`run ${lead}: M.COMPUTE.LOST, its Compute side begins again in ${wait_ms} ms`);
      void this.#lanes.input(lead, lostInput(wait_ms, known.losses));
      known.cancel();
      known.cancel = this.#lanes.timers.after(wait_ms, () => {
        if (this.#sides.get(run_id) === known) void this.#begin(known);
      });
    }
  }

  /** A side found something: its lead hears it, or it is too late for that. */
  heard({ run_id, result }: Result): void {
    const known = this.#sides.get(run_id);
    if (known !== undefined) void this.#lanes.input(known.lead.run_id, resultInput(result, known.side));
  }

  /** The side's run of a lead that ends. */
  sideOf(lead_run_id: string): string | undefined {
    const run_id = sideRunId(lead_run_id);
    return this.#sides.has(run_id) ? run_id : undefined;
  }

  forget(run_id: string): void {
    this.#sides.get(run_id)?.cancel();
    this.#sides.delete(run_id);
  }

  /** The runner ends: nothing begins any more. */
  close(): void {
    for (const run_id of Array.from(this.#sides.keys())) this.forget(run_id);
  }
}
