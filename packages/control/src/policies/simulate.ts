/** What other policies would have done to the commands that were really asked for: every answer that would flip. */
import type { Reader } from "@rumi/store";
import { readEvents } from "../audit/events.ts";
import type { Sql } from "../shared/sql.ts";
import { rolesNow } from "../users/tables.ts";
import type { Asked, CompiledPolicies } from "./cedar.ts";
import { POLICY_LIMITS } from "./limits.ts";

export type Flip = {
  readonly principal: string;
  readonly operation: string;
  readonly resource: string;
  readonly before: "allow" | "deny" | "error";
  readonly after: "allow" | "deny" | "error";
  /** Policies that forbid it. */
  readonly policies: readonly string[];
  readonly times: number;
};
export type Simulation = { readonly replayed: number; readonly flips: readonly Flip[] };

/** Null policies are those of a home without any: roles decide alone. */
export function simulate(
  recorded: readonly Asked[],
  before: CompiledPolicies | null,
  after: CompiledPolicies | null,
): Simulation {
  const flips = new Map<string, Flip>();
  for (const asked of recorded) {
    const [old, next] = [before?.decide(asked), after?.decide(asked)];
    const [was, is] = [old?.kind ?? "allow", next?.kind ?? "allow"];
    if (was === is) continue;
    const resource = `${asked.target.resource_type}/${asked.target.resource_id}`;
    const key = `${asked.principal.id} ${asked.operation} ${resource}`;
    const policies = next?.kind === "deny" ? next.policies : old?.kind === "deny" ? old.policies : [];
    const { id: principal } = asked.principal;
    const { operation } = asked;
    const times = (flips.get(key)?.times ?? 0) + 1;
    flips.set(key, { principal, operation, resource, before: was, after: is, policies, times });
  }
  return { replayed: recorded.length, flips: [...flips.values()] };
}

/** The newest recorded commands, with the roles that their actors hold now. */
export async function recordedCommands(
  reader: Reader,
  sql: Sql,
  isKnown: (operation: string) => boolean,
): Promise<readonly Asked[]> {
  const found: Asked[] = [];
  const roles = new Map<string, Asked["principal"]["roles"]>();
  let before_index: number | undefined;
  while (found.length < POLICY_LIMITS.replayed_commands) {
    const page = await readEvents(reader, sql, {
      action: "controlplane.command.requested",
      order: "desc",
      limit: 200,
      ...(before_index === undefined ? {} : { before_index }),
    });
    for (const { actor, resource_type, resource_id, details } of page) {
      const { operation } = details;
      if (typeof operation !== "string" || !isKnown(operation) || found.length >= POLICY_LIMITS.replayed_commands)
        continue;
      const held = roles.get(actor) ?? (await rolesNow(reader, sql, actor));
      roles.set(actor, held);
      found.push({ principal: { id: actor, roles: held }, operation, target: { resource_type, resource_id } });
    }
    before_index = page.at(-1)?.log_index;
    if (page.length < 200 || before_index === undefined) break;
  }
  return found;
}
