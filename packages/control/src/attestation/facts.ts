/** What the rows say about a stop, in the words of the ladder. Pure. */
import type { LeaseRow } from "@rumi/store";
import type { InstanceRow } from "../instances/tables.ts";
import { statusOf } from "../instances/view.ts";
import type { StopFact } from "./model.ts";

/**
 * In the order of the ladder; `now` in microseconds. A run's own venue ends with it and has no orders then; of a venue
 * outside only its own word counts, asked by the run that stopped in order after its cancels were answered: what a cancel
 * is answered proves nothing.
 */
export function stopFacts(
  instance: InstanceRow,
  lease: Pick<LeaseRow, "holder" | "epoch" | "expires_at"> | undefined,
  now: number,
): readonly StopFact[] {
  const { epoch, holder, phase } = instance;
  const own = ownStatus(instance);
  const over = phase === "stopped" || phase === "failed";
  const facts: StopFact[] = [{ kind: "requested", epoch }];
  if (over || own?.phase === "stopping") facts.push({ kind: "acknowledged", epoch });
  // The row lets go of its holder only for the run's own end, proof of death, or a lease that is over.
  if (over && holder === null) facts.push({ kind: "quiesced", epoch });
  const open_orders = instance.mode === "live" ? openOutside(own) : 0;
  if (open_orders !== null) facts.push({ kind: "venue_asked", epoch, asked_when_quiet: true, open_orders });
  if (lease === undefined || lease.holder === null || lease.epoch > epoch || lease.expires_at <= now)
    facts.push({ kind: "credential_fenced", epoch });
  return facts;
}

/** What the run's holder said under its present epoch. */
export function ownStatus(instance: InstanceRow): ReturnType<typeof statusOf> {
  const status = statusOf(instance);
  return status !== null && status.run_id === instance.run_id && status.epoch === instance.epoch ? status : null;
}

/** Null: nobody asked the venue after it was quiet. */
export function openOutside(own: ReturnType<typeof statusOf>): number | null {
  return own?.phase === "stopped" && own.reason_code !== "M.LEASE.LOST" ? (own.venue_open ?? null) : null;
}
