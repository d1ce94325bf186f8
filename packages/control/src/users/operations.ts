/**
 * Principals and their roles. Ids are minted here and never given again: two people are two ids, whatever they are called.
 *
 * The bootstrap principal `user:root`, to whom the home's derived token belongs, is not a row: nobody changes it.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import {
  defineOperation,
  defineQuery,
  ROLES,
  ROOT,
  type Declaration,
  type Decision,
  type Principal,
} from "@rumi/operations";
import { write, type Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { iso } from "../challenges/model.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, type Sql } from "../shared/sql.ts";
import { readTraining } from "../training/tables.ts";
import type { Permitted } from "./may.ts";
import { UserIdField, userResource, userView } from "./model.ts";
import { countUsers, readUser, rolesOf, updateUser, type UserRow, type UserTables } from "./tables.ts";
import { tokenDeclarations, type TokenDeps } from "./token-operations.ts";
import { MeAnswer, UserAnswer, UsersAnswer } from "./answers.ts";

export type UserDeps = TokenDeps & {
  /** Operations and queries that somebody may ask for, by name. */
  readonly may: (principal: Principal) => Promise<Permitted>;
};

export function userDeclarations(deps: UserDeps): readonly Declaration[] {
  return [whoAmI(deps), listUsers, createUser(deps.environment), setRoles, disableUser, ...tokenDeclarations(deps)];
}

const RolesField = Type.Array(Type.Union(ROLES.map((role) => Type.Literal(role))), {
  minItems: 1,
  maxItems: ROLES.length,
  uniqueItems: true,
});
const allModes = ["NORMAL", "SAFE", "EMERGENCY_STOP"] as const;

const whoAmI = ({ environment, may }: UserDeps): Declaration =>
  defineQuery({
    name: "users.me",
    summary: "Who you are here, in which environment, and what you may ask for",
    http: { method: "GET", path: "/api/me" },
    input: Type.Object({}, CLOSED),
    output: MeAnswer,
    permission: EVERYONE,
    read: async (reader, _input, { principal, store, now }) => {
      const open = await readTraining(reader, store, principal.id, now);
      const training = open === undefined ? null : { session_id: open.session_id, ends_at: iso(open.ends_at) };
      return ok({ user_id: principal.id, roles: principal.roles, environment, training, ...(await may(principal)) });
    },
  });

const listUsers: Declaration = defineQuery({
  name: "users.list",
  summary: "Principals and their roles",
  http: { method: "GET", path: "/api/users" },
  input: Type.Object(PAGE_FIELDS, CLOSED),
  output: UsersAnswer,
  permission: ["admin"],
  read: async (reader, { cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["number", "string"]);
    if (!after.ok) return after;
    let query = store
      .builder<UserTables>()
      .selectFrom("operator")
      .selectAll()
      .orderBy("created_at")
      .orderBy("user_id")
      .limit(limit + 1);
    if (after.value !== undefined) {
      const [at, id] = after.value as [number, string];
      query = query.where((of) =>
        of.or([of("created_at", ">", at), of.and([of("created_at", "=", at), of("user_id", ">", id)])]),
      );
    }
    const rows = await reader.rows<UserRow>(query);
    const { page, next_cursor } = pageOf(rows, limit, (row) => [row.created_at, row.user_id]);
    const root = {
      id: ROOT.id,
      user_id: ROOT.id,
      display_name: "root",
      roles: ROOT.roles,
      state: "active",
      bootstrap: true,
    };
    const users = [...(cursor === undefined ? [root] : []), ...page.map(userView)];
    return ok({
      users,
      count: users.length,
      next_cursor,
    });
  },
});

