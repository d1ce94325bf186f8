/**
 * Venues: `recording`, files that were read once, hashed, and never change afterwards; `venue_sim`, a simulator outside.
 *
 * Invariant (venues.test.ts): a start re-hashes every file; another hash is RUMI-BOT-008.
 */
import type { InstrumentSpec } from "@rumi/abi";
import type { Digest } from "@rumi/kernel";
import { failure, type Failure } from "@rumi/kernel";
import type { LiveVenueSpec, Pace } from "@rumi/runtime";
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

const KeyReferenceSchema = Type.Union([
  Type.Object({ file: Type.String({ pattern: "^/", maxLength: 4_096 }) }, CLOSED),
  Type.Object({ env: Type.String({ pattern: "^[A-Z][A-Z0-9_]{0,127}$" }) }, CLOSED),
]);
export const LIVE_DEFAULTS = { stale_after_ms: 2_000, requests_per_second: 20 } as const;

export const RegisterVenueInput = Type.Object(
  {
    command_id: CommandIdField,
    venue_id: VenueIdField,
    kind: Type.Union([Type.Literal("recording"), Type.Literal("venue_sim")]),
    files: Type.Optional(Type.Array(RecordingFileSchema, { minItems: 1, maxItems: VENUE_FILES_MAX })),
    pace: Type.Optional(PaceSchema),
    fees: Type.Optional(Type.Object({ maker_ppm: Ppm, taker_ppm: Ppm }, CLOSED)),
    latency: Type.Optional(Type.Object({ base_us: MicrosField, jitter_us: MicrosField }, CLOSED)),
    seed: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    url: Type.Optional(Type.String({ pattern: "^http://[^/?#\\s]+$", maxLength: 512 })),
    key: Type.Optional(KeyReferenceSchema),
    instruments: Type.Optional(Type.Array(InstrumentSpecSchema, { minItems: 1, maxItems: 256 })),
    stale_after_ms: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
    requests_per_second: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    tape_keep_mib: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_048_576 })),
    reason: ReasonField,
  },
  CLOSED,
);
export type RegisterVenue = Static<typeof RegisterVenueInput>;

export type VenueSpec = {
  readonly venue_id: string;
  readonly kind: RegisterVenue["kind"];
  readonly files: readonly (RecordingFile & { readonly sha256: Digest })[];
  readonly pace: Pace;
  readonly fees: { readonly maker_ppm: number; readonly taker_ppm: number };
  readonly latency: { readonly base_us: number; readonly jitter_us: number };
  readonly seed: string;
  readonly report: LoadReport;
  /** Of a venue outside, with the instruments that it is used for; a recording has neither. */
  readonly live?: LiveVenueSpec;
  readonly instruments?: readonly InstrumentSpec[];
};

const OF_RECORDINGS = ["files", "pace", "fees", "latency", "seed"] as const;
const OF_SIMULATORS = ["url", "key", "instruments", "stale_after_ms", "requests_per_second", "tape_keep_mib"] as const;
const NEEDED = { recording: ["files"], venue_sim: ["url", "key", "instruments"] } as const;

/** What does not belong to the kind, or what the kind needs and is not there (RUMI-VAL-002). */
export function kindProblem(input: RegisterVenue): Failure | undefined {
  const foreign = (input.kind === "recording" ? OF_SIMULATORS : OF_RECORDINGS).find(
    (name) => input[name] !== undefined,
  );
  if (foreign !== undefined)
    return failure("RUMI-VAL-002", { field: foreign, problem: `a venue of kind ${input.kind} has none` });
  const missing = NEEDED[input.kind].find((name) => input[name] === undefined);
  return missing === undefined
    ? undefined
    : failure("RUMI-VAL-002", { field: missing, problem: `a venue of kind ${input.kind} needs it` });
}

/** What nothing was read for. */
export const NO_REPORT: LoadReport = {
  files: [],
  events: 0,
  rows_read: 0,
  rows_accepted: 0,
  rows_rejected: 0,
  first_rejected: null,
  out_of_order: 0,
  duplicates: 0,
  gaps: 0,
  id_gaps: 0,
  time_gaps: 0,
  stale: 0,
  clock_drift: 0,
  id_conflicts: 0,
  id_collisions: 0,
  rejections: {},
  first_event_time_us: null,
  last_event_time_us: null,
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
    files: (input.files ?? []).map((file) => ({
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
    ...outside(input),
  };
}

function outside(input: RegisterVenue): Pick<VenueSpec, "live" | "instruments"> {
  const { kind, url, key, instruments, tape_keep_mib } = input;
  if (kind !== "venue_sim" || url === undefined || key === undefined || instruments === undefined) return {};
  const { stale_after_ms, requests_per_second } = { ...LIVE_DEFAULTS, ...input };
  return {
    live: {
      kind,
      url,
      key,
      stale_after_ms,
      requests_per_second,
      ...(tape_keep_mib === undefined ? {} : { tape_keep_mib }),
    },
    instruments: instruments as unknown as readonly InstrumentSpec[],
  };
}

export function instrumentsOf(venue: VenueSpec): readonly InstrumentSpec[] {
  if (venue.instruments !== undefined) return venue.instruments;
  const seen = new Map<string, InstrumentSpec>();
  for (const file of venue.files) seen.set(file.instrument.instrument_id, file.instrument);
  return [...seen.values()];
}
