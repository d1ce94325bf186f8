/** Principals. In this version there is one: the bootstrap principal that the home's derived token belongs to. */
import { ok } from "@rumi/kernel";
import { defineQuery, type Declaration, type Principal } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { AnswerSchema, CLOSED } from "../shared/fields.ts";

export const ROOT_PRINCIPAL: Principal = { id: "user:root", roles: ["view_only", "operator", "admin"] };

export function userDeclarations(): readonly Declaration[] {
  return [listUsers];
}

const listUsers = defineQuery({
  name: "users.list",
  summary: "Principals and their roles",
  http: { method: "GET", path: "/api/users" },
  input: Type.Object({}, CLOSED),
  output: AnswerSchema,
  permission: ["admin"],
  read: () =>
    Promise.resolve(
      ok({
        users: [{ id: ROOT_PRINCIPAL.id, display_name: "root", roles: ROOT_PRINCIPAL.roles, bootstrap: true }],
        count: 1,
      }),
    ),
});
