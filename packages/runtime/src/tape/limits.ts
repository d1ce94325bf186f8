/** Limits of a tape; each is reached by a test of tape.test.ts. */
import type { LiveVenueSpec } from "../protocol.ts";
import { GROUP_HEAD_BYTES } from "./group.ts";
import { ROW_BYTES_MAX } from "./row.ts";

export const TAPE_LIMITS = {
  /** A segment that has so many bytes is followed by the next one. */
  segment_bytes: 16_777_216,
  /** Rows of a group wait until they have so many bytes, or until somebody looks. */
  group_bytes: 65_536,
  /** Bytes of segments that are kept although no state checkpoint needs them; the venue's setting, all by default. */
  keep_bytes: Number.POSITIVE_INFINITY,
  /** Rows that a live feed keeps behind the one at hand. */
  rows_behind: 65_536,
} as const;
export type TapeLimits = { readonly [name in keyof typeof TAPE_LIMITS]: number };

const MIB = 1_048_576;
/** What a venue's settings say of the tapes of its runs. */
export const tapeLimitsOf = ({ tape_keep_mib }: Pick<LiveVenueSpec, "tape_keep_mib">): Partial<TapeLimits> =>
  tape_keep_mib === undefined ? {} : { keep_bytes: tape_keep_mib * MIB };

/** Largest group: one of the usual size, and a row that only just did not fill it. */
export const GROUP_BYTES_MAX = GROUP_HEAD_BYTES + TAPE_LIMITS.group_bytes + ROW_BYTES_MAX;
