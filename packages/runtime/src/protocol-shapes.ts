/** The protocol's messages as checkable shapes: closed objects, no coercion, every text and list bounded. */
import { ID_PATTERNS } from "@rumi/kernel";
import { RECORDING_FORMATS } from "@rumi/venues";
import { KILL_LEVELS, KILL_RULES_MAX, KILL_SCOPES } from "./kill-switch/rules.ts";
import { QUALITY_FLAGS, QUALITY_REACTIONS } from "./quality/policy.ts";
import { BREAKER_MODES, BREAKER_TRIGGERS } from "./breaker/config.ts";
import { COMPUTE_POLICIES } from "./compute/policy.ts";
import { STOP_CONDITIONS } from "./stop-conditions/config.ts";
import { STAGING_STATES } from "./staging/policy.ts";
import { SLO_LEVELS } from "./slo/slo.ts";

type Shape =
  | { readonly is: "string"; readonly pattern?: RegExp; readonly max?: number }
  | { readonly is: "integer" }
  | { readonly is: "number" }
  | { readonly is: "boolean" }
  | { readonly is: "json" }
  | { readonly is: "words"; readonly words: readonly (string | number | boolean | null)[] }
  | { readonly is: "list"; readonly of: Shape; readonly max: number }
  | { readonly is: "map"; readonly of: Shape }
  | { readonly is: "null_or"; readonly of: Shape }
  | { readonly is: "object"; readonly fields: Readonly<Record<string, Shape>>; readonly optional?: readonly string[] }
  /** The first whose `on` field equals. */
  | { readonly is: "union"; readonly on: string; readonly of: Readonly<Record<string, Shape>> };

/** Empty, or where and what is wrong. */
export function checkShape(shape: Shape, value: unknown, path: string): string {
  switch (shape.is) {
    case "string":
      if (typeof value !== "string") return `${path} is no text`;
      if (value.length > (shape.max ?? 4_096)) return `${path} is too long`;
      return shape.pattern === undefined || shape.pattern.test(value) ? "" : `${path} has not its form`;
    case "integer":
      return Number.isSafeInteger(value) && (value as number) >= 0 ? "" : `${path} is no count`;
    case "number":
      return typeof value === "number" && Number.isFinite(value) ? "" : `${path} is no number`;
    case "boolean":
      return typeof value === "boolean" ? "" : `${path} is neither true nor false`;
    case "json":
      return typeof value === "object" && value !== null && !Array.isArray(value) ? "" : `${path} is no object`;
    case "words":
      return shape.words.includes(value as string) ? "" : `${path} is none of its words`;
    case "null_or":
      return value === null ? "" : checkShape(shape.of, value, path);
    case "list": {
      if (!Array.isArray(value)) return `${path} is no list`;
      if (value.length > shape.max) return `${path} has more than ${shape.max} items`;
      for (const [index, item] of value.entries()) {
        const problem = checkShape(shape.of, item, `${path}[${index}]`);
        if (problem !== "") return problem;
      }
      return "";
    }
    case "map": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return `${path} is no object`;
      for (const [name, item] of Object.entries(value)) {
        const problem = checkShape(shape.of, item, `${path}.${name.slice(0, 64)}`);
        if (problem !== "") return problem;
      }
      return "";
    }
    case "union": {
      const word =
        typeof value === "object" && value !== null
          ? (value as Readonly<Record<string, unknown>>)[shape.on]
          : undefined;
      const chosen = Object.hasOwn(shape.of, String(word)) ? shape.of[String(word)] : undefined;
      return chosen === undefined ? `${path}.${shape.on} is none of its words` : checkShape(chosen, value, path);
    }
    case "object": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return `${path} is no object`;
      const object = value as Readonly<Record<string, unknown>>;
      for (const name of Object.keys(object))
        if (!Object.hasOwn(shape.fields, name)) return `${path}.${name.slice(0, 64)} is not known`;
      for (const [name, field] of Object.entries(shape.fields)) {
        if (!Object.hasOwn(object, name)) {
          if (shape.optional?.includes(name) === true) continue;
          return `${path}.${name} is missing`;
        }
        const problem = checkShape(field, object[name], `${path}.${name}`);
        if (problem !== "") return problem;
      }
      return "";
    }
  }
}

