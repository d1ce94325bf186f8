/** Venues, leases, runners, instances and the runner's journal. */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import {
  digest,
  facts,
  flag,
  instant,
  listOf,
  measured,
  nullable,
  oneOf,
  optional,
  tableOf,
  text,
  uuid,
  whole,
} from "./schema.ts";

const health = oneOf("healthy", "degraded", "halted");
const instance = {
  bot_id: optional(text(64)),
  strategy_id: optional(text(128)),
  instance_id: optional(text(128)),
  epoch: optional(whole),
  generation: optional(whole),
  runner_id: optional(nullable(text(128))),
  mode: optional(oneOf("paper", "shadow", "live")),
  reason_code: optional(nullable(text(128))),
} as const;
/** Where in the run's journal it stands. */
const journalled = { seq: whole, cursor: whole, event_time_us: whole } as const;
const lease = {
  holder: optional(nullable(text(256))),
  previous_holder: optional(nullable(text(256))),
  epoch: whole,
  lease_until: optional(nullable(instant)),
} as const;
const runner = {
  protocol_version: optional(whole),
  version: optional(text(64)),
  pid: optional(whole),
  instances: optional(whole),
  reason_code: optional(nullable(text(128))),
} as const;
const checkpoint = {
  ...instance,
  checkpoint_seq: optional(whole),
  cursor: optional(whole),
  state_sha256: optional(text(128)),
  replayed_events: optional(whole),
} as const;

export const EXECUTION_KINDS = defineKinds({
  "venue.registered": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { kind: optional(text(64)), instruments: optional(listOf(text(65), 10_000)) },
  },
  "recording.registered": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      venue: optional(text(64)),
      instrument: optional(text(65)),
      format: optional(text(64)),
      sha256: optional(digest),
      rows: optional(whole),
      rejected: optional(whole),
      files: optional(listOf(facts, 1_000)),
    },
  },
  "lease.acquired": { category: "system", severity: USUAL, retention: "financial", details: { ...lease } },
  "lease.lost": { category: "system", severity: NOTABLE, retention: "financial", details: { ...lease } },
  "lease.expired": { category: "system", severity: NOTABLE, retention: "financial", details: { ...lease } },
  "lease.released": { category: "system", severity: USUAL, retention: "financial", details: { ...lease } },
  "runner.joined": { category: "system", severity: USUAL, retention: "standard", details: { ...runner } },
  "runner.adopted": { category: "system", severity: NOTABLE, retention: "standard", details: { ...runner } },
  "runner.lost": {
    category: "system",
    severity: { SUCCESS: "error", REJECTED: "error", FAILURE: "error" },
    retention: "standard",
    details: { ...runner },
  },
  "instance.started": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      ...instance,
      pack_digest: optional(digest),
      isolation: optional(nullable(text(128))),
      seed: optional(text(256)),
    },
  },
  "instance.stopped": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      ...instance,
      cursor: optional(whole),
      open_orders: optional(whole),
      events: optional(whole),
      intents: optional(whole),
      fills: optional(whole),
    },
  },
  "instance.stop.step": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { ...instance, rung: text(64), open_orders: optional(nullable(whole)) },
  },
  "instance.stop.blocked": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: { ...instance, rung: nullable(text(64)), why: text(512) },
  },
  "instance.failed": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { ...instance, error_code: optional(text(32)), error: optional(text(4_096)) },
  },
  "instance.health.changed": {
    category: "system",
    severity: NOTABLE,
    retention: "standard",
    details: { ...instance, from: nullable(health), to: health, measured: optional(measured) },
  },
  "instance.breaker.opened": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { ...instance, ...journalled, breaker_mode: text(32), trigger: text(32) },
  },
  "instance.breaker.closed": {
    category: "security",
    severity: USUAL,
    retention: "financial",
    details: { ...instance, ...journalled },
  },
  "instance.breaker.asked": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { ...instance, asked: oneOf("trip", "reset"), breaker_mode: optional(nullable(text(32))) },
  },
  "intent.staging.asked": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...instance, staged_run_id: uuid, idempotency_key: text(20), asked: oneOf("approve", "reject") },
  },
  "intent.staging.changed": {
    category: "approval",
    severity: USUAL,
    retention: "financial",
    details: {
      ...instance,
      ...journalled,
      staged_run_id: uuid,
      idempotency_key: text(20),
      state: oneOf("staged", "approved", "committed", "rejected", "expired", "refused", "voided"),
      by: nullable(text(256)),
    },
  },
  "instance.pressure.changed": {
    category: "system",
    severity: NOTABLE,
    retention: "standard",
    details: { ...instance, ...journalled, source: text(32), level: text(32), measured: tableOf(measured) },
  },
  "instance.shadow.diverged": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: {
      ...instance,
      primary_run_id: optional(uuid),
      cursor: optional(whole),
      matched: optional(whole),
      only_primary: optional(whole),
      only_shadow: optional(whole),
      primary: optional(listOf(text(4_096), 64)),
      shadow: optional(listOf(text(4_096), 64)),
    },
  },
  "instance.checkpoint.restored": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: { ...checkpoint },
  },
  "instance.checkpoint.rolled_back": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: {
      ...checkpoint,
      ...journalled,
      rejected_checkpoint_seq: optional(whole),
      problem: optional(text(1_024)),
      /** Name of the damaged slot as it was put aside. */
      evidence: optional(text(256)),
    },
  },
  "instance.config.effective": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { ...instance, ...journalled, by: optional(text(256)) },
  },
  "journal.segment.sealed": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      ...instance,
      segment: whole,
      merkle_root: text(128),
      records: whole,
      first_seq: whole,
      last_seq: whole,
      intents: optional(whole),
      orders: optional(whole),
      fills: optional(whole),
      sha256: optional(text(128)),
    },
  },
  "strategy.admission": {
    category: "approval",
    severity: USUAL,
    retention: "financial",
    details: {
      pack_id: optional(text(64)),
      strategy_id: optional(text(128)),
      digest: optional(digest),
      admitted: flag,
      checks: optional(listOf(facts, 200)),
      reason_code: optional(nullable(text(128))),
      report_id: optional(uuid),
    },
  },
});
