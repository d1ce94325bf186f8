/** What venues answer. */
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, OPEN } from "../shared/answers.ts";

const KindField = Type.Union(["recording", "venue_sim"].map((word) => Type.Literal(word)));
const spec = {
  venue_id: Type.String(),
  kind: KindField,
  files: Type.Array(Type.Object({ path: Type.String(), format: Type.String(), sha256: Type.String() }, OPEN)),
  pace: AnythingField,
  fees: Type.Object({ maker_ppm: Type.Integer(), taker_ppm: Type.Integer() }, OPEN),
  latency: Type.Object({ base_us: CountField, jitter_us: CountField }, OPEN),
  seed: Type.String(),
  report: Type.Object({ rows_accepted: CountField, rows_rejected: CountField }, OPEN),
} as const;
export const RegisteredVenueAnswer = Type.Object(spec, OPEN);
export const VenueAnswer = Type.Object(
  {
    ...spec,
    instruments: Type.Array(Type.Object({ instrument_id: Type.String(), quote_currency: Type.String() }, OPEN)),
    created_at: Type.Integer({ minimum: 0, description: "Microseconds since 1970." }),
    created_by: Type.String(),
  },
  OPEN,
);
export const VenuesAnswer = Type.Object(
  {
    venues: Type.Array(
      Type.Object(
        {
          venue_id: Type.String(),
          kind: KindField,
          instruments: Type.Array(Type.String()),
          rows_accepted: CountField,
          rows_rejected: CountField,
        },
        OPEN,
      ),
    ),
    count: CountField,
  },
  OPEN,
);
