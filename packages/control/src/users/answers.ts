/** What the operations of principals and tokens answer. */
import { ROLES } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { CountField, CursorField, InstantField, nullable, OPEN, UuidField } from "../shared/answers.ts";

const RolesField = Type.Array(Type.Union(ROLES.map((role) => Type.Literal(role))));
export const MeAnswer = Type.Object(
  {
    user_id: Type.String(),
    roles: RolesField,
    environment: Type.String(),
    /** Whatever you ask for is only rehearsed. */
    training: nullable(Type.Object({ session_id: UuidField, ends_at: InstantField }, OPEN)),
  },
  OPEN,
);
export const UserAnswer = Type.Object(
  {
    id: Type.String(),
    user_id: Type.String(),
    display_name: Type.String(),
    roles: RolesField,
    state: Type.String(),
    /** Absent at the home's own principal. */
    environment: Type.Optional(Type.String()),
    bootstrap: Type.Boolean(),
  },
  OPEN,
);
export const UsersAnswer = Type.Object(
  { users: Type.Array(UserAnswer), count: CountField, next_cursor: CursorField },
  OPEN,
);
const token = {
  token_id: Type.String(),
  user_id: Type.String(),
  label: Type.String(),
  environment: Type.String(),
  created_at: InstantField,
  created_by: Type.String(),
  expires_at: InstantField,
  revoked_at: nullable(InstantField),
  revoked_by: nullable(Type.String()),
} as const;
export const TokenAnswer = Type.Object(token, OPEN);
/** The token itself is in the first answer only. */
export const IssuedTokenAnswer = Type.Object(
  { ...token, valid_for_seconds: CountField, token: Type.Optional(Type.String()) },
  OPEN,
);
export const TokensAnswer = Type.Object({ tokens: Type.Array(TokenAnswer), count: CountField }, OPEN);
