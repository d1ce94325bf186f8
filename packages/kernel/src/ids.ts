/** Identifiers: one brand and one parser each. A plain string never passes for an id. */
import type { Micros } from "./time.ts";
import type { Random } from "./random.ts";

type Brand<Name extends string> = string & { readonly __brand: Name };

export type Uuid = Brand<"Uuid">;
export type BotId = Brand<"BotId">;
export type InstrumentId = Brand<"InstrumentId">;
export type VenueId = Brand<"VenueId">;
export type PackId = Brand<"PackId">;
export type ClientOrderId = Brand<"ClientOrderId">;
/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = Brand<"Digest">;

export const ENVIRONMENTS = ["dev", "stage", "prod"] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** The one place where an id's form is written; the API's schemas quote these. */
export const ID_PATTERNS = {
  uuid: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
  bot: "^[a-z0-9][a-z0-9-]{0,63}$",
  instrument: "^[A-Z0-9][A-Z0-9_-]{0,31}\\.[A-Z0-9][A-Z0-9_-]{0,31}$",
  venue: "^[A-Z0-9][A-Z0-9_-]{0,31}$",
  pack: "^[A-Za-z0-9_-]{1,64}$",
  clientOrder: "^[A-Za-z0-9]{1,32}$",
  digest: "^sha256:[0-9a-f]{64}$",
  semver:
    "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(-[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?(\\+[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?$",
} as const;

const matcher = <Name extends string>(pattern: string) => {
  const form = new RegExp(pattern);
  return (text: string): Brand<Name> | undefined => (form.test(text) ? (text as Brand<Name>) : undefined);
};

export const parseUuid: (text: string) => Uuid | undefined = matcher<"Uuid">(ID_PATTERNS.uuid);
export const parseBotId: (text: string) => BotId | undefined = matcher<"BotId">(ID_PATTERNS.bot);
export const parseInstrumentId: (text: string) => InstrumentId | undefined = matcher<"InstrumentId">(
  ID_PATTERNS.instrument,
);
export const parseVenueId: (text: string) => VenueId | undefined = matcher<"VenueId">(ID_PATTERNS.venue);
export const parsePackId: (text: string) => PackId | undefined = matcher<"PackId">(ID_PATTERNS.pack);
export const parseClientOrderId: (text: string) => ClientOrderId | undefined = matcher<"ClientOrderId">(
  ID_PATTERNS.clientOrder,
);
export const parseDigest: (text: string) => Digest | undefined = matcher<"Digest">(ID_PATTERNS.digest);

/** UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then randomness; sorts by creation time. */
export function uuidv7(now: Micros, random: Random): Uuid {
  const bytes = random.bytes(16);
  let ms = Math.floor(now / 1_000);
  for (let i = 5; i >= 0; i -= 1) {
    bytes[i] = ms % 256;
    ms = Math.floor(ms / 256);
  }
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Uuid;
}