const createUser = (environment: string): Declaration =>
  defineOperation({
    name: "users.create",
    summary: "Make a principal with roles; it comes in with tokens of its own",
    http: { method: "POST", path: "/api/users" },
    input: Type.Object(
      {
        command_id: Type.Optional(CommandIdField),
        display_name: Type.String({ minLength: 1, maxLength: 128, pattern: "\\S" }),
        roles: RolesField,
        reason: ReasonField,
      },
      CLOSED,
    ),
    output: UserAnswer,
    success: [201],
    key: "either",
    permission: ["admin"],
    safety: allModes,
    risk: () => "neutral",
    danger: noDanger,
    target: ({ display_name }) => ({ resource_type: "operator", resource_id: display_name }),
    gates: [],
    load: (reader, _input, { store }) => countUsers(reader, store),
    decide: (users, { display_name, roles }, { newId, now, principal, store }) => {
      const limit = CONTROL_LIMITS.users;
      if (users >= limit) return err(failure("RUMI-AUTH-009", { what: "principals", limit }));
      const row: UserRow = {
        user_id: `user:${newId()}`,
        environment,
        display_name,
        roles: JSON.stringify(roles),
        state: "active",
        created_at: now,
        created_by: principal.id,
        updated_at: now,
        row_version: 1,
      };
      return ok({
        writes: [write(store.builder<UserTables>().insertInto("operator").values(row), 1)],
        events: [{ action: "operator.created", ...userResource(row.user_id), details: { roles, display_name } }],
        outbox: [],
        status: 201,
        data: userView(row),
      });
    },
  });

const target = ({ user_id }: { readonly user_id: string }) => ({ resource_type: "operator", resource_id: user_id });
const loadUser = (reader: Reader, { user_id }: { readonly user_id: string }, { store }: { readonly store: Sql }) =>
  readUser(reader, store, user_id);

/** The row that may be changed; the bootstrap principal is none. */
function changeable(row: UserRow | undefined, user_id: string): Result<UserRow, Failure> {
  if (user_id === ROOT.id) return err(failure("RUMI-AUTH-008", { user_id }));
  return row === undefined ? err(failure("RUMI-AUTH-006", { user_id })) : ok(row);
}

const setRoles: Declaration = defineOperation({
  name: "users.roles_set",
  summary: "Give a principal other roles, from its next request on",
  http: { method: "POST", path: "/api/users/{user_id}/roles" },
  input: Type.Object(
    { command_id: Type.Optional(CommandIdField), user_id: UserIdField, roles: RolesField, reason: ReasonField },
    CLOSED,
  ),
  output: UserAnswer,
  key: "either",
  permission: ["admin"],
  safety: allModes,
  risk: () => "neutral",
  danger: noDanger,
  target,
  gates: [],
  load: loadUser,
  decide: (row: UserRow | undefined, { user_id, roles }, { now, store }): Result<Decision, Failure> => {
    const found = changeable(row, user_id);
    if (!found.ok) return found;
    const change = { roles: JSON.stringify(roles) };
    return ok({
      writes: [updateUser(store, found.value, change, now)],
      events: [
        {
          action: "operator.roles_changed",
          ...userResource(user_id),
          details: { from: rolesOf(found.value), to: roles },
        },
      ],
      outbox: [],
      data: userView({ ...found.value, ...change }),
    });
  },
});

const disableUser: Declaration = defineOperation({
  name: "users.disable",
  summary: "Let a principal in no more; its tokens end with it",
  http: { method: "POST", path: "/api/users/{user_id}/disable" },
  input: Type.Object({ command_id: Type.Optional(CommandIdField), user_id: UserIdField, reason: ReasonField }, CLOSED),
  output: UserAnswer,
  key: "either",
  permission: ["admin"],
  // Taking access away only ever makes things safer.
  risk: () => "tighten",
  danger: noDanger,
  target,
  gates: [],
  load: loadUser,
  decide: (row: UserRow | undefined, { user_id }, { now, store }): Result<Decision, Failure> => {
    const found = changeable(row, user_id);
    if (!found.ok) return found;
    const change = { state: "disabled" } as const;
    return ok({
      writes: [updateUser(store, found.value, change, now)],
      events: [{ action: "operator.disabled", ...userResource(user_id), details: {} }],
      outbox: [],
      data: userView({ ...found.value, ...change }),
    });
  },
});
