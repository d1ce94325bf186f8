/** Proposing, approving, rejecting and committing a change. A commit's effect is the stored command's own (redeem.ts). */
import { err, failure, ok, type Failure, type Micros, type Result } from "@rumi/kernel";
import {
  defineOperation,
  type DecideContext,
  type Declaration,
  type Examined,
  type LoadContext,
} from "@rumi/operations";
import { write, type Reader } from "@rumi/store";
import { Type, type Static } from "@sinclair/typebox";
import { HashField, PhraseField, TicketField } from "../challenges/fields.ts";
import { RISK_PHRASE, type ConfirmationRules } from "../challenges/model.ts";
import { countOpen, openRow, type ChallengeDeps } from "../challenges/port.ts";
import { decideApproval, decideRejection, loadApproval, loadOne } from "../challenges/settle.ts";
import type { ChallengeTables } from "../challenges/tables.ts";
import { challengeEvent } from "../challenges/told.ts";
import { readWarnings } from "../guardrails/warnings.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { AnswerSchema, CLOSED, CommandIdField, noDanger, ReasonField } from "../shared/fields.ts";
import { ProposedAnswer, SettledChangeAnswer } from "./answers.ts";
import { CHANGE_LIMITS, changeNote, requirementsOfChange, windowsOf } from "./model.ts";
import { listChanges, showChange } from "./queries.ts";

export type ChangeDeps = Pick<ChallengeDeps, "environment" | "mayAsk" | "rules" | "twoPeople"> & {
  readonly dangerous_operations: "enabled" | "disabled";
};

export const changeDeclarations = (deps: ChangeDeps): readonly Declaration[] => [
  listChanges,
  showChange,
  proposeChange(deps),
  approveChange(deps),
  rejectChange,
  commitChange,
];

/** Everything but the effect changes nothing but the change: the guards are asked at the commit. */
const passes = (): "tighten" => "tighten";
const MEMBERS: readonly ("operator" | "admin" | "break_glass")[] = ["operator", "admin", "break_glass"];
const target = ({ change_id }: { readonly change_id: string }) => ({
  resource_type: "change",
  resource_id: change_id,
});
const base = {
  command_id: Type.Optional(CommandIdField),
  change_id: CommandIdField,
  phrase: Type.Optional(PhraseField),
  reason: ReasonField,
} as const;

const ProposeInput = Type.Object(
  {
    command_id: CommandIdField,
    operation: Type.String({
      pattern: "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)+$",
      maxLength: 128,
      description: "What is to be done, e.g. bots.config_apply.",
    }),
    input: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: "object",
      description: "Its fields, path parameters too, without command_id and reason: those are this request's.",
    }),
    valid_for_seconds: Type.Integer({
      minimum: CHANGE_LIMITS.min_seconds,
      maximum: CHANGE_LIMITS.max_seconds,
      default: CHANGE_LIMITS.default_seconds,
      description:
        "After that it can be neither approved nor committed. Of a dangerous operation at most half an hour.",
    }),
    reason: ReasonField,
  },
  CLOSED,
);
type Propose = Static<typeof ProposeInput>;
type ProposeFacts = {
  readonly examined: Result<Examined, Failure>;
  readonly free: Result<void, Failure>;
  readonly open: number;
  readonly rules: ConfirmationRules;
  readonly warnings: readonly string[];
};

const proposeChange = (deps: ChangeDeps): Declaration =>
  defineOperation({
    name: "changes.propose",
    summary:
      "Propose a command for somebody else to read; it is stored exactly so, and does nothing until it is committed",
    http: { method: "POST", path: "/api/changes" },
    input: ProposeInput,
    output: ProposedAnswer,
    success: [201],
    key: "command_id",
    permission: MEMBERS,
    risk: passes,
    rehearsal: "kept",
    danger: noDanger,
    target: ({ command_id }) => ({ resource_type: "change", resource_id: command_id }),
    gates: [],
    load: async (reader, input, context): Promise<ProposeFacts> => ({
      examined: await examined(input, context),
      free: await deps.mayAsk(reader, context.principal.id, context.now, context.training),
      open: await countOpen(reader, context.store, context, "change"),
      rules: await deps.rules(reader),
      warnings: await readWarnings(reader, context.store, input.operation),
    }),
    preview: ({ examined: found, warnings }) => (found.ok ? { ...impactOf(found.value), warnings } : {}),
    decide: (facts, input, context) => {
      const { examined: found, free, open, rules } = facts;
      if (!found.ok) return found;
      if (!free.ok) return free;
      const { operation } = input;
      const { danger } = found.value;
      if (danger.kind === "confirm" && deps.dangerous_operations === "disabled")
        return err(failure("RUMI-CMD-003", { operation }, { reasonCode: "DANGEROUS_OPS_DISABLED" }));
      const limit = CONTROL_LIMITS.open_changes;
      if (open >= limit)
        return err(failure("RUMI-CMD-027", { what: "open changes", limit }, { reasonCode: "L.CHANGE.FULL" }));
      const row = changeRow(input, found.value, rules(operation), deps.environment, context);
      return ok({
        writes: [write(context.store.builder<ChallengeTables>().insertInto("challenge").values(row), 1)],
        events: [challengeEvent("ask", row)],
        outbox: [],
        status: 201,
        data: { ...changeNote(row), ...impactOf(found.value), warnings: facts.warnings },
      });
    },
  });

