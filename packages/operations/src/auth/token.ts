/**
 * The bearer token of a home, derived from its HMAC key and bound to its environment and id: after a
 * rotation, in another environment or in another home it is refused.
 */
import { type Environment, type Failure, type Result, equalSecrets, err, failure, hmacSha256, ok } from "@rumi/kernel";
import type { Principal } from "../operation.ts";

/** `rumi_<env>_` and 43 characters of base64url; the key cannot be found from it. */
export function deriveToken(hmacKey: Uint8Array, environment: Environment, homeId: string): string {
  const mac = hmacSha256(hmacKey, JSON.stringify(["rumi/token/v1", environment, homeId]));
  return `rumi_${environment}_${Buffer.from(mac).toString("base64url")}`;
}

/** Answers for a token: who it is, or RUMI-AUTH-001/-002. */
export interface Authenticator {
  authenticate(token: string): Promise<Result<Principal, Failure>>;
}

export const ROOT: Principal = {
  id: "user:root",
  roles: ["view_only", "operator", "admin", "break_glass"],
};

/** The bootstrap principal's token first, then whoever `others` knows. */
export function homeAuthenticator(token: string, others?: Authenticator): Authenticator {
  return {
    authenticate: async (presented) => {
      if (equalSecrets(presented, token)) return ok(ROOT);
      return others === undefined ? err(failure("RUMI-AUTH-001")) : others.authenticate(presented);
    },
  };
}
