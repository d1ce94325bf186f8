/**
 * Every answer of the admission is kept, refusals too: an observation, made while a start is looked at (M-12.1).
 *
 * A kept report that admitted a subject spares the runner a second smoke of the very same subject; the reconciler looks
 * it up by the digest of what it is about to start (instances/reconciler.ts), so nothing else can profit by it.
 */
import { uuidv7, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import type { AdmissionReport } from "@rumi/runtime";
import type { AdmitRequest } from "../preflight/gather.ts";
import type { Recorder } from "../runners/recorder.ts";
import type { Sql } from "../shared/sql.ts";
import { keepReport, type AdmissionRow } from "./tables.ts";

const SYSTEM = "system:admission";

/** What the program's admission answers: a report that admits, or the refusal with its checks in the details. */
export type Admission = (request: AdmitRequest) => Promise<Result<AdmissionReport, Failure>>;

export function keptAdmission(
  deps: {
    readonly store: Sql;
    readonly clock: Clock;
    readonly random: Random;
    readonly recorder: Pick<Recorder, "commit">;
  },
  admit: Admission,
): Admission {
  return async (request) => {
    const answer = await admit(request);
    const now = deps.clock.now();
    const row: AdmissionRow = {
      ...subjectOf(request),
      ...judgementOf(answer),
      report_id: uuidv7(now, deps.random),
      created_at: now,
    };
    await deps.recorder.commit(SYSTEM, keepReport(deps.store, row), answer.ok ? [] : [refusalEvent(row)]);
    return answer;
  };
}

function subjectOf({ bot_id, strategy, spec }: AdmitRequest) {
  const { pack_id, strategy_id, strategy_version } = spec.strategy;
  return { bot_id, pack_id, strategy_id, strategy_version, digest: strategy.digest };
}

function judgementOf(answer: Result<AdmissionReport, Failure>) {
  if (answer.ok) {
    const { key, checks, isolation } = answer.value;
    return {
      subject: key as string | null,
      admitted: 1,
      error_code: null,
      reason_code: null,
      checks: JSON.stringify(checks),
      isolation: isolation === null ? null : JSON.stringify(isolation),
    };
  }
  const { code, reasonCode, details } = answer.error;
  return {
    subject: null,
    admitted: 0,
    error_code: code,
    reason_code: reasonCode ?? null,
    checks: JSON.stringify(details?.["checks"] ?? []),
    isolation: null,
  };
}

/** An admitted start tells of its admission itself. */
function refusalEvent(row: AdmissionRow): EventDraft {
  const { pack_id, strategy_id, digest, reason_code, report_id } = row;
  return {
    action: "strategy.admission",
    resource_type: "bot",
    resource_id: row.bot_id,
    outcome: "FAILURE",
    details: { pack_id, strategy_id, digest, admitted: false, reason_code, report_id },
  };
}
