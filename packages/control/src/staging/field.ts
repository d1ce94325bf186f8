/** What a bot's version says of staging, on the wire. */
import { STAGING_LIMITS } from "@rumi/runtime";
import { Type } from "@sinclair/typebox";
import { CLOSED } from "../shared/fields.ts";

/** `true` is the default policy; an object says what differs. */
export const StagingField = Type.Union([
  Type.Boolean(),
  Type.Object(
    {
      expires_after_ms: Type.Optional(
        Type.Integer({ minimum: 1_000, maximum: STAGING_LIMITS.expires_after_us / 1_000 }),
      ),
      max_staged: Type.Optional(Type.Integer({ minimum: 1, maximum: STAGING_LIMITS.max_staged })),
      approve_up_to: Type.Optional(
        Type.String({
          pattern: "^\\d{1,15}(\\.\\d{1,8})?$",
          description: "What adds at most this much, in quote currency, needs nobody's approval.",
        }),
      ),
    },
    CLOSED,
  ),
]);
