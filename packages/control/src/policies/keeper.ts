/**
 * Keeps the policies in force compiled and answers the pipeline: may this principal do this to that, roles apart?
 *
 * How to think: a command pays for one look into a map. What is compiled and what was decided belong to one version;
 * the event of another version throws both away before the command that made it is answered. A decision depends on
 * nothing but what its key holds, and on the resource only where some policy looks at it. An engine that failed is thrown
 * away with what it remembered.
 *
 * Invariants (policies.test.ts)
 * - Policies that cannot be read or evaluated deny. No policies at all: roles decide alone.
 * - The bootstrap principal can always repair the policies themselves, whatever they say (repairs.ts).
 */
import { failure, type Failure } from "@rumi/kernel";
import type { Logger, PolicyPort } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { compilePolicies, type Asked, type CompiledPolicies } from "./cedar.ts";
import { isSpoilt, newPolicyEngine, type PolicyEngine } from "./engine.ts";
import { POLICY_LIMITS } from "./limits.ts";
import { helpsRepair, isRootsRepair, mayHelpRepair } from "./repairs.ts";
import type { PolicySchema } from "./schema.ts";
import { readPolicy } from "./tables.ts";

type InForce =
  | { readonly kind: "none" }
  | {
      readonly kind: "compiled";
      readonly engine: PolicyEngine;
      readonly policies: CompiledPolicies;
      readonly decided: Map<string, Failure | null>;
    }
  | { readonly kind: "broken"; readonly problem: string };

export type PolicyKeeper = PolicyPort & {
  /** Why somebody may never do this, whatever it is about; undefined also where that depends on what it is about. */
  refusalAtAll(asked: Pick<Asked, "principal" | "operation">): Promise<Failure | undefined>;
  close(): void;
};

export function policyKeeper(
  store: Store,
  { schema, logger }: { readonly schema: () => PolicySchema; readonly logger: Pick<Logger, "error"> },
): PolicyKeeper {
  let inForce: InForce | undefined;
  let changes = 0;
  const stopListening = store.onAppended((_first, events) => {
    if (!events.some(({ action }) => action === "policy.activated")) return;
    changes += 1;
    inForce = undefined;
  });
  const load = async (): Promise<InForce> => {
    const before = changes;
    const row = await readPolicy(store, store);
    const loaded: InForce = row === undefined || row.cedar === "" ? { kind: "none" } : compiled(row.cedar);
    if (before === changes) inForce = loaded;
    return loaded;
  };
  const compiled = (text: string): InForce => {
    const engine = newPolicyEngine();
    const made = compilePolicies(engine, text, schema(), "in_force");
    if (made.ok) return { kind: "compiled", engine, policies: made.value, decided: new Map() };
    logger.error("the policies in force cannot be compiled; everything but their repair is denied", {
      problem: String(made.error.params["problem"]),
    });
    return { kind: "broken", problem: String(made.error.params["problem"]) };
  };
  const current = (): InForce | undefined => {
    if (inForce?.kind === "compiled" && isSpoilt(inForce.engine)) inForce = undefined;
    return inForce;
  };
  return {
    close: stopListening,
    refusalAtAll: async ({ principal, operation }) => {
      const asked = { principal, operation, target: { resource_type: "query", resource_id: operation } };
      if (isRootsRepair(asked)) return undefined;
      const of = current() ?? (await load());
      return of.kind === "compiled" && of.policies.looksAtResource ? undefined : judge(of, asked);
    },
    refusal: (asked) => {
      if (isRootsRepair(asked)) return undefined;
      const of = current();
      const judged = of === undefined ? load().then((loaded) => judge(loaded, asked)) : judge(of, asked);
      if (!mayHelpRepair(asked)) return judged;
      return Promise.resolve(judged).then(async (why) =>
        why !== undefined && (await helpsRepair(store, asked)) ? undefined : why,
      );
    },
  };
}

function judge(of: InForce, asked: Asked): Failure | undefined {
  switch (of.kind) {
    case "none":
      return undefined;
    case "broken":
      return failure("RUMI-AUTH-012", { action: asked.operation, problem: of.problem }, { reasonCode: "POLICY_ERROR" });
    case "compiled": {
      const { policies, decided } = of;
      const { principal, operation, target } = asked;
      const resource = policies.looksAtResource ? `${target.resource_type}/${target.resource_id}` : "";
      const key = `${principal.id} ${principal.roles.join()} ${operation} ${resource}`;
      const known = decided.get(key);
      if (known !== undefined) return known ?? undefined;
      const refusal = refusalOf(policies, asked);
      if (decided.size >= POLICY_LIMITS.remembered_decisions) decided.clear();
      decided.set(key, refusal ?? null);
      return refusal;
    }
  }
}

export function refusalOf(policies: CompiledPolicies, asked: Asked): Failure | undefined {
  const verdict = policies.decide(asked);
  const { id: principal } = asked.principal;
  const action = asked.operation;
  switch (verdict.kind) {
    case "allow":
      return undefined;
    case "deny":
      return failure(
        "RUMI-AUTH-011",
        { principal, action },
        { reasonCode: "POLICY_DENIED", details: { policies: verdict.policies } },
      );
    case "error":
      return failure("RUMI-AUTH-012", { action, problem: verdict.problem }, { reasonCode: "POLICY_ERROR" });
  }
}
