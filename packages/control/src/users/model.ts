/** The form of a principal's id, and how a principal and a token look from outside. */
import { isoFromMicros, micros } from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { rolesOf, type TokenRow, type UserRow } from "./tables.ts";

export const UserIdField = Type.String({
  pattern: "^user:(root|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$",
  description: "Immutable subject id.",
});

const iso = (at: number): string => isoFromMicros(micros(at));

export function userView(row: UserRow) {
  return {
    id: row.user_id,
    user_id: row.user_id,
    display_name: row.display_name,
    roles: rolesOf(row),
    state: row.state,
    environment: row.environment,
    bootstrap: false,
    created_at: iso(row.created_at),
    created_by: row.created_by,
  };
}

/** Never the token and never its hash. */
export function tokenView(row: TokenRow) {
  return {
    token_id: row.token_id,
    user_id: row.user_id,
    label: row.label,
    environment: row.environment,
    created_at: iso(row.created_at),
    created_by: row.created_by,
    expires_at: iso(row.expires_at),
    revoked_at: row.revoked_at === null ? null : iso(row.revoked_at),
    revoked_by: row.revoked_by,
  };
}

export function userResource(user_id: string): Pick<EventDraft, "resource_type" | "resource_id" | "outcome"> {
  return { resource_type: "operator", resource_id: user_id, outcome: "SUCCESS" };
}