const text: Shape = { is: "string" };
const long: Shape = { is: "string", max: 65_536 };
const count: Shape = { is: "integer" };
const number: Shape = { is: "number" };
const flag: Shape = { is: "boolean" };
const json: Shape = { is: "json" };
const uuid: Shape = { is: "string", pattern: new RegExp(ID_PATTERNS.uuid) };
const digest: Shape = { is: "string", pattern: new RegExp(ID_PATTERNS.digest) };
const hex32: Shape = { is: "string", pattern: /^[0-9a-f]{64}$/ };
const money: Shape = { is: "string", pattern: /^\d{1,30}(\.\d{1,8})?$/ };
const word = (...words: readonly (string | number | boolean | null)[]): Shape => ({ is: "words", words });
const list = (of: Shape, max: number): Shape => ({ is: "list", of, max });
const orNull = (of: Shape): Shape => ({ is: "null_or", of });
const object = (fields: Readonly<Record<string, Shape>>, optional: readonly string[] = []): Shape => ({
  is: "object",
  fields,
  optional,
});
const message = (type: string, fields: Readonly<Record<string, Shape>>): Shape =>
  object({ type: word(type), ...fields });

const key = {
  bot_id: { is: "string", pattern: new RegExp(ID_PATTERNS.bot) } as Shape,
  strategy_id: text,
  instance_id: text,
};
const failureBody = object({ error_code: text, reason_code: orNull(text), error: long, suggestion: long });

const instrument = object({
  instrument_id: { is: "string", pattern: new RegExp(ID_PATTERNS.instrument) },
  price_digits: count,
  quantity_digits: count,
  tick_size: count,
  lot_size: count,
  min_quantity: count,
  max_quantity: count,
  base_currency: text,
  quote_currency: text,
});

const rule = object({ count, within_us: count, mode: word(...BREAKER_MODES), share_percent: count }, ["share_percent"]);
/** Whether its numbers make sense was judged when the bot's version was made; here they must be numbers. */
const breaker = object({
  rules: object(Object.fromEntries(BREAKER_TRIGGERS.map((trigger) => [trigger, rule])), BREAKER_TRIGGERS),
  back: {
    is: "union",
    on: "kind",
    of: {
      cooldown: object({ kind: word("cooldown"), after_us: count }),
      calm: object({ kind: word("calm"), quiet_us: count }),
      manual: object({ kind: word("manual") }),
    },
  },
});
const rate = object({ count, within_us: count });
const stopFields = {
  max_loss: money,
  max_drawdown: money,
  max_exposure: money,
  max_rejections: rate,
  max_order_rate: rate,
};
const stopConditions = object(stopFields, Object.keys(stopFields));
const qualityFlags = Object.keys(QUALITY_FLAGS);
const dataQuality = object(
  Object.fromEntries(qualityFlags.map((flag) => [flag, word(...QUALITY_REACTIONS)])),
  qualityFlags,
);
const sloNumbers = { p95_latency_us: number, drop_rate_ppm: number, cpu_seconds_per_minute: number };
const slo = object(sloNumbers, Object.keys(sloNumbers));

/** The descriptor's own rules are admission's business; here it must be an object. */
const earlierRun = object({ run_id: uuid, run_dir: text });
const OPTIONAL_OF_SPEC =
  "group_id isolation_level admission begin from follows breaker stop_conditions data_quality slo compute services staging".split(
    " ",
  );
const spec = object(
  {
    ...key,
    group_id: text,
    strategy_version: text,
    run_id: uuid,
    trace_id: { is: "string", pattern: /^[0-9a-f-]{32,36}$/ },
    epoch: count,
    generation: count,
    mode: word("paper", "shadow", "live"),
    descriptor: json,
    pack_dir: text,
    pack_digest: digest,
    config: json,
    seed: text,
    environment: text,
    instruments: list(instrument, 1_024),
    venue: object(
      {
        venue_id: text,
        files: list(
          object({
            path: text,
            format: word(...RECORDING_FORMATS),
            instrument,
            sha256: digest,
          }),
          1_024,
        ),
        pace: {
          is: "union",
          on: "kind",
          of: { max: object({ kind: word("max") }), multiple: object({ kind: word("multiple"), factor: number }) },
        },
        maker_fee_ppm: number,
        taker_fee_ppm: number,
        latency_us: count,
        latency_jitter_us: count,
        seed: text,
        live: object(
          {
            kind: word("venue_sim"),
            url: text,
            key: object({ file: text, env: text }, ["file", "env"]),
            stale_after_ms: count,
            requests_per_second: count,
            tape_keep_mib: count,
          },
          ["tape_keep_mib"],
        ),
      },
      ["live"],
    ),
    limits: object({ capital: money, intents_per_second: count, max_open_orders: count }),
    isolation: word("any", "strict"),
    isolation_level: word("L0", "L1", "L2", "L3"),
    admission: object({ report_id: text, key: digest }),
    run_dir: text,
    start: word("fresh", "resume"),
    begin: word("running", "paused"),
    from: earlierRun,
    follows: earlierRun,
    lease: object({ ttl_ms: count }),
    breaker,
    stop_conditions: stopConditions,
    data_quality: dataQuality,
    staging: object({ expires_after_us: count, max_staged: count, approve_up_to: money }, ["approve_up_to"]),
    slo,
    services: list(
      object({ name: text, entrypoint: text, request: json, answer: json, timeout_ms: count, staleness_us: count }),
      16,
    ),
    compute: object({
      descriptor: json,
      config: json,
      staleness_us: count,
      when_behind: word(...COMPUTE_POLICIES),
    }),
  },
  OPTIONAL_OF_SPEC,
);

