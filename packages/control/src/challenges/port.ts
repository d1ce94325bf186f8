/** The pipeline's door to the challenges: opening one for a dangerous command, redeeming one by its confirmation. */
import { err, failure, ok, type Failure, type Micros, type Result } from "@rumi/kernel";
import type {
  ChallengePort,
  ConfirmationFactor,
  ConfirmedDanger,
  DangerousCommand,
  Examined,
  Outlook,
  Principal,
  Role,
} from "@rumi/operations";
import { write, type Reader } from "@rumi/store";
import { readWarnings } from "../guardrails/warnings.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { first, jsonOf, type Sql } from "../shared/sql.ts";
import type { TwoPeople } from "../two-people/judge.ts";
import {
  APPROVE_WITHIN_SECONDS,
  CONFIRM_WITHIN_SECONDS,
  deadlineAfter,
  intentHash,
  intentOf,
  judgeConfirmation,
  judgeRehearsal,
  judgeRole,
  requirementsOf,
  type ConfirmationRules,
} from "./model.ts";
import { OPEN_STATES, type ChallengeKind } from "./states.ts";
import { challengeEvent, challengeNote } from "./told.ts";
import { readApproval, readChallenge, updateChallenge, type ChallengeRow, type ChallengeTables } from "./tables.ts";

export type ChallengeDeps = {
  readonly environment: string;
  /** Whether anything keeps this person from asking: a break-glass session that nobody has reviewed. */
  readonly mayAsk: (
    reader: Reader,
    principal_id: string,
    now: Micros,
    training: boolean,
  ) => Promise<Result<void, Failure>>;
  /** Roles that somebody holds now; none for whoever is not let in any more. */
  readonly rolesNow: (reader: Reader, subject_id: string) => Promise<readonly Role[]>;
  /** Whether the approver and the requester are two people. */
  readonly twoPeople: TwoPeople;
  /** What policy asks for beyond the declarations. */
  readonly rules: (reader: Reader) => Promise<ConfirmationRules>;
};

export function challengePort(sql: Sql, deps: ChallengeDeps): ChallengePort {
  return {
    open: async (reader, command) => {
      const free = await deps.mayAsk(reader, command.principal.id, command.now, command.training);
      if (!free.ok) return free;
      const open = await countOpen(reader, sql, command, "challenge");
      const limit = CONTROL_LIMITS.open_challenges;
      if (open >= limit)
        return err(
          failure("RUMI-CMD-021", { principal: command.principal.id, limit }, { reasonCode: "TOO_MANY_CHALLENGES" }),
        );
      const row = newChallenge(command, deps.environment, (await deps.rules(reader))(command.operation));
      const insert = sql.builder<ChallengeTables>().insertInto("challenge").values(row);
      const warnings = await readWarnings(reader, sql, command.operation);
      return ok({
        challenge: {
          ...challengeNote(row),
          warnings,
          preview: command.outlook.preview,
          blocked_by: command.outlook.refusals,
        },
        writes: [write(insert, 1)],
        event: challengeEvent("ask", row),
      });
    },
    redeem: async (reader, { principal, input, now, training }) => {
      const kind = input["change_id"] === undefined ? "challenge" : "change";
      const challenge_id = String(input[`${kind}_id`]);
      const row = await readChallenge(reader, sql, challenge_id, kind);
      if (row === undefined) return err(failure("RUMI-CMD-020", { what: kind, challenge_id }));
      const rehearsal = judgeRehearsal(row, training);
      if (!rehearsal.ok) return rehearsal;
      const approval = await readApproval(reader, sql, challenge_id);
      const judged = judgeConfirmation(row, approval, input, principal, now);
      if (!judged.ok) return judged;
      if (approval !== undefined) {
        const entitled = judgeRole(row, {
          id: approval.approver,
          roles: await deps.rolesNow(reader, approval.approver),
        });
        if (!entitled.ok) return entitled;
        // Accounts and tokens may have been made since.
        const two = await deps.twoPeople(reader, [row.requester, approval.approver], now);
        if (!two.ok) return two;
      }
      const settled = { settled_by: principal.id, settled_at: now, settled_reason: String(input["reason"]) };
      const ticket = typeof input["ticket"] === "string" ? input["ticket"] : null;
      return ok({
        kind,
        approval_id: challenge_id,
        two_people: approval !== undefined,
        command: { ...storedCommand(row), trace_id: row.trace_id, run_id: row.run_id, fingerprint: row.fingerprint },
        base: jsonOf<ReturnType<typeof intentOf>["base"]>(row.base),
        use: updateChallenge(sql, row, { ...settled, ticket, state: "CONFIRMED" }),
        spend: (error_code) => spend(sql, row, { ...settled, ticket, error_code, state: "REFUSED" }),
        event: challengeEvent("confirm", row, {
          confirmed_by: principal.id,
          ...(ticket === null ? {} : { ticket }),
        }),
      });
    },
  };
}

