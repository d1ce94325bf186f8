/** A proven stop as an in-toto statement, so that it can be signed, kept anywhere and checked by whoever knows the format. */
import { canonicalJson, isoFromMicros, micros, sha256, type Json } from "@rumi/kernel";
import { jsonOf } from "../shared/sql.ts";
import type { StopRung } from "./model.ts";
import type { LadderRow } from "./tables.ts";

export const STOP_PREDICATE = "urn:rumi:stop-attestation:v1";

/** A rung and when it was first seen to stand. */
export type RungAt = { readonly rung: StopRung; readonly at: number };
export const rungsOf = ({ rungs }: Pick<LadderRow, "rungs">): readonly RungAt[] => jsonOf<readonly RungAt[]>(rungs);

/** Canonical JSON. The subject's digest is that of what is stated, so that the name alone cannot be reused. */
export function stopStatement(row: LadderRow, environment: string, attested_at: number): string {
  const predicate = {
    bot_id: row.bot_id,
    strategy_id: row.strategy_id,
    instance_id: row.instance_id,
    run_id: row.run_id,
    epoch: row.epoch,
    mode: row.mode,
    environment,
    venue: row.venue,
    open_orders: row.open_orders,
    rungs: rungsOf(row).map(({ rung, at }) => ({ rung, at: iso(at) })),
    attested_at: iso(attested_at),
  };
  const digest = Buffer.from(sha256(canonicalJson(predicate as unknown as Json))).toString("hex");
  return canonicalJson({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: `run:${row.run_id}/epoch:${row.epoch}`, digest: { sha256: digest } }],
    predicateType: STOP_PREDICATE,
    predicate,
  });
}

const iso = (at: number): string => isoFromMicros(micros(at));
