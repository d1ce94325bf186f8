/** What stops answer: the rungs reached, what blocks the next one and since when, and the signed record. */
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";
import { STOP_RUNGS } from "./model.ts";

const RungField = Type.Union(STOP_RUNGS.map((rung) => Type.Literal(rung)));
const stop = {
  run_id: Type.String(),
  bot_id: Type.String(),
  strategy_id: Type.String(),
  instance_id: Type.String(),
  epoch: CountField,
  mode: Type.String(),
  venue: Type.String(),
  proven: Type.Boolean(),
  open_orders: nullable(CountField),
  rungs: Type.Array(Type.Object({ rung: RungField, at: InstantField }, OPEN)),
  blocked: nullable(Type.Object({ rung: RungField, why: nullable(Type.String()), since: InstantField }, OPEN)),
  attested_at: nullable(InstantField),
} as const;
export const StopsAnswer = Type.Object({ attestations: Type.Array(Type.Object(stop, OPEN)) }, OPEN);
export const SignedStopAnswer = Type.Object(
  { ...stop, envelope: nullable(AnythingField), public_key: nullable(Type.String()) },
  OPEN,
);
export const AttestationKeyAnswer = Type.Object({ keyid: Type.String(), public_key: Type.String() }, OPEN);
