/** Setting the policy of the supply-chain gate, and reading every revision of it. */
import { canonicalJson, invariant, ok, type Json } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import type { SupplyPolicy } from "@rumi/supply";
import { Type } from "@sinclair/typebox";
import { RISK_PHRASE } from "../challenges/model.ts";
import { OVERRIDE_LIMITS } from "../overrides/model.ts";
import { CLOSED, CommandIdField, EVERYONE, ReasonField } from "../shared/fields.ts";
import { feed } from "../shared/sql.ts";
import { SupplyPoliciesAnswer, SupplyPolicyAnswer } from "./answers.ts";
import { SUPPLY_LIMITS } from "./limits.ts";
import { inForce, looserFields, policyView } from "./policy.ts";
import { insertPolicy, readSupplyPolicies, readSupplyPolicy, supplyChanged, type SupplyPolicyRow } from "./tables.ts";

export const supplyPolicyDeclarations = (): readonly Declaration[] => [showPolicy, listPolicies, setPolicy];

const Tolerated = Type.Integer({ minimum: 0, maximum: SUPPLY_LIMITS.max_allowed });
const fields = {
  require_signature: Type.Boolean({ description: "By a trust root that counts now." }),
  require_lock_files: Type.Boolean({ description: "What it is made of has to be said." }),
  require_hashes: Type.Boolean({ description: "Of every component that is fetched from a registry." }),
  require_advisories: Type.Boolean({ description: "A readable and fresh directory of advisories." }),
  max_allowed: Type.Object(
    { critical: Tolerated, high: Tolerated, medium: Tolerated, low: Tolerated, unknown: Tolerated },
    { ...CLOSED, description: "Findings that are tolerated, by severity; `unknown` is what nobody rated." },
  ),
  advisories_max_age_seconds: Type.Integer({ minimum: 60, maximum: SUPPLY_LIMITS.advisories_max_age_seconds }),
  exceptions: Type.Object(
    {
      allowed: Type.Boolean(),
      max_seconds: Type.Integer({ minimum: OVERRIDE_LIMITS.min_seconds, maximum: OVERRIDE_LIMITS.max_seconds }),
    },
    CLOSED,
  ),
} as const;

const target = () => ({ resource_type: "supply_policy", resource_id: "all" });

const showPolicy: Declaration = defineQuery({
  name: "supply_chain.policy",
  summary: "What the supply-chain gate demands now; revision 0 is the default",
  http: { method: "GET", path: "/api/supply_chain/policy" },
  input: Type.Object({}, CLOSED),
  output: SupplyPolicyAnswer,
  permission: EVERYONE,
  read: async (reader, _input, { store }) => ok(policyView(await readSupplyPolicy(reader, store))),
});

const listPolicies: Declaration = defineQuery({
  name: "supply_chain.policies",
  summary: "Every revision of the supply-chain policy, newest first",
  http: { method: "GET", path: "/api/supply_chain/policies" },
  input: Type.Object(
    {
      before_revision: Type.Optional(Type.Integer({ minimum: 1 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    },
    CLOSED,
  ),
  output: SupplyPoliciesAnswer,
  permission: EVERYONE,
  read: async (reader, { before_revision, limit = 50 }, { store }) => {
    const rows = await readSupplyPolicies(reader, store, { before_revision, limit });
    return ok({ policies: rows.map(policyView), count: rows.length });
  },
});

const setPolicy: Declaration = defineOperation({
  name: "supply_chain.policy_set",
  summary: "Put another supply-chain policy in force; what loosens it takes a second person",
  http: { method: "POST", path: "/api/supply_chain/policy/set" },
  input: Type.Object({ command_id: CommandIdField, ...fields, reason: ReasonField }, CLOSED),
  output: SupplyPolicyAnswer,
  key: "command_id",
  permission: ["admin"],
  risk: (input, row: SupplyPolicyRow | undefined) =>
    looserFields(inForce(row).policy, wished(input)).length > 0 ? "increase" : "tighten",
  danger: (input, row: SupplyPolicyRow | undefined) => {
    const { policy, revision } = inForce(row);
    return looserFields(policy, wished(input)).length > 0
      ? { kind: "confirm", requires: ["phrase", "second_person"], phrase: RISK_PHRASE, base: { revision } }
      : { kind: "none" };
  },
  target,
  gates: [],
  load: (reader, _input, { store }) => readSupplyPolicy(reader, store),
  preview: (row, input) => ({
    from_revision: inForce(row).revision,
    looser: looserFields(inForce(row).policy, wished(input)),
  }),
  diff: (row, input) => {
    const [before, after] = [inForce(row).policy, wished(input)];
    return (Object.keys(after) as (keyof SupplyPolicy)[])
      .filter((field) => textOf(before[field]) !== textOf(after[field]))
      .map((field) => ({ field, before: before[field], after: after[field] }));
  },
  decide: (row, input, { approval_id, now, principal, store }) => {
    const before = inForce(row);
    const policy = wished(input);
    if (row !== undefined && textOf(before.policy) === textOf(policy))
      return ok({ writes: [], events: [], outbox: [], data: { ...policyView(row), changed: false } });
    const looser = looserFields(before.policy, policy);
    invariant(looser.length === 0 || approval_id !== null, "a policy was loosened without a confirmed challenge");
    const next: SupplyPolicyRow = {
      revision: before.revision + 1,
      policy: textOf(policy),
      reason: input.reason,
      set_by: principal.id,
      approval_id,
      set_at: now,
    };
    const data = policyView(next);
    const { revision, policy_digest } = data;
    return ok({
      writes: [
        insertPolicy(store, next),
        supplyChanged(store),
        feed(store, "supply_policy", "all", { revision, policy_digest }, now),
      ],
      events: [
        {
          action: "supply_chain.policy.set",
          ...target(),
          outcome: "SUCCESS",
          details: { revision, from_revision: before.revision, policy_digest, looser },
        },
      ],
      outbox: [],
      data: { ...data, changed: true },
    });
  },
});

type Wish = SupplyPolicy & { readonly command_id: string; readonly reason: string };
function wished({ command_id: _id, reason: _why, ...policy }: Wish): SupplyPolicy {
  return policy;
}
const textOf = (value: unknown): string => canonicalJson(value as Json);
