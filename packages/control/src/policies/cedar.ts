/**
 * Cedar behind a small door: text in, a compiled set out that answers one question.
 *
 * How to think: Cedar skips a policy that fails while it is evaluated, so that a forbid which meets a missing attribute
 * turns into an allow. Here any error at all is a denial, and a request that does not fit the schema is an error.
 *
 * Invariants (policies.test.ts)
 * - Nothing but a clean `allow` allows; where the engine itself fails (engine.ts) that is an error as any other.
 * - The engine (four megabytes) is loaded when the first policy is compiled, and never where there is none.
 */
import { err, failure, ok, sha256Hex, type Failure, type Result } from "@rumi/kernel";
import type { Principal } from "@rumi/operations";
import { asking, type PolicyEngine } from "./engine.ts";
import { POLICY_LIMITS } from "./limits.ts";
import type { PolicySchema } from "./schema.ts";

export type Asked = {
  readonly principal: Principal;
  readonly operation: string;
  readonly target: { readonly resource_type: string; readonly resource_id: string };
};
export type Verdict =
  | { readonly kind: "allow" }
  /** Ids of the policies that forbid; none where simply nothing permits. */
  | { readonly kind: "deny"; readonly policies: readonly string[] }
  | { readonly kind: "error"; readonly problem: string };

export type CompiledPolicies = {
  readonly digest: string;
  readonly ids: readonly string[];
  /** Whether any policy looks at the resource: else one answer holds for all of them. */
  readonly looksAtResource: boolean;
  readonly decide: (asked: Asked) => Verdict;
};

/**
 * `slot` names where the engine keeps it. Compiling under the same name again replaces what was there: a set that lives on
 * has an engine of its own, one that is only tried is used before anything else is awaited.
 */
export function compilePolicies(
  cedar: PolicyEngine,
  text: string,
  schema: PolicySchema,
  slot: string,
): Result<CompiledPolicies, Failure> {
  return asking(cedar, () => compile(cedar, text, schema, slot), tooDeep);
}

/** For texts on which the engine stops. */
export function tooDeep(): Result<never, Failure> {
  return invalid("they are nested too deeply for the engine");
}

function compile(
  cedar: PolicyEngine,
  text: string,
  schema: PolicySchema,
  slot: string,
): Result<CompiledPolicies, Failure> {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === "failure") return invalid(parts.errors[0]?.message);
  if (parts.policy_templates.length > 0) return invalid("templates are not used here");
  const { max_policies } = POLICY_LIMITS;
  if (parts.policies.length > max_policies) return invalid(`there are more than ${max_policies} policies`);
  const byId: Record<string, string> = {};
  let looksAtResource = false;
  for (const [at, policy] of parts.policies.entries()) {
    const read = cedar.policyToJson(policy);
    if (read.type === "failure") return invalid(read.errors[0]?.message);
    const id = read.json.annotations?.["id"] ?? `policy${at}`;
    if (Object.hasOwn(byId, id)) return invalid(`two policies have the id ${id}`);
    byId[id] = policy;
    looksAtResource ||= read.json.resource.op !== "All" || JSON.stringify(read.json.conditions).includes('"resource"');
  }
  const policies = { staticPolicies: byId };
  const validated = cedar.validate({ schema: schema.json, policies, validationSettings: { mode: "strict" } });
  if (validated.type === "failure") return invalid(validated.errors[0]?.message);
  const [wrong] = validated.validationErrors;
  if (wrong !== undefined) return invalid(`${wrong.policyId}: ${wrong.error.message}`);
  for (const parsed of [cedar.preparseSchema(slot, schema.json), cedar.preparsePolicySet(slot, policies)])
    if (parsed.type === "failure") return invalid(parsed.errors[0]?.message);
  return ok({
    digest: sha256Hex(text),
    ids: Object.keys(byId),
    looksAtResource,
    decide: (asked) => asking(cedar, () => decide(cedar, slot, schema, asked), engineFailed),
  });
}

const engineFailed = (): Verdict => ({ kind: "error", problem: "the engine failed" });

function decide(
  cedar: PolicyEngine,
  slot: string,
  schema: PolicySchema,
  { principal, operation, target: { resource_type, resource_id } }: Asked,
): Verdict {
  const who = { type: "User", id: principal.id };
  const what = { type: "Resource", id: `${resource_type}/${resource_id}` };
  const parents = principal.roles.map((role) => ({ type: "Role", id: role }));
  const answer = cedar.statefulIsAuthorized({
    principal: who,
    action: { type: "Action", id: operation },
    resource: what,
    context: { environment: schema.environment },
    preparsedSchemaName: slot,
    preparsedPolicySetId: slot,
    validateRequest: true,
    entities: [
      { uid: who, attrs: {}, parents },
      ...parents.map((uid) => ({ uid, attrs: {}, parents: [] })),
      { uid: what, attrs: { kind: resource_type, name: resource_id }, parents: [] },
    ],
  });
  if (answer.type === "failure") return { kind: "error", problem: answer.errors[0]?.message ?? "no answer" };
  const { decision, diagnostics } = answer.response;
  const [wrong] = diagnostics.errors;
  if (wrong !== undefined) return { kind: "error", problem: `${wrong.policyId}: ${wrong.error.message}` };
  return decision === "allow" ? { kind: "allow" } : { kind: "deny", policies: diagnostics.reason };
}

function invalid(problem = "it cannot be read"): Result<never, Failure> {
  return err(failure("RUMI-AUTH-013", { problem }, { reasonCode: "POLICY_INVALID" }));
}
