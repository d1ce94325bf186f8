/** The home, the program and the log itself. */
import { ALARMING, NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { flag, instant, listOf, nullable, optional, text, uuid, whole } from "./schema.ts";

const home = { environment: optional(text(16)), layout_version: optional(whole), origin: optional(text(255)) } as const;

export const HOME_KINDS = defineKinds({
  "home.created": { category: "system", severity: USUAL, retention: "permanent", details: { ...home } },
  "home.upgraded": {
    category: "system",
    severity: NOTABLE,
    retention: "permanent",
    details: { ...home, from_layout: whole, to_layout: whole, backup: optional(nullable(text(1_024))) },
  },
  "home.backed_up": {
    category: "system",
    severity: NOTABLE,
    retention: "permanent",
    details: { backup_id: uuid, log_size: whole, files: whole },
  },
  /** First leaf of a restored home's own: names the head of the log that it continues under another origin. */
  "home.restored": {
    category: "system",
    severity: NOTABLE,
    retention: "permanent",
    details: { ...home, old_checkpoint: nullable(text(4_096)), backup: optional(text(1_024)) },
  },
  "program.started": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: {
      version: optional(text(64)),
      pid: optional(whole),
      clean_before: optional(flag),
      environment: optional(text(16)),
    },
  },
  "program.stopped": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: {
      version: optional(text(64)),
      pid: optional(whole),
      signal: optional(nullable(text(16))),
      uptime_ms: optional(whole),
    },
  },
  /** Events that could not be logged when they happened: their number and the time they cover. */
  "audit.gap": {
    category: "security",
    severity: ALARMING,
    retention: "permanent",
    details: { lost: nullable(whole), from: nullable(instant), to: nullable(instant), cause: text(1_024) },
  },
  /** Salt and payload of these earlier events were deleted on purpose; their leaves stay. */
  "audit.erasure": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: {
      erased_event_ids: listOf(uuid, 1_000),
      legal_basis: optional(text(1_024)),
      /** Log indices of the first and the last of them. */
      first_index: optional(whole),
      last_index: optional(whole),
    },
  },
  "audit.pruned": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { minimum_index: whole, previous_minimum_index: whole },
  },
});
