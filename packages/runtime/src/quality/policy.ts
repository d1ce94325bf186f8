/**
 * What an instance does about flawed market data (M-11.2): one reaction per quality flag, part of a bot's version, optional.
 *
 * A reaction holds for the instrument whose row carried the flag, until so many clean rows of it have come.
 */
import { err, failure, ok, type Failure, type Json, type Result } from "@rumi/kernel";
import { FLAG_CLOCK_DRIFT, FLAG_DUPLICATE, FLAG_GAP, FLAG_OUT_OF_ORDER, FLAG_STALE } from "@rumi/venues";

/** The flags' bits in a feed's rows, which are those of the strategy ABI. */
export const QUALITY_FLAGS = {
  stale: FLAG_STALE,
  gap: FLAG_GAP,
  dup: FLAG_DUPLICATE,
  out_of_order: FLAG_OUT_OF_ORDER,
  clock_drift: FLAG_CLOCK_DRIFT,
} as const;
export type QualityFlag = keyof typeof QUALITY_FLAGS;

export const QUALITY_REACTIONS = [
  /** The strategy sees the flag; nothing else happens. */
  "ignore",
  /** Market orders are refused. */
  "limit_only",
  /** What enlarges a position is cut to half. */
  "reduce_size",
  /** Nothing but cancels passes. */
  "no_trade",
  /** The same until a book snapshot comes, or many clean rows. */
  "resync",
] as const;
export type QualityReaction = (typeof QUALITY_REACTIONS)[number];

export type DataQualityPolicy = Readonly<Record<QualityFlag, QualityReaction>>;
/** As written in a bot's version: what is left out is the default's. */
export type DataQuality = Partial<DataQualityPolicy>;

/** Late and incomplete data is no ground to trade on; a row that comes twice or displaced harms nobody. */
export const DATA_QUALITY_DEFAULT: DataQualityPolicy = {
  stale: "no_trade",
  gap: "resync",
  dup: "ignore",
  out_of_order: "ignore",
  clock_drift: "ignore",
};

export const QUALITY_LIMITS = {
  /** Clean rows of the instrument after which a reaction ends. */
  clean_rows: 16,
  /** Clean rows after which a resync ends where no snapshot comes. */
  resync_clean_rows: 64,
} as const;

/** RUMI-VAL-002 names the first field that is unknown or no reaction. */
export function parseDataQuality(json: Json): Result<DataQuality, Failure> {
  const refused = (field: string, problem: string) => err(failure("RUMI-VAL-002", { field, problem }));
  if (json === null || typeof json !== "object" || Array.isArray(json))
    return refused("data_quality", "must be an object of flags and reactions");
  for (const [flag, reaction] of Object.entries(json)) {
    if (!(flag in QUALITY_FLAGS))
      return refused(`data_quality.${flag}`, `is not a quality flag (${Object.keys(QUALITY_FLAGS).join(", ")})`);
    if (typeof reaction !== "string" || !(QUALITY_REACTIONS as readonly string[]).includes(reaction))
      return refused(`data_quality.${flag}`, `must be one of ${QUALITY_REACTIONS.join(", ")}`);
  }
  return ok(json as DataQuality);
}