const inspection = object({
  sampled_events: list(
    object({
      schema_version: word(1),
      run_id: uuid,
      trace_id: text,
      cursor: count,
      kind: text,
      instrument_id: text,
      price: text,
      quantity: text,
      quality: count,
      event_time_us: number,
      received_time_us: number,
      processed_time_us: number,
    }),
    64,
  ),
  state: object({
    schema_version: count,
    bytes: count,
    digest,
    keys: orNull(list(text, 64)),
    keys_withheld: count,
  }),
  queue: object({ inputs: count, events_due: count }),
  latency: object({
    sampled: count,
    mean_ms: orNull(number),
    p50_ms: orNull(number),
    p95_ms: orNull(number),
    p99_ms: orNull(number),
  }),
  verdicts: { is: "map", of: number },
});

const status = object(
  {
    ...key,
    run_id: uuid,
    epoch: count,
    phase: word("starting", "running", "paused", "feed_ended", "stopping", "stopped", "failed"),
    health_state: word("healthy", "degraded", "halted"),
    reason_code: orNull(text),
    failure: orNull(failureBody),
    isolation: orNull(object({ level: word("L0", "L1", "L2", "L3"), mechanism: text })),
    cursor: count,
    events_total: count,
    intents_total: count,
    orders_open: count,
    last_checkpoint: orNull(object({ cursor: count, bytes: count, at: number, why: text }, ["why"])),
    positions: list(
      object({
        instrument_id: text,
        quantity: text,
        average_price: text,
        realised_profit: text,
        unrealised_profit: text,
        fees: text,
        last_price: text,
      }),
      4_096,
    ),
    counters: { is: "map", of: number },
    in_force: object({ pack_digest: digest, config_hash: digest, capital: text }),
    shadow: object({
      primary_run_id: uuid,
      compared_until: count,
      matched: count,
      only_primary: count,
      only_shadow: count,
      first_difference: orNull(object({ cursor: count, primary: list(text, 64), shadow: list(text, 64) })),
    }),
    slo: object({
      level: word(...SLO_LEVELS),
      reason_code: orNull(text),
      promised: slo,
      measured: object(sloNumbers),
    }),
    breaker: object({
      state: word("open", "closed"),
      mode: orNull(word(...BREAKER_MODES)),
      trigger: orNull(word("operator", ...BREAKER_TRIGGERS)),
      reason_code: orNull(text),
      since_us: orNull(count),
      trips: count,
    }),
    venue_open: orNull(count),
    stop_condition: object({
      condition: word(...STOP_CONDITIONS),
      reason_code: text,
      observed: text,
      limit: text,
      at_us: count,
    }),
    inspection,
  },
  ["slo", "breaker", "shadow", "in_force", "venue_open", "stop_condition", "inspection"],
);

const place = { seq: count, at_us: count, event_time_us: count, cursor: count, trace_id: text };
const plain = (kind: string): Shape => object({ ...place, kind: word(kind) });
const began = (kind: string): Shape =>
  object({ ...place, kind: word(kind), epoch: count, run: digest, checkpoint: count }, ["run", "checkpoint"]);
