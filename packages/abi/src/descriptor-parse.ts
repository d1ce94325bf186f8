/**
 * Strict reading of a Strategy Descriptor and check of its binary (M-2.1.1, M-2.1.5).
 *
 * Closed objects all the way down, no defaults, no coercion; the failure names the first offending field.
 */
import { digestOf, err, type Failure, failure, ID_PATTERNS, type Json, ok, type Result } from "@rumi/kernel";
import { checkConfigField } from "./config.ts";
import { RUNTIME_KINDS, type StrategyDescriptor } from "./descriptor.ts";
import { closed, listOf, mapOf, type Offence, oneOf, type Rule, share, text, whole } from "./rules.ts";

/** Largest values a descriptor may ask for. */
export const DESCRIPTOR_LIMITS = {
  event_timeout_ms: 60_000,
  fuel_per_event: 1_000_000_000,
  memory_bytes: 4_294_967_296,
  threads: 64,
  queue_events: 1_000_000,
  intents_per_event: 1_000,
  intents_per_second: 100_000,
  log_bytes_per_second: 16_777_216,
  log_bytes_per_run: 1_073_741_824,
  state_bytes: 1_000_000,
  config_fields: 128,
  list_entries: 256,
} as const;

const L = DESCRIPTOR_LIMITS;
const star = (pattern: string): string => `^\\*$|${pattern}`;
const SERVICE = "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?:[1-9]\\d{0,4}$";

const capabilities = closed(
  {
    subscribe: listOf(oneOf("trade", "quote", "bar", "book", "execution", "safety", "timer", "signal"), 1, 8),
    order_types: listOf(oneOf("limit", "market"), 0, 2),
    venues: listOf(text(star(ID_PATTERNS.venue), "must be * or a venue id"), 1, L.list_entries),
    instruments: listOf(text(star(ID_PATTERNS.instrument), "must be * or SYMBOL.VENUE"), 1, L.list_entries),
    external_services: listOf(text(SERVICE, "must be host:port"), 0, L.list_entries),
    lane: oneOf("ll", "compute"),
    services: listOf(text("^[a-z][a-z0-9_]{0,31}$", "must be a service's name"), 0, L.list_entries),
  },
  ["services"],
);

const resources = closed({
  event_timeout_ms: whole(1, L.event_timeout_ms),
  fuel_per_event: whole(1, L.fuel_per_event),
  memory_bytes: whole(65_536, L.memory_bytes),
  threads: whole(1, L.threads),
  cpu: share(1),
  queue_events: whole(1, L.queue_events),
  intents_per_event: whole(0, L.intents_per_event),
  intents_per_second: whole(0, L.intents_per_second),
  log_bytes_per_second: whole(0, L.log_bytes_per_second),
  log_bytes_per_run: whole(0, L.log_bytes_per_run),
  state_bytes: whole(0, L.state_bytes),
});

/** A relative path that stays inside the pack. */
const entrypoint: Rule = (value, path) => {
  const good =
    typeof value === "string" &&
    value.length <= 256 &&
    /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(value) &&
    !value.split("/").some((part) => part === "." || part === "..");
  return good ? undefined : { path, kind: "malformed", problem: "must be a relative path inside the pack" };
};

const descriptor = closed({
  strategy_id: text("^[a-z][a-z0-9_-]{0,63}$", "must be lower-case letters, digits, _ and -"),
  strategy_version: text(`^(?=.{1,64}$)${ID_PATTERNS.semver.slice(1)}`, "must be a semantic version"),
  runtime_kind: oneOf(...RUNTIME_KINDS),
  instance_model: oneOf("single", "sharded"),
  entrypoint,
  capabilities,
  resources,
  state_schema_version: whole(1, 2 ** 31 - 1),
  config_schema: mapOf("^[a-z][a-z0-9_]{0,63}$", checkConfigField, L.config_fields),
  io_contracts: closed({ abi: oneOf(1), events: oneOf(1), intents: oneOf(1) }),
  binary_hash: text(
    ID_PATTERNS.digest,
    "must be sha256: and 64 hexadecimal digits, as `rumi strategy build` writes it",
  ),
});

const REASON: Readonly<Record<Offence["kind"], string>> = {
  missing: "M.DESCRIPTOR.MISSING",
  unknown: "M.DESCRIPTOR.UNKNOWN",
  malformed: "M.DESCRIPTOR.MALFORMED",
};

/** RUMI-STR-001 with the field's path, e.g. `resources.memory_bytes`, and M.DESCRIPTOR.MISSING | UNKNOWN | MALFORMED. */
export function parseDescriptor(json: Json): Result<StrategyDescriptor, Failure> {
  const offence = descriptor(json, "");
  if (offence === undefined) return ok(json as unknown as StrategyDescriptor);
  const field = offence.path === "" ? "descriptor" : offence.path;
  return err(
    failure(
      "RUMI-STR-001",
      { field, problem: offence.problem },
      { reasonCode: REASON[offence.kind], details: { field } },
    ),
  );
}

/** Compares the entrypoint's bytes with the descriptor's binary_hash (M-2.1.5). RUMI-STR-003, M.DESCRIPTOR.BINARY_HASH. */
export function verifyBinary(of: StrategyDescriptor, bytes: Uint8Array): Result<true, Failure> {
  const found = digestOf(bytes);
  if (found === of.binary_hash) return ok(true);
  return err(
    failure(
      "RUMI-STR-003",
      { entrypoint: of.entrypoint, expected: of.binary_hash, found },
      { reasonCode: "M.DESCRIPTOR.BINARY_HASH" },
    ),
  );
}
