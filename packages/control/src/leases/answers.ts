/** What a read of leases answers. */
import { Type } from "@sinclair/typebox";
import { CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";

export const LEASE_STATES = ["held", "over", "free"] as const;

export const LeasesAnswer = Type.Object(
  {
    leases: Type.Array(
      Type.Object(
        {
          bot_id: Type.String(),
          strategy_id: Type.String(),
          instance_id: Type.String(),
          state: Type.Union(LEASE_STATES.map((state) => Type.Literal(state))),
          holder: nullable(Type.String()),
          holder_state: nullable(Type.String()),
          holder_seen_at: nullable(InstantField),
          epoch: CountField,
          acquired_at: nullable(InstantField),
          renewed_at: nullable(InstantField),
          expires_at: nullable(InstantField),
        },
        OPEN,
      ),
    ),
    count: CountField,
    /** By the store's clock, the only one that judges a lease. */
    as_of: InstantField,
    ttl_ms: CountField,
    renewal_ms: CountField,
  },
  OPEN,
);