function examined(
  { command_id, operation, input, reason }: Propose,
  { principal, examine }: LoadContext,
): Promise<Result<Examined, Failure>> {
  const refused = (field: string, problem: string) => Promise.resolve(err(failure("RUMI-VAL-002", { field, problem })));
  if (/^(?:changes|challenges)\./.test(operation))
    return refused("$.operation", "it is asked for directly and cannot be proposed");
  for (const own of ["command_id", "reason"])
    if (Object.hasOwn(input, own)) return refused(`$.input.${own}`, "it is that of the change and is not given again");
  return examine({ operation, command_id, principal, input: { ...input, command_id, reason } });
}

/** What it would do and meet now. */
const impactOf = ({ diff, preview, refusals, base: standsOn }: Examined) => ({
  diff,
  impact: preview,
  blocked_by: refusals,
  base: standsOn,
});

function changeRow(
  { command_id, operation, reason, valid_for_seconds }: Propose,
  { input, target: of, danger, roles, base: standsOn, diff, preview, refusals }: Examined,
  added: Parameters<typeof requirementsOfChange>[1],
  environment: string,
  { now, principal, trace_id, fingerprint, newId, training }: DecideContext,
) {
  const text = (name: string): string | null => (typeof input[name] === "string" ? input[name] : null);
  return openRow({
    kind: "change",
    environment,
    operation,
    command_id,
    target: of,
    principal,
    training,
    input,
    now,
    // Of the command, where it has its own.
    trace_id: text("trace_id") ?? trace_id,
    run_id: text("run_id"),
    fingerprint,
    reason,
    outlook: { preview, refusals, diff },
    newId,
    danger: { phrase: danger.kind === "none" ? RISK_PHRASE : danger.phrase, base: standsOn, roles },
    requires: requirementsOfChange(danger, added),
    ...windowsOf(danger, valid_for_seconds, now),
  });
}

const approveChange = ({ twoPeople }: ChangeDeps): Declaration =>
  defineOperation({
    name: "changes.approve",
    summary: "Approve, as a second person, the change that was served to you",
    http: { method: "POST", path: "/api/changes/{change_id}/approve" },
    input: Type.Object({ ...base, intent_hash: HashField }, CLOSED),
    output: SettledChangeAnswer,
    key: "either",
    permission: MEMBERS,
    risk: passes,
    rehearsal: "kept",
    danger: noDanger,
    target,
    gates: [],
    load: async (reader: Reader, { change_id }, context) => {
      const asked = { kind: "change", challenge_id: change_id } as const;
      const facts = await loadApproval(reader, asked, context, twoPeople);
      return { ...facts, forbidden: await forbiddenTo(facts, context) };
    },
    decide: (facts, input, context) => {
      const judged = decideApproval(changeNote)(facts, input, context);
      return judged.ok && facts.forbidden !== undefined ? err(facts.forbidden) : judged;
    },
  });

/** Whoever approves could ask for it themselves: what policies forbid them they do not let through. */
function forbiddenTo(
  { row }: { readonly row: Parameters<typeof changeNote>[0] | undefined },
  { principal, forbidden }: LoadContext & { readonly now: Micros },
): Promise<Failure | undefined> {
  if (row === undefined) return Promise.resolve(undefined);
  const { operation, resource_type, resource_id } = row;
  return forbidden({ operation, principal, target: { resource_type, resource_id } });
}

const rejectChange: Declaration = defineOperation({
  name: "changes.reject",
  summary: "Reject a change, or withdraw your own",
  http: { method: "POST", path: "/api/changes/{change_id}/reject" },
  input: Type.Object({ ...base, intent_hash: Type.Optional(HashField) }, CLOSED),
  output: SettledChangeAnswer,
  key: "either",
  permission: MEMBERS,
  risk: passes,
  rehearsal: "kept",
  above_policies: () => true,
  danger: noDanger,
  target,
  gates: [],
  load: (reader, { change_id }, { store }) => loadOne(reader, { kind: "change", challenge_id: change_id }, store),
  decide: decideRejection(changeNote),
});

const commitChange: Declaration = defineOperation({
  name: "changes.commit",
  summary: "Commit the approved change that you proposed; the stored command runs once, past every guard as it is now",
  http: { method: "POST", path: "/api/changes/{change_id}/commit" },
  input: Type.Object({ ...base, intent_hash: HashField, ticket: Type.Optional(TicketField) }, CLOSED),
  output: AnswerSchema,
  success: [200, 201, 202],
  key: "either",
  permission: MEMBERS,
  redeems: true,
  rehearsal: "kept",
  risk: passes,
  danger: noDanger,
  target,
  gates: [],
  load: () => Promise.resolve(null),
  decide: () => {
    throw new Error("a commit is never decided: what it commits stands in its place");
  },
});
