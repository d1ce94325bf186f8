/**
 * Reading and setting the guardrails. Making them stricter is tightening; whoever makes them milder in any respect has it
 * confirmed by a second person.
 */
import { canonicalJson, digestOf, err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type RegisteredOperation } from "@rumi/operations";
import { Type, type Static } from "@sinclair/typebox";
import { iso, RISK_PHRASE } from "../challenges/model.ts";
import { CLOSED, CommandIdField, ReasonField } from "../shared/fields.ts";
import { GuardrailAnswer, GuardrailsAnswer, SetGuardrailAnswer } from "./answers.ts";
import { ActionField, HardBlockField } from "./conditions.ts";
import { FRICTIONS, GUARDRAIL_LIMITS, loosened, NO_POLICY, type GuardrailPolicy } from "./model.ts";
import {
  activate,
  policyOf,
  readGuardrails,
  revisionOf,
  type GuardrailRow,
  type GuardrailTables,
  type InForce,
} from "./tables.ts";

export type GuardrailDeps = {
  /** Every operation of the program. */
  readonly operations: () => ReadonlyMap<string, RegisteredOperation>;
};

export function guardrailDeclarations(deps: GuardrailDeps): readonly Declaration[] {
  return [showGuardrails, listGuardrails, setGuardrails(deps)];
}

const target = () => ({ resource_type: "guardrail", resource_id: "policy" });

function view(row: GuardrailRow | undefined) {
  const { dry_run_within_seconds } = GUARDRAIL_LIMITS;
  if (row === undefined)
    return {
      ...NO_POLICY,
      guardrail_id: null,
      version: 0,
      dry_run_within_seconds,
      digest: null,
      reason: null,
      updated_at: null,
      updated_by: null,
    };
  const { digest, reason, updated_by } = row;
  return { ...revisionOf(row), dry_run_within_seconds, digest, reason, updated_at: iso(row.updated_at), updated_by };
}

const showGuardrails: Declaration = defineQuery({
  name: "guardrails.show",
  summary: "The guardrails in force: high-risk actions, their friction, warnings and hard blocks",
  http: { method: "GET", path: "/api/guardrails/policy" },
  input: Type.Object({}, CLOSED),
  output: GuardrailAnswer,
  permission: ["view_only", "operator", "admin", "break_glass"],
  read: async (reader, _input, { store }) => ok(view((await readGuardrails(reader, store)).row)),
});

