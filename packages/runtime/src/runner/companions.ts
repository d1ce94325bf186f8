/**
 * Compute sides of the runner's instances: each is begun after its lead, fed by its progress, and ends with it.
 *
 * A side that cannot be begun, or that ends, never touches its lead: the lead sees its progress stand still and does what
 * its bot chose for that (M-3.2.1, M-3.2.3).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ComputeSide } from "../compute/policy.ts";
import { makeProgress, resultInput, sideRunId, sideSpec } from "../compute/side.ts";
import type { FromLane, LaneReply, ToLane } from "../lane/messages.ts";
import type { InstanceSpec } from "../protocol.ts";

type Result = Extract<FromLane, { type: "result" }>;
export type CompanionLanes = {
  readonly begin: (spec: InstanceSpec, slot: number, progress: ToLaneProgress) => Promise<LaneReply>;
  readonly input: (run_id: string, input: Extract<ToLane, { type: "input" }>["input"]) => Promise<LaneReply>;
  readonly log: (line: string) => void;
};
type ToLaneProgress = NonNullable<Extract<ToLane, { type: "start" }>["progress"]>;

export class Companions {
  readonly #lanes: CompanionLanes;
  /** By the side's run id. */
  readonly #sides = new Map<string, { readonly lead: string; readonly side: ComputeSide }>();

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
    const spec = sideSpec(lead, side);
    const known = existsSync(join(spec.run_dir, "journal"));
    this.#sides.set(spec.run_id, { lead: lead.run_id, side });
    const reply = await this.#lanes.begin({ ...spec, start: known ? "resume" : "fresh" }, slot, { role: "side", rows });
    if (!reply.ok) this.#lanes.log(`run ${lead.run_id}: its Compute side did not begin: ${reply.error.error}`);
  }

  /** A side found something: its lead hears it, or it is too late for that. */
  heard({ run_id, result }: Result): void {
    const known = this.#sides.get(run_id);
    if (known !== undefined) void this.#lanes.input(known.lead, resultInput(result, known.side));
  }

  /** The side's run of a lead that ends. */
  sideOf(lead_run_id: string): string | undefined {
    const run_id = sideRunId(lead_run_id);
    return this.#sides.has(run_id) ? run_id : undefined;
  }

  forget(run_id: string): void {
    this.#sides.delete(run_id);
  }
}
