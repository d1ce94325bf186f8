/** Saying in which modes a bot needs a release certificate, and reading that. */
import { canonicalJson, invariant, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { RISK_PHRASE } from "../challenges/model.ts";
import { CLOSED, CommandIdField, EVERYONE, ReasonField } from "../shared/fields.ts";
import { feed } from "../shared/sql.ts";
import { supplyChanged } from "../supply-chain/tables.ts";
import { ReleasePolicyAnswer } from "./answers.ts";
import { looserModes, policyOfModes, releasePolicyInForce, releasePolicyView, RELEASE_MODES } from "./policy.ts";
import { insertReleasePolicy, readReleasePolicy, type ReleasePolicyRow } from "./tables.ts";

export const releasePolicyDeclarations = (): readonly Declaration[] => [showPolicy, setPolicy];

const target = () => ({ resource_type: "release_policy", resource_id: "all" });

const showPolicy: Declaration = defineQuery({
  name: "release.policy",
  summary: "In which modes a bot needs a release certificate; revision 0 is the default",
  http: { method: "GET", path: "/api/release/policy" },
  input: Type.Object({}, CLOSED),
  output: ReleasePolicyAnswer,
  permission: EVERYONE,
  read: async (reader, _input, { store }) => ok(releasePolicyView(await readReleasePolicy(reader, store))),
});

const setPolicy: Declaration = defineOperation({
  name: "release.policy_set",
  summary: "Say in which modes a bot needs a release certificate; what asks for fewer takes a second person",
  http: { method: "POST", path: "/api/release/policy/set" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      required_for: Type.Array(Type.Union(RELEASE_MODES.map((mode) => Type.Literal(mode))), {
        maxItems: RELEASE_MODES.length,
        uniqueItems: true,
        description: "Modes in which nothing starts, and nothing that runs is changed, without a certificate.",
      }),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: ReleasePolicyAnswer,
  key: "command_id",
  permission: ["admin"],
  risk: ({ required_for }, row: ReleasePolicyRow | undefined) =>
    looserModes(releasePolicyInForce(row).policy, { required_for }).length > 0 ? "increase" : "tighten",
  danger: ({ required_for }, row: ReleasePolicyRow | undefined) => {
    const { policy, revision } = releasePolicyInForce(row);
    return looserModes(policy, { required_for }).length > 0
      ? { kind: "confirm", requires: ["phrase", "second_person"], phrase: RISK_PHRASE, base: { revision } }
      : { kind: "none" };
  },
  target,
  gates: [],
  load: (reader, _input, { store }) => readReleasePolicy(reader, store),
  preview: (row, { required_for }) => ({
    from_revision: releasePolicyInForce(row).revision,
    looser: looserModes(releasePolicyInForce(row).policy, { required_for }),
  }),
  diff: (row, { required_for }) => [
    { field: "required_for", before: releasePolicyInForce(row).policy.required_for, after: required_for },
  ],
  decide: (row, { required_for, reason }, { approval_id, now, principal, store }) => {
    const before = releasePolicyInForce(row);
    const policy = policyOfModes(required_for);
    const text = canonicalJson({ required_for: [...policy.required_for] });
    if (row !== undefined && row.policy === text)
      return ok({ writes: [], events: [], outbox: [], data: { ...releasePolicyView(row), changed: false } });
    const looser = looserModes(before.policy, policy);
    invariant(looser.length === 0 || approval_id !== null, "a policy was loosened without a confirmed challenge");
    const next: ReleasePolicyRow = {
      revision: before.revision + 1,
      policy: text,
      reason,
      set_by: principal.id,
      approval_id,
      set_at: now,
    };
    const data = releasePolicyView(next);
    const { revision, policy_digest } = data;
    return ok({
      writes: [
        insertReleasePolicy(store, next),
        supplyChanged(store),
        feed(store, "release_policy", "all", { revision, policy_digest }, now),
      ],
      events: [
        {
          action: "release.policy.set",
          ...target(),
          outcome: "SUCCESS",
          details: {
            revision,
            from_revision: before.revision,
            policy_digest,
            required_for: policy.required_for,
            looser,
          },
        },
      ],
      outbox: [],
      data: { ...data, changed: true },
    });
  },
});
