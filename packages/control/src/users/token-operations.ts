/** Tokens: issued once with an end, shown once, listed without what they are, revoked at once. */
import { err, failure, isoFromMicros, micros, ok, type Random } from "@rumi/kernel";
import { defineOperation, defineQuery, ROOT, type Declaration } from "@rumi/operations";
import { write } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { CONTROL_LIMITS } from "../limits.ts";
import { CLOSED, CommandIdField, noDanger, ReasonField } from "../shared/fields.ts";
import { tokenView, UserIdField, userResource } from "./model.ts";
import { readToken, readTokensOf, readUser, type TokenRow, type UserRow, type UserTables } from "./tables.ts";
import { TOKEN_SECRET_BYTES, tokenHash, tokenText } from "./tokens.ts";
import { IssuedTokenAnswer, TokenAnswer, TokensAnswer } from "./answers.ts";

export type TokenDeps = { readonly environment: string; readonly random: Random };

/** How long a token lives where nobody says otherwise: ninety days; at most a year. */
const DEFAULT_TOKEN_SECONDS = 7_776_000;
const MAX_TOKEN_SECONDS = 31_536_000;

export function tokenDeclarations(deps: TokenDeps): readonly Declaration[] {
  return [issueToken(deps), listTokens, revokeToken];
}

type IssueFacts = {
  readonly user: UserRow | undefined;
  readonly tokens: readonly TokenRow[];
  /** Drawn with the facts, so that the decision stays pure. */
  readonly secret: Uint8Array;
};

const issueToken = ({ environment, random }: TokenDeps): Declaration =>
  defineOperation({
    name: "tokens.issue",
    summary: "Issue a token of a principal; it is shown this once and never again",
    http: { method: "POST", path: "/api/users/{user_id}/tokens" },
    input: Type.Object(
      {
        command_id: Type.Optional(CommandIdField),
        user_id: UserIdField,
        label: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: "What it is for." })),
        valid_for_seconds: Type.Integer({ minimum: 1, maximum: MAX_TOKEN_SECONDS, default: DEFAULT_TOKEN_SECONDS }),
        reason: ReasonField,
      },
      CLOSED,
    ),
    output: IssuedTokenAnswer,
    success: [201],
    key: "either",
    permission: ["admin"],
    safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
    risk: () => "neutral",
    danger: noDanger,
    target: ({ user_id }) => ({ resource_type: "operator", resource_id: user_id }),
    gates: [],
    load: async (reader, { user_id }, { store }): Promise<IssueFacts> => ({
      user: await readUser(reader, store, user_id),
      tokens: await readTokensOf(reader, store, user_id),
      secret: random.bytes(TOKEN_SECRET_BYTES),
    }),
    decide: ({ user, tokens, secret }, { user_id, label, valid_for_seconds }, { newId, now, principal, store }) => {
      if (user_id === ROOT.id) return err(failure("RUMI-AUTH-008", { user_id }));
      if (user === undefined) return err(failure("RUMI-AUTH-006", { user_id }));
      if (user.state === "disabled")
        return err(failure("RUMI-AUTH-010", { user_id }, { reasonCode: "PRINCIPAL_DISABLED" }));
      const limit = CONTROL_LIMITS.tokens_of_a_user;
      const alive = tokens.filter((one) => one.revoked_at === null && one.expires_at > now);
      if (alive.length >= limit)
        return err(failure("RUMI-AUTH-009", { what: "living tokens of one principal", limit }));
      const token_id = newId();
      const token = tokenText(environment, token_id, secret);
      const row: TokenRow = {
        token_id,
        user_id,
        environment,
        token_hash: tokenHash(token),
        label: label ?? "",
        created_at: now,
        created_by: principal.id,
        expires_at: now + valid_for_seconds * 1_000_000,
        revoked_at: null,
        revoked_by: null,
      };
      const valid_until = isoFromMicros(micros(row.expires_at));
      return ok({
        writes: [write(store.builder<UserTables>().insertInto("operator_token").values(row), 1)],
        events: [{ action: "token.issued", ...userResource(user_id), details: { token_id, valid_until } }],
        outbox: [],
        status: 201,
        data: { ...tokenView(row), valid_for_seconds },
        once: { token },
      });
    },
  });

const listTokens: Declaration = defineQuery({
  name: "tokens.list",
  summary: "Tokens of a principal, without what they are",
  http: { method: "GET", path: "/api/users/{user_id}/tokens" },
  input: Type.Object({ user_id: UserIdField }, CLOSED),
  output: TokensAnswer,
  permission: ["admin"],
  read: async (reader, { user_id }, { store }) => {
    const user = await readUser(reader, store, user_id);
    if (user === undefined && user_id !== ROOT.id) return err(failure("RUMI-AUTH-006", { user_id }));
    const tokens = (await readTokensOf(reader, store, user_id)).map(tokenView);
    return ok({ tokens, count: tokens.length });
  },
});

const revokeToken: Declaration = defineOperation({
  name: "tokens.revoke",
  summary: "Revoke a token; its next request is refused",
  http: { method: "POST", path: "/api/tokens/{token_id}/revoke" },
  input: Type.Object(
    { command_id: Type.Optional(CommandIdField), token_id: CommandIdField, reason: ReasonField },
    CLOSED,
  ),
  output: TokenAnswer,
  key: "either",
  permission: ["admin"],
  risk: () => "tighten",
  danger: noDanger,
  target: ({ token_id }) => ({ resource_type: "token", resource_id: token_id }),
  gates: [],
  load: (reader, { token_id }, { store }) => readToken(reader, store, token_id),
  decide: (row: TokenRow | undefined, { token_id }, { now, principal, store }) => {
    if (row === undefined) return err(failure("RUMI-AUTH-007", { token_id }));
    if (row.revoked_at !== null) return ok({ writes: [], events: [], outbox: [], data: tokenView(row) });
    const change = { revoked_at: now, revoked_by: principal.id };
    return ok({
      writes: [
        write(
          store
            .builder<UserTables>()
            .updateTable("operator_token")
            .set(change)
            .where("token_id", "=", token_id)
            .where("revoked_at", "is", null),
          1,
        ),
      ],
      events: [{ action: "token.revoked", ...userResource(row.user_id), details: { token_id } }],
      outbox: [],
      data: tokenView({ ...row, ...change }),
    });
  },
});
