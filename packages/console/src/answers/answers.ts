/** Every answer of the API that this page reads, as the page needs it. The only place that knows wire shapes. */
import {
  anything,
  decimal,
  integer,
  list,
  mapOf,
  nullable,
  number,
  object,
  oneOf,
  optional,
  text,
  flag,
  type Of,
} from "./shape.ts";

export const BOT_STATES = [
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
export type BotState = (typeof BOT_STATES)[number];
const botState = oneOf(...BOT_STATES);
const mode = oneOf("paper", "shadow", "live");
export type Mode = Of<typeof mode>;

export const safetyState = object({
  mode: oneOf("NORMAL", "SAFE", "EMERGENCY_STOP"),
  reason: text,
  activated_by: text,
  activated_at: text,
  /** In force, and the log could not take it yet. */
  spooled: optional(flag),
});
export type SafetyState = Of<typeof safetyState>;
export type SafetyMode = SafetyState["mode"];

const botFields = {
  bot_id: text,
  display_name: text,
  state: botState,
  version: text,
  generation: integer,
  labels: mapOf(text),
  spec: object({
    strategy: object({ pack_id: text, strategy_id: text, strategy_version: text, digest: text }),
    venue: text,
    instruments: list(text),
    config: mapOf(anything),
    capital: text,
    isolation: text,
  }),
  status: object({ mode: nullable(mode), run_id: nullable(text), reason: text, since: text }),
  created_at: text,
  created_by: text,
} as const;
const bot = object(botFields);
export type Bot = Of<typeof bot>;
export const botsPage = object({ bots: list(bot), next_cursor: nullable(text) });

const instance = object({
  bot_id: text,
  strategy_id: text,
  instance_id: text,
  run_id: nullable(text),
  mode: nullable(mode),
  phase: text,
  health_state: nullable(oneOf("healthy", "degraded", "halted")),
  reason_code: nullable(text),
  isolation: nullable(object({ level: text, mechanism: text })),
  events_total: integer,
  intents_total: integer,
  orders_open: integer,
  counters: mapOf(number),
  runbook: optional(text),
  trace_id: optional(text),
  slo: optional(
    object({
      level: oneOf("none", "adjust", "degrade", "halt"),
      reason_code: nullable(text),
      promised: mapOf(number),
      measured: mapOf(number),
    }),
  ),
  breaker: optional(
    object({
      state: oneOf("open", "closed"),
      mode: nullable(text),
      trigger: nullable(text),
      reason_code: nullable(text),
      trips: integer,
    }),
  ),
  failure: nullable(object({ error_code: text, reason_code: nullable(text), error: text, suggestion: text })),
  updated_at: text,
});
export type Instance = Of<typeof instance>;
export const instancesAnswer = object({ instances: list(instance) });

const condition = object({
  type: text,
  status: oneOf("True", "False", "Unknown"),
  reason: text,
  message: text,
  last_transition_time: text,
});
const version = object({
  generation: integer,
  version: text,
  created_at: text,
  created_by: text,
  reason: text,
});
const finding = object({
  subject: object({ kind: text, id: text }),
  class: text,
  error_code: nullable(text),
  reason_code: nullable(text),
  probable_cause: text,
  next_step: text,
  runbook: nullable(text),
  since: nullable(text),
});
export const botDetail = object({
  ...botFields,
  triage: optional(object({ state: oneOf("ok", "failing", "stuck"), findings: list(finding) })),
  conditions: list(condition),
  versions: list(version),
});
export type BotDetail = Of<typeof botDetail>;

const position = object({
  bot_id: text,
  instance_id: text,
  instrument_id: text,
  quantity: decimal,
  average_price: decimal,
  realised_profit: decimal,
  unrealised_profit: decimal,
  fees: decimal,
  last_price: decimal,
});
export type Position = Of<typeof position>;
export const positionsAnswer = object({ positions: list(position) });

/** The trade inside a fill's record; prices and quantities are decimal texts. */
export const trade = object({
  instrument_id: nullable(text),
  side: oneOf("buy", "sell"),
  price: decimal,
  quantity: decimal,
  fee: decimal,
  liquidity: optional(text),
});
export type Trade = Of<typeof trade>;
const place = { run_id: text, seq: integer, bot_id: text, at_us: integer } as const;
const fill = object({ ...place, event_time_us: integer, trace_id: optional(text), fill: trade });
export type Fill = Of<typeof fill>;
export const fillsPage = object({ fills: list(fill), next_cursor: nullable(text) });

export const report = object({
  report: optional(text),
  instrument_id: optional(text),
  side: optional(text),
  remaining: optional(text),
  reason_code: optional(text),
});
export const ordersPage = object({ orders: list(object({ ...place, report })) });

/** Only the words that some kinds of intent have. */
export const intentBody = object({
  kind: text,
  instrument_id: optional(text),
  side: optional(text),
  order_type: optional(text),
  price: optional(text),
  quantity: optional(text),
  target: optional(text),
  code: optional(text),
  reason: optional(text),
});
export const intentsPage = object({
  intents: list(object({ ...place, verdict: text, reason_code: nullable(text), intent: intentBody })),
});

export const auditEvent = object({
  event_id: text,
  log_index: integer,
  action: text,
  actor: text,
  resource_type: text,
  resource_id: text,
  outcome: text,
  occurred_at: text,
  details: mapOf(anything),
});
export type AuditEvent = Of<typeof auditEvent>;
export const auditPage = object({ events: list(auditEvent) });

export const eventProof = object({
  schema_version: integer,
  index: integer,
  leaf: text,
  salt: nullable(text),
  payload: nullable(text),
  hashes: list(text),
  checkpoint: text,
});

const pack = object({
  pack_id: text,
  state: text,
  display_name: nullable(text),
  version: nullable(text),
  digest: nullable(text),
  approved_digest: nullable(text),
  source_dir: text,
  note: nullable(text),
  strategies: list(object({ strategy_id: text, strategy_version: text, runtime_kind: text })),
});
export type Pack = Of<typeof pack>;
export const packsAnswer = object({ packs: list(pack) });

const manifest = object({
  required_network: optional(list(anything)),
  required_secrets: optional(list(text)),
  strategies: list(
    object({
      strategy_id: text,
      config_schema: mapOf(object({ secret: optional(anything), unit: optional(text) })),
    }),
  ),
});
export type Manifest = Of<typeof manifest>;
export const packStatus = object({
  manifest: nullable(manifest),
  approved_manifest: nullable(manifest),
});
export type PackStatus = Of<typeof packStatus>;

const venue = object({
  venue_id: text,
  kind: text,
  instruments: list(text),
  rows_accepted: integer,
  rows_rejected: integer,
});
export type Venue = Of<typeof venue>;
export const venuesAnswer = object({ venues: list(venue) });

export const venueDetail = object({
  venue_id: text,
  pace: object({ kind: text, factor: optional(number) }),
  fees: object({ maker_ppm: integer, taker_ppm: integer }),
  report: object({
    files: list(object({ path: text, sha256: text, format: text, rows_accepted: integer })),
    rows_read: integer,
    rows_accepted: integer,
    rows_rejected: integer,
    out_of_order: integer,
    duplicates: integer,
    gaps: integer,
    first_rejected: nullable(object({ path: text, line: integer, problem: text })),
  }),
});
export type VenueDetail = Of<typeof venueDetail>;

/** What stands in the way of something that was asked for. */
export const blocker = object({
  error_code: text,
  reason_code: nullable(text),
  error: text,
  suggestion: optional(text),
});
export type Blocker = Of<typeof blocker>;

/** What a dangerous operation asks for before it is done. */
export const challenge = object({
  challenge_id: text,
  intent_hash: text,
  phrase: text,
  requires: list(text),
  expiry: text,
  /** What it would do, and what stands in its way. */
  preview: optional(mapOf(anything)),
  blocked_by: optional(list(blocker)),
});
export type Challenge = Of<typeof challenge>;

/** What something would do; nothing of it was done. */
export const dryRun = object({
  would: oneOf("apply", "challenge", "refuse"),
  refusals: list(blocker),
  preview: mapOf(anything),
  /** What the house's guardrails say to it, where they have a say. */
  guardrail: optional(object({ warnings: list(text), missing: list(text), dry_run_counts_until: optional(text) })),
});
export type DryRun = Of<typeof dryRun>;

export const refusal = object({
  error: text,
  error_code: text,
  reason_code: optional(text),
  suggestion: text,
  status_code: integer,
  trace_id: optional(text),
  /** The page that says what to do. */
  runbook: optional(text),
  challenge: optional(challenge),
});
export type Refusal = Of<typeof refusal>;
