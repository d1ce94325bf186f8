/** Bots: registry, versions, lifecycle, conditions; safety and the kill switch. */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { decimal, digest, facts, instant, listOf, nullable, oneOf, optional, text, uuid, whole } from "./schema.ts";

export const BOT_STATE_WORDS = [
  "CREATED",
  "IDLE",
  "RUNNING_PAPER",
  "RUNNING_SHADOW",
  "RUNNING_LIVE",
  "PAUSED",
  "STOPPING",
  "ERROR",
  "QUARANTINED",
] as const;
const state = oneOf(...BOT_STATE_WORDS);
const jobState = oneOf("IDLE", "RUNNING", "PAUSED", "STOPPING", "ERROR");
const mode = oneOf("NORMAL", "SAFE", "EMERGENCY_STOP");
const level = oneOf("ALLOW", "CLOSE_ONLY", "FLATTEN", "BLOCK");
const scope = optional(facts);
const version = {
  version: optional(whole),
  generation: optional(whole),
  strategy_id: optional(text(128)),
  strategy_version: optional(text(128)),
  pack_id: optional(text(64)),
  digest: optional(digest),
} as const;

/** Of which check of whose preflight, and until when. */
const override = { override_id: uuid, bot_id: text(64), check: text(64), ends_at: instant } as const;

const versions = {
  config_hash: optional(text(128)),
  from_version: optional(text(128)),
  to_version: optional(text(128)),
} as const;

const driftClass = oneOf("config", "digest", "limits", "extra_instance", "missing_instance", "clock");
const driftAction = oneOf("repair", "quarantine");
const drift = {
  drift_class: driftClass,
  place: oneOf("bot", "instance", "runner", "disk"),
  instance_id: text(256),
  runner_id: nullable(text(256)),
  epoch: whole,
  expected: text(256),
  found: text(256),
  action: driftAction,
  attempts: whole,
} as const;

const bulk = {
  digest,
  from: state,
  to: state,
  targets: whole,
  in_flight: listOf(text(64), 1_000),
  errors: whole,
  aborted: oneOf("yes", "no"),
  group_id: optional(text(64)),
  group_generation: optional(whole),
} as const;

/** A stop condition that tripped; amounts and counts as texts. */
const stopped = {
  reason_code: text(128),
  condition: oneOf("loss", "drawdown", "exposure", "rejections", "order_rate"),
  observed: text(64),
  limit: text(64),
  source: oneOf("runtime", "control_plane"),
} as const;

