/** Whether a signed record proves a stop: offline, from the record and the home's public key alone. */
import { canonicalJson, err, failure, ok, sha256, type Failure, type Json, type Result } from "@rumi/kernel";
import { openEnvelope } from "@rumi/ledger";
import { STOP_RUNGS } from "./model.ts";
import { STOP_PREDICATE } from "./statement.ts";

export type ProvenStop = Readonly<Record<string, unknown>> & {
  readonly run_id: string;
  readonly epoch: number;
  readonly attested_at: string;
};

/** Signature, the digest that binds what is stated to its subject, every rung in its order, and no order left open. */
export function verifyStop(envelope: unknown, public_pem: string): Result<ProvenStop, Failure> {
  const opened = openEnvelope(envelope, public_pem);
  if (!opened.ok) return opened;
  const refused = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-LOG-027", { problem }, { reasonCode: "L.ATTESTATION.INVALID" }));
  let statement: Json;
  try {
    statement = JSON.parse(opened.value) as Json;
  } catch {
    return refused("its statement is no JSON");
  }
  const { predicateType, predicate, subject } = recordOf(statement);
  if (predicateType !== STOP_PREDICATE) return refused("it states something other than a stop");
  const stop = recordOf(predicate as Json);
  const digest = Buffer.from(sha256(canonicalJson(stop as Json))).toString("hex");
  const named = recordOf((Array.isArray(subject) ? subject[0] : undefined) as Json);
  if (recordOf(named["digest"] as Json)["sha256"] !== digest) return refused("its subject is not what it states");
  const rungs = (Array.isArray(stop["rungs"]) ? stop["rungs"] : []).map((one) => recordOf(one as Json)["rung"]);
  if (canonicalJson(rungs as Json) !== canonicalJson([...STOP_RUNGS]))
    return refused("a rung of the ladder is missing");
  return stop["open_orders"] === 0 ? ok(stop as ProvenStop) : refused("orders were open");
}

function recordOf(value: Json | undefined): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