const entry: Shape = {
  is: "union",
  on: "kind",
  of: {
    run_started: began("run_started"),
    run_resumed: began("run_resumed"),
    intent: object({
      ...place,
      kind: word("intent"),
      intent: json,
      verdict: word("forwarded", "degraded", "discarded", "recorded", "staged"),
      reason_code: orNull(text),
      client_order_id: orNull(text),
      idempotency_key: text,
    }),
    staging: object({
      ...place,
      kind: word("staging"),
      staging: object({
        idempotency_key: text,
        state: word(...STAGING_STATES),
        by: orNull(text),
        reason_code: orNull(text),
      }),
    }),
    order: object({ ...place, kind: word("order"), report: json }),
    fill: object({ ...place, kind: word("fill"), fill: json }),
    health: object({
      ...place,
      kind: word("health"),
      health_state: word("healthy", "degraded", "halted"),
      reason_code: orNull(text),
    }),
    checkpoint: object({ ...place, kind: word("checkpoint"), checkpoint: json }),
    input: object({ ...place, kind: word("input"), input: json }),
    breaker: object({
      ...place,
      kind: word("breaker"),
      breaker: object({
        state: word("open", "closed"),
        mode: orNull(word(...BREAKER_MODES)),
        trigger: orNull(word("operator", ...BREAKER_TRIGGERS)),
        reason_code: text,
      }),
    }),
    run_paused: plain("run_paused"),
    run_continued: plain("run_continued"),
    feed_ended: plain("feed_ended"),
    run_stopped: plain("run_stopped"),
  },
};

export const RUNNER_SHAPES: Readonly<Record<string, Shape>> = {
  hello: message("hello", { protocol: count, runner_id: text, pid: count, nonce: hex32, started_at: number }),
  proof: message("proof", { mac: hex32 }),
  instances: message("instances", {
    instances: list(status, 16_384),
    isolation: list(
      object({ level: text, mechanism: text, available: flag, strict: flag, reason: orNull(long) }, ["strict"]),
      32,
    ),
  }),
  renew: object(
    { type: word("renew"), request: count, wall_us: count, leases: list(object({ ...key, epoch: count }), 1_024) },
    ["wall_us"],
  ),
  status: message("status", { status }),
  journal: message("journal", { run_id: uuid, entries: list(entry, 4_096) }),
  segment: message("segment", {
    segment: object({ run_id: uuid, segment: count, first_seq: count, last_seq: count, root: hex32, records: count }),
  }),
  reply: {
    is: "union",
    on: "ok",
    of: {
      true: message("reply", { request: count, ok: word(true), status }),
      false: message("reply", { request: count, ok: word(false), failure: failureBody }),
    },
  },
  killswitch_followed: message("killswitch_followed", { generation: count, instances: count }),
};

const command = (type: string): Shape => message(type, { request: count, run_id: uuid, epoch: count, reason: long });
export const CONTROL_SHAPES: Readonly<Record<string, Shape>> = {
  challenge: message("challenge", { protocol: count, home_id: text, nonce: hex32, mac: hex32 }),
  welcome: message("welcome", {}),
  renewed: message("renewed", { request: count, leases: list(object({ ...key, epoch: count, granted: flag }), 1_024) }),
  start: message("start", { request: count, spec }),
  stop: command("stop"),
  pause: command("pause"),
  continue: command("continue"),
  inspect: command("inspect"),
  handover: command("handover"),
  config: object(
    {
      type: word("config"),
      request: count,
      run_id: uuid,
      epoch: count,
      config: json,
      generation: count,
      actor: text,
      at: word("next_tick", "next_bar", "next_checkpoint"),
    },
    ["at"],
  ),
  breaker: message("breaker", {
    request: count,
    run_id: uuid,
    epoch: count,
    wish: {
      is: "union",
      on: "action",
      of: {
        trip: object({ action: word("trip"), mode: word(...BREAKER_MODES), actor: text, reason: long }),
        reset: object({ action: word("reset"), actor: text, reason: long }),
      },
    },
  }),
  staging: message("staging", {
    request: count,
    run_id: uuid,
    epoch: count,
    wish: object({ action: word("approve", "reject"), idempotency_key: text, actor: text, reason: long }),
  }),
  safety: message("safety", { mode: word("NORMAL", "SAFE", "EMERGENCY_STOP"), generation: count }),
  killswitch: message("killswitch", {
    generation: count,
    rules: list(object({ scope: word(...KILL_SCOPES), id: text, level: word(...KILL_LEVELS) }), KILL_RULES_MAX),
  }),
  journal_ack: message("journal_ack", { run_id: uuid, seq: count }),
  segment_ack: message("segment_ack", { run_id: uuid, segment: count }),
  forget: message("forget", { run_id: uuid }),
  shutdown: message("shutdown", { request: count, grace_ms: count }),
};