export const BOT_KINDS = defineKinds({
  "bot.created": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      ...version,
      venue: optional(text(64)),
      instruments: optional(listOf(text(65), 1_000)),
      display_name: optional(nullable(text(256))),
      config_hash: optional(text(128)),
    },
  },
  "bot.cloned": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      from_bot_id: optional(text(64)),
      generation: optional(whole),
      from_template_id: optional(text(64)),
      spec_hash: optional(text(128)),
    },
  },
  "bot.changelog.written": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { version: text(64), generation: whole, changelog: text(4_096) },
  },
  "bot.template.created": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { template_id: text(64), from_bot_id: nullable(text(64)), spec_hash: text(128) },
  },
  "bot.template.removed": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { template_id: text(64), spec_hash: text(128) },
  },
  "override.granted": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: override,
  },
  "override.revoked": { category: "security", severity: USUAL, retention: "permanent", details: override },
  "override.expired": { category: "security", severity: USUAL, retention: "permanent", details: override },
  "bot.version.created": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { ...version, config_hash: optional(text(128)), changed: optional(listOf(text(128), 100)) },
  },
  "bot.state.transition": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      from: nullable(state),
      to: state,
      generation: optional(whole),
      command_id: optional(nullable(uuid)),
      reason_code: optional(nullable(text(128))),
    },
  },
  "bot.condition.changed": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: {
      type: text(128),
      status: oneOf("True", "False", "Unknown"),
      previous: optional(nullable(oneOf("True", "False", "Unknown"))),
      message: optional(text(4_096)),
      reason_code: optional(nullable(text(128))),
      observed_generation: optional(whole),
    },
  },
  "bot.config.applied": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      ...version,
      at: optional(oneOf("next_tick", "next_bar", "next_checkpoint")),
      config_hash: optional(text(128)),
      changed: optional(listOf(text(128), 100)),
      /** One `{field, before, after}` for each; null where there was or is nothing. */
      diff: optional(listOf(facts, 100)),
    },
  },
  "bot.update.requested": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { ...version, ...versions },
  },
  "bot.updated": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      ...version,
      ...versions,
      instance_id: optional(text(128)),
      from_digest: optional(digest),
      from_run_id: optional(uuid),
      cursor: optional(whole),
    },
  },
  /** The new version could not begin; the former one took up the state that it had handed over. */
  "bot.update.rolled_back": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: {
      ...version,
      ...versions,
      instance_id: optional(text(128)),
      from_digest: optional(digest),
      from_run_id: optional(uuid),
      to_run_id: optional(uuid),
      reason_code: optional(text(128)),
    },
  },
  "bot.shadow.started": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: { ...version, config_hash: optional(text(128)), shadow_runs: optional(listOf(uuid, 1_000)) },
  },
  "bot.shadow.stopped": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: { shadow_runs: optional(listOf(uuid, 1_000)) },
  },
  "bot.signal.sent": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: { signal: text(128), generation: optional(whole) },
  },
  "bot.group.created": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { bot_ids: optional(listOf(text(64), 1_000)) },
  },
  "bot.group.changed": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { bot_id: text(64), change: oneOf("add", "remove"), generation: whole },
  },
  "bot.retired": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: { generation: whole, version: text(128), attested_runs: listOf(uuid, 1_000), leases: whole },
  },
  "drift.detected": { category: "security", severity: NOTABLE, retention: "financial", details: drift },
  "drift.repaired": { category: "security", severity: NOTABLE, retention: "financial", details: drift },
  "drift.quarantined": { category: "security", severity: NOTABLE, retention: "financial", details: drift },
  /** The difference was gone before anything was done. */
  "drift.cleared": { category: "system", severity: USUAL, retention: "financial", details: drift },
  "drift.brake.engaged": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { bots: whole, fleet: whole, most: whole, classes: listOf(text(32), 6) },
  },
  "drift.brake.released": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { bots: whole, rows: whole },
  },
  "drift.rule.set": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { drift_class: driftClass, from: driftAction, to: driftAction },
  },
  "job.created": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { from: state, to: state, selector: facts, max_errors: whole },
  },
  "job.state.transition": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      from: jobState,
      to: jobState,
      act: oneOf("start", "pause", "resume", "stop"),
      command_id: uuid,
      bulk_id: uuid,
      generation: whole,
    },
  },
  "safety.transition": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: {
      from: nullable(mode),
      to: mode,
      state_id: optional(uuid),
      rule_id: optional(nullable(text(128))),
      activated_at: optional(instant),
      spooled: optional(oneOf("no", "emergency_spool")),
    },
  },
  "interlock.tripped": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { latch_id: uuid, rule_id: text(64), reading: text(32), threshold: text(32) },
  },
  "interlock.cleared": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { latch_id: uuid, rule_id: text(64) },
  },
  "execution.killswitch.set": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: {
      from: nullable(level),
      to: level,
      scope,
      generation: optional(whole),
      spooled: optional(oneOf("no", "emergency_spool")),
    },
  },
  "execution.killswitch.followed": {
    category: "security",
    severity: USUAL,
    retention: "permanent",
    details: { generation: whole, instances: whole },
  },
  "freeze.set": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { hold_id: uuid, scope: facts, ends_at: nullable(instant) },
  },
  "freeze.lifted": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { hold_id: uuid, scope: facts, ends_at: nullable(instant) },
  },
  "incident.enabled": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { hold_id: uuid, scope: facts, ends_at: nullable(instant) },
  },
  "incident.disabled": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { hold_id: uuid, scope: facts, ends_at: nullable(instant) },
  },
  "lock.set": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { hold_id: uuid, scope: facts, ends_at: nullable(instant) },
  },
  "lock.lifted": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { hold_id: uuid, scope: facts, ends_at: nullable(instant) },
  },
  "gate.required": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { gate: text(128) },
  },
  "gate.disabled": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { gate: text(128) },
  },
  "bulk.started": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: bulk,
  },
  "bulk.aborted": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: bulk,
  },
  "bulk.paused": { category: "system", severity: NOTABLE, retention: "financial", details: bulk },
  "bulk.resumed": { category: "system", severity: NOTABLE, retention: "financial", details: bulk },
  "bulk.retried": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: bulk,
  },
  "bulk.over": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: bulk,
  },
  "capital.pool.set": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: {
      venue: text(64),
      account: text(64),
      currency: text(64),
      size: decimal,
      previous: nullable(decimal),
      balance: decimal,
      allocated: decimal,
    },
  },
  "capital.allocated": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { pool_id: text(200), currency: text(64), capital: decimal, previous: nullable(decimal) },
  },
  "bot.stop_condition.tripped": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { ...stopped, instances: listOf(text(256), 1_000) },
  },
  "bot.stop_condition.acknowledged": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: stopped,
  },
  "gate.reported": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: {
      gate: text(128),
      state: oneOf("PASS", "FAIL", "UNKNOWN"),
      previous: optional(nullable(oneOf("PASS", "FAIL", "UNKNOWN"))),
      rules: optional(listOf(facts, 200)),
    },
  },
  "support_bundle.created": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: { manifest_sha256: text(128), files: optional(whole), bytes: optional(whole) },
  },
});
