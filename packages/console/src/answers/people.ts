/** Answers about people, and about wishes for many bots. */
import { flag, integer, list, nullable, object, oneOf, optional, text, type Of } from "./shape.ts";

export const me = object({
  user_id: text,
  roles: list(text),
  environment: text,
  may: list(text),
  /** Of these only what tightens. */
  may_tighten: list(text),
  /** Until when whatever one asks for is only rehearsed. */
  training: nullable(object({ ends_at: text })),
});
export type Me = Of<typeof me>;

const user = object({
  user_id: text,
  display_name: text,
  roles: list(text),
  state: oneOf("active", "disabled"),
  bootstrap: flag,
  created_at: optional(text),
});
export type User = Of<typeof user>;
export const usersPage = object({ users: list(user), next_cursor: nullable(text) });

const token = object({
  token_id: text,
  label: text,
  created_at: text,
  expires_at: text,
  revoked_at: nullable(text),
});
export type Token = Of<typeof token>;
export const tokensAnswer = object({ tokens: list(token) });

/** The token is in the first answer to a wish only. */
export const issuedToken = object({ token_id: text, expires_at: text, token: optional(text) });
export type IssuedToken = Of<typeof issuedToken>;

/** Weakest first. */
export const ROLES = ["view_only", "operator", "break_glass", "admin"] as const;
export type Role = (typeof ROLES)[number];

const bulk = object({
  bulk_id: text,
  state: oneOf("running", "over"),
  actor: text,
  reason: text,
  requested_transition: object({ from: text, to: text }),
  wave: integer,
  waiting: list(text),
  in_flight: list(text),
  done: list(text),
  failed: list(object({ bot_id: text, error_code: optional(text), reason_code: optional(text) })),
  errors: integer,
  max_errors: integer,
  aborted: flag,
  paused: optional(flag),
  group_id: optional(text),
  created_at: text,
});
export type Bulk = Of<typeof bulk>;
export const bulksAnswer = object({ bulks: list(bulk) });
export type BulkWish = {
  readonly selector: { readonly bot_ids: readonly string[] };
  readonly requested_transition: { readonly from: string; readonly to: string };
  readonly max_errors: number;
};