/** Only where it is still open: whoever used it meanwhile has said how it ended. */
function spend(sql: Sql, row: ChallengeRow, change: Partial<ChallengeRow>): ReturnType<typeof write> {
  return write(
    sql
      .builder<ChallengeTables>()
      .updateTable("challenge")
      .set({ ...change, row_version: row.row_version + 1 })
      .where("challenge_id", "=", row.challenge_id)
      .where("row_version", "=", row.row_version),
    "any",
  );
}

/** Of one requester, neither settled nor expired. */
export async function countOpen(
  reader: Reader,
  sql: Sql,
  { principal, training }: Pick<DangerousCommand, "principal" | "training">,
  kind: ChallengeKind,
): Promise<number> {
  const row = await first<{ open: number }>(
    reader,
    sql
      .builder<ChallengeTables>()
      .selectFrom("challenge")
      .select((of) => of.fn.countAll<number>().as("open"))
      .where("requester", "=", principal.id)
      .where("training", "=", training ? 1 : 0)
      .where("kind", "=", kind)
      .where("state", "in", [...OPEN_STATES]),
  );
  return row?.open ?? 0;
}

function newChallenge(
  command: DangerousCommand,
  environment: string,
  added: ReturnType<ConfirmationRules>,
): ChallengeRow {
  const { danger, now } = command;
  const requires = requirementsOf(danger, added);
  const confirm_within_seconds = danger.confirm_within_seconds ?? CONFIRM_WITHIN_SECONDS;
  const seconds = requires.includes("second_person") ? APPROVE_WITHIN_SECONDS : confirm_within_seconds;
  return openRow({
    ...command,
    kind: "challenge",
    environment,
    requires,
    confirm_within_seconds,
    deadline: deadlineAfter(now, seconds),
  });
}

/** A row in its first state: it waits for a second person where it requires one. */
export function openRow(
  command: Omit<DangerousCommand, "danger" | "bot_id" | "risk" | "facts" | "fence" | "outlook"> & {
    readonly outlook: Outlook | Pick<Examined, "preview" | "refusals" | "diff">;
    readonly danger: Pick<ConfirmedDanger, "phrase" | "base" | "roles">;
    readonly kind: ChallengeKind;
    readonly environment: string;
    readonly requires: readonly ConfirmationFactor[];
    readonly confirm_within_seconds: number;
    readonly deadline: Micros;
  },
): ChallengeRow {
  const { danger, now, principal, target, kind, environment, requires, confirm_within_seconds, deadline } = command;
  const waits = requires.includes("second_person");
  const row: ChallengeRow = {
    challenge_id: command.newId(),
    kind,
    state: waits ? "AWAITING_APPROVAL" : "AWAITING_CONFIRMATION",
    environment,
    operation: command.operation,
    ...target,
    requester: principal.id,
    requester_roles: JSON.stringify(principal.roles),
    roles: JSON.stringify(danger.roles ?? ["admin"]),
    command_id: command.command_id,
    trace_id: command.trace_id,
    run_id: command.run_id,
    fingerprint: command.fingerprint,
    input: JSON.stringify(command.input),
    base: JSON.stringify(danger.base),
    outlook: JSON.stringify(command.outlook),
    requires: JSON.stringify(requires),
    phrase: danger.phrase,
    intent_hash: "",
    reason: command.reason,
    confirm_within_seconds,
    created_at: now,
    deadline,
    settled_by: null,
    settled_at: null,
    settled_reason: null,
    ticket: null,
    error_code: null,
    training: command.training ? 1 : 0,
    row_version: 1,
  };
  return { ...row, intent_hash: intentHash(intentOf(row)) };
}

export function storedCommand(row: ChallengeRow) {
  return {
    operation: row.operation,
    command_id: row.command_id,
    principal: { id: row.requester, roles: jsonOf<Principal["roles"]>(row.requester_roles) },
    input: jsonOf<Readonly<Record<string, unknown>>>(row.input),
  };
}
