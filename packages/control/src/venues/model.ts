/**
 * Venues of kind `recording`: files that were read once, hashed, and never change afterwards.
 *
 * Invariant (venues.test.ts): a start re-hashes every file; another hash is RUMI-BOT-008.
 */
import type { InstrumentSpec } from "@rumi/abi";
import type { Digest } from "@rumi/kernel";
import type { Pace } from "@rumi/runtime";
import { RECORDING_FORMATS, type LoadReport, type RecordingFile } from "@rumi/venues";
import { Type, type Static } from "@sinclair/typebox";
import { CLOSED, CommandIdField, InstrumentIdField, ReasonField, VenueIdField } from "../shared/fields.ts";

const Scaled = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Digits = Type.Integer({ minimum: 0, maximum: 15 });
const Currency = Type.String({ pattern: "^[A-Z0-9]{1,16}$" });

export const InstrumentSpecSchema = Type.Object(
  {
    instrument_id: InstrumentIdField,
    price_digits: Digits,
    quantity_digits: Digits,
    tick_size: Scaled,
    lot_size: Scaled,
    min_quantity: Scaled,
    max_quantity: Scaled,
    base_currency: Currency,
    quote_currency: Currency,
  },
  CLOSED,
);

const RecordingFileSchema = Type.Object(
  {
    path: Type.String({ minLength: 1, maxLength: 4_096 }),
    format: Type.Union(RECORDING_FORMATS.map((format) => Type.Literal(format))),
    instrument: InstrumentSpecSchema,
  },
  CLOSED,
);

export const PaceSchema = Type.Union([
  Type.Object({ kind: Type.Literal("max") }, CLOSED),
  Type.Object(
    { kind: Type.Literal("multiple"), factor: Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }) },
    CLOSED,
  ),
]);
const Ppm = Type.Integer({ minimum: -100_000, maximum: 100_000 });
const MicrosField = Type.Integer({ minimum: 0, maximum: 60_000_000 });

export const VENUE_FILES_MAX = 64;
export const VENUE_DEFAULTS = {
  pace: { kind: "multiple", factor: 1 },
  fees: { maker_ppm: 0, taker_ppm: 0 },
  latency: { base_us: 0, jitter_us: 0 },
} as const satisfies { readonly pace: Pace; readonly fees: object; readonly latency: object };

export const RegisterVenueInput = Type.Object(
  {
    command_id: CommandIdField,
    venue_id: VenueIdField,
    kind: Type.Literal("recording"),
    files: Type.Array(RecordingFileSchema, { minItems: 1, maxItems: VENUE_FILES_MAX }),
    pace: Type.Optional(PaceSchema),
    fees: Type.Optional(Type.Object({ maker_ppm: Ppm, taker_ppm: Ppm }, CLOSED)),
    latency: Type.Optional(Type.Object({ base_us: MicrosField, jitter_us: MicrosField }, CLOSED)),
    seed: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    reason: ReasonField,
  },
  CLOSED,
);
export type RegisterVenue = Static<typeof RegisterVenueInput>;

export type VenueSpec = {
  readonly venue_id: string;
  readonly kind: "recording";
  readonly files: readonly (RecordingFile & { readonly sha256: Digest })[];
  readonly pace: Pace;
  readonly fees: { readonly maker_ppm: number; readonly taker_ppm: number };
  readonly latency: { readonly base_us: number; readonly jitter_us: number };
  readonly seed: string;
  readonly report: LoadReport;
};

/** The record of a registration; defaults are echoed, the seed is the venue's own name unless given. */
export function venueSpec(input: RegisterVenue, report: LoadReport): VenueSpec {
  const hash = (path: string): Digest => {
    const file = report.files.find((one) => one.path === path);
    if (file === undefined) throw new Error(`the load report does not name ${path}`);
    return file.sha256;
  };
  return {
    venue_id: input.venue_id,
    kind: input.kind,
    files: input.files.map((file) => ({
      path: file.path,
      format: file.format,
      instrument: file.instrument as InstrumentSpec,
      sha256: hash(file.path),
    })),
    pace: input.pace ?? VENUE_DEFAULTS.pace,
    fees: input.fees ?? VENUE_DEFAULTS.fees,
    latency: input.latency ?? VENUE_DEFAULTS.latency,
    seed: input.seed ?? `venue/${input.venue_id}`,
    report,
  };
}

export function instrumentsOf(venue: VenueSpec): readonly InstrumentSpec[] {
  const seen = new Map<string, InstrumentSpec>();
  for (const file of venue.files) seen.set(file.instrument.instrument_id, file.instrument);
  return [...seen.values()];
}