const listGuardrails: Declaration = defineQuery({
  name: "guardrails.list",
  summary: "Every revision of the guardrails, newest first",
  http: { method: "GET", path: "/api/guardrails/policy/revisions" },
  input: Type.Object(
    {
      before_version: Type.Optional(Type.Integer({ minimum: 1 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    },
    CLOSED,
  ),
  output: GuardrailsAnswer,
  permission: ["view_only", "operator", "admin", "break_glass"],
  read: async (reader, { before_version, limit = 50 }, { store }) => {
    let query = store
      .builder<GuardrailTables>()
      .selectFrom("guardrail_policy")
      .selectAll()
      .orderBy("version", "desc")
      .limit(limit);
    if (before_version !== undefined) query = query.where("version", "<", before_version);
    const revisions = (await reader.rows<GuardrailRow>(query)).map(view);
    return ok({ revisions, count: revisions.length });
  },
});

const byAction = <T extends Parameters<typeof Type.Array>[0]>(of: T, maxItems: number, description: string) =>
  Type.Record(ActionField, Type.Array(of, { minItems: 1, maxItems, uniqueItems: true }), {
    ...CLOSED,
    maxProperties: GUARDRAIL_LIMITS.actions,
    default: {},
    description,
  });
const SetInput = Type.Object(
  {
    command_id: CommandIdField,
    high_risk_actions: Type.Array(ActionField, { maxItems: GUARDRAIL_LIMITS.actions, uniqueItems: true }),
    friction_level_by_action: byAction(
      Type.Union(FRICTIONS.map((one) => Type.Literal(one))),
      FRICTIONS.length,
      "Steps that each action takes: dry_run, staging, two_person.",
    ),
    contextual_warnings: byAction(
      Type.String({ minLength: 1, maxLength: GUARDRAIL_LIMITS.warning_characters, pattern: "\\S" }),
      GUARDRAIL_LIMITS.warnings_of_an_action,
      "Words that are shown wherever somebody asks for the action.",
    ),
    hard_block_conditions: Type.Array(HardBlockField, {
      maxItems: GUARDRAIL_LIMITS.conditions,
      default: [],
      description: "While this is so, these actions are refused, whoever asks.",
    }),
    reason: ReasonField,
  },
  CLOSED,
);

type Facts = { readonly inForce: InForce; readonly sound: Result<null, Failure>; readonly loosens: readonly string[] };

const setGuardrails = ({ operations }: GuardrailDeps): Declaration =>
  defineOperation({
    name: "guardrails.set",
    summary: "Put other guardrails in force; making them milder takes a second person",
    http: {
      method: "POST",
      path: "/api/guardrails/policy/set",
      aliases: ["/guardrails/policy/set"],
    },
    input: SetInput,
    output: SetGuardrailAnswer,
    key: "command_id",
    permission: ["admin"],
    safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
    risk: (_input, { loosens }: Facts) => (loosens.length === 0 ? "tighten" : "neutral"),
    danger: (_input, { inForce, sound, loosens }: Facts) =>
      sound.ok && loosens.length > 0
        ? {
            kind: "confirm",
            requires: ["phrase", "second_person"],
            phrase: RISK_PHRASE,
            base: { version: inForce.version },
          }
        : { kind: "none" },
    target,
    gates: [],
    load: async (reader, input, { store }): Promise<Facts> => {
      const inForce = await readGuardrails(reader, store);
      return {
        inForce,
        sound: judgePolicy(policyIn(input), operations()),
        loosens: loosened(policyOf(inForce), policyIn(input)),
      };
    },
    preview: ({ inForce, loosens }) => ({ from_version: inForce.version, loosened: loosens }),
    diff: ({ inForce }, input) => {
      const [before, after] = [policyOf(inForce), policyIn(input)];
      return (Object.keys(NO_POLICY) as (keyof GuardrailPolicy)[]).map((field) => ({
        field,
        before: before[field],
        after: after[field],
      }));
    },
    decide: ({ inForce, sound, loosens }, input, { newId, now, principal, store }) => {
      if (!sound.ok) return sound;
      const policy = policyIn(input);
      const text = canonicalJson(policy);
      const row: GuardrailRow = {
        version: inForce.version + 1,
        guardrail_id: newId(),
        policy: text,
        digest: digestOf(text),
        reason: input.reason,
        updated_at: now,
        updated_by: principal.id,
      };
      return ok({
        writes: activate(store, row),
        events: [
          {
            action: "guardrail.policy.set",
            ...target(),
            outcome: "SUCCESS",
            details: {
              guardrail_id: row.guardrail_id,
              version: row.version,
              from_version: inForce.version,
              digest: row.digest,
              actions: [...policy.high_risk_actions],
              loosened: loosens.length > 0,
            },
          },
        ],
        outbox: [],
        data: { ...view(row), loosened: loosens },
      });
    },
  });

function policyIn({
  high_risk_actions,
  friction_level_by_action,
  contextual_warnings,
  hard_block_conditions,
}: Static<typeof SetInput>): GuardrailPolicy {
  return {
    high_risk_actions,
    friction_level_by_action,
    contextual_warnings,
    hard_block_conditions,
  };
}

/** Whether it speaks of actions that there are and that it can hold up, and asks of each only what it can do. */
function judgePolicy(
  policy: GuardrailPolicy,
  operations: ReadonlyMap<string, RegisteredOperation>,
): Result<null, Failure> {
  const refused = (field: string, problem: string): Result<never, Failure> =>
    err(failure("RUMI-VAL-002", { field, problem }));
  const { high_risk_actions, hard_block_conditions, friction_level_by_action } = policy;
  for (const [at, action] of high_risk_actions.entries()) {
    const problem = unguardable(action, operations.get(action));
    if (problem !== undefined) return refused(`$.high_risk_actions[${at}]`, problem);
  }
  const isListed = (action: string): boolean => high_risk_actions.includes(action);
  for (const field of ["friction_level_by_action", "contextual_warnings"] as const)
    for (const action of Object.keys(policy[field]))
      if (!isListed(action)) return refused(`$.${field}.${action}`, "it is not among high_risk_actions");
  for (const [at, { actions }] of hard_block_conditions.entries()) {
    const stranger = actions.find((action) => !isListed(action));
    if (stranger !== undefined)
      return refused(`$.hard_block_conditions[${at}].actions`, `${stranger} is not among high_risk_actions`);
  }
  for (const [action, friction] of Object.entries(friction_level_by_action)) {
    const { preview, secret_fields = [] } = operations.get(action)?.definition ?? {};
    const field = `$.friction_level_by_action.${action}`;
    if (friction.includes("dry_run") && preview === undefined) return refused(field, "it has no dry run");
    if (secret_fields.length > 0 && friction.some((one) => one !== "dry_run"))
      return refused(field, "it holds a secret, so that it is never stored for somebody else to read");
  }
  return ok(null);
}

const MAKE_PEOPLE: readonly string[] = ["users.create", "users.roles_set", "tokens.issue"];

/** Why guardrails cannot hold it up; undefined where they can. */
function unguardable(action: string, operation: RegisteredOperation | undefined): string | undefined {
  if (operation === undefined) return `there is no operation ${action}`;
  // It asks nothing and answers always the same: whatever it is called with, it only tightens.
  const { risk, redeems } = operation.definition;
  const alwaysTightens = risk.length === 0 && (risk as () => string)() === "tighten";
  if (redeems === true || alwaysTightens)
    return `${action} never increases risk, and what tightens passes every guardrail`;
  if (MAKE_PEOPLE.includes(action))
    return "without a second person, whom it makes, guardrails could never be made milder";
  // Its own rule holds: whoever loosens needs a second person. A block on it could never be taken back.
  return action === "guardrails.set" ? "the guardrails guard themselves" : undefined;
}
