/**
 * Finds the principal of a presented token.
 *
 * How to think: what the store said of a token is remembered until anything about people or tokens changes; expiry is
 * looked at every time. A revoked token and a disabled principal are refused with the next request.
 *
 * Invariants (users.test.ts)
 * - A token of another environment is nobody's here, whatever its row says.
 * - Nothing remembered outlives the change that ends it.
 */
import { equalSecrets, err, failure, ok, type Clock, type Failure, type Result } from "@rumi/kernel";
import type { Authenticator, Principal } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { CONTROL_LIMITS } from "../limits.ts";
import { readToken, readUser, rolesOf, type TokenRow } from "./tables.ts";
import { tokenHash, tokenIdIn } from "./tokens.ts";

type Known = { readonly token: TokenRow; readonly principal: Principal; readonly is_active: boolean };
export type OperatorAuthenticator = Authenticator & { close(): void };

export function operatorAuthenticator(
  store: Store,
  { clock, environment }: { readonly clock: Clock; readonly environment: string },
): OperatorAuthenticator {
  const known = new Map<string, Known>();
  let changes = 0;
  const stopListening = store.onAppended((_first, events) => {
    if (!events.some(({ action }) => /^(operator|token)\./.test(action))) return;
    changes += 1;
    known.clear();
  });
  const find = async (token_id: string): Promise<Known | undefined> => {
    const before = changes;
    const found = await store.snapshot(async (reader) => {
      const token = await readToken(reader, store, token_id);
      const user = token === undefined ? undefined : await readUser(reader, store, token.user_id);
      if (token === undefined || user === undefined) return undefined;
      if (token.environment !== environment || user.environment !== environment) return undefined;
      return { token, principal: { id: user.user_id, roles: rolesOf(user) }, is_active: user.state === "active" };
    });
    // What was read before a change is good for this one answer only.
    if (found !== undefined && before === changes) {
      if (known.size >= CONTROL_LIMITS.remembered_tokens) known.clear();
      known.set(token_id, found);
    }
    return found;
  };
  return {
    close: stopListening,
    authenticate: async (presented): Promise<Result<Principal, Failure>> => {
      const token_id = tokenIdIn(environment, presented);
      const found = token_id === undefined ? undefined : (known.get(token_id) ?? (await find(token_id)));
      if (found === undefined || !equalSecrets(tokenHash(presented), found.token.token_hash))
        return err(failure("RUMI-AUTH-001"));
      if (found.token.revoked_at !== null) return err(failure("RUMI-AUTH-005", {}, { reasonCode: "TOKEN_REVOKED" }));
      if (!found.is_active) return err(failure("RUMI-AUTH-005", {}, { reasonCode: "PRINCIPAL_DISABLED" }));
      if (found.token.expires_at <= clock.now()) return err(failure("RUMI-AUTH-002"));
      return ok(found.principal);
    },
  };
}
