/**
 * Turns one callback's output bytes into intents and effects; whatever is malformed becomes a named violation.
 *
 * Called only when a strategy put something out, so plain objects are fine here.
 */
import {
  ABI_LIMITS,
  type IntentMeta,
  makeAlertIntent,
  makeAmendIntent,
  makeCancelIntent,
  makeErrorReport,
  makeHealthReport,
  makeIntentMeta,
  makeLogLine,
  makeNoopIntent,
  makeOrderIntent,
  makePositionIntent,
  makeRiskHint,
  makeServiceRequest,
  makeStateUpdate,
  makeTelemetryHint,
  makeTimerRequest,
  missingMetadata,
  ORDER_OPTIONS,
  ORDER_TYPE,
  OUTPUT_KIND,
  readAlertIntent,
  readAmendIntent,
  readCancelIntent,
  readErrorReport,
  readHealthReport,
  readIntentMeta,
  readLogLine,
  readNoopIntent,
  readOrderIntent,
  readPositionIntent,
  readRiskHint,
  readServiceRequest,
  readStateUpdate,
  readTelemetryHint,
  readTimerRequest,
  RecordWalker,
  RISK_HINT,
  SEVERITY,
  SIDE,
  TIME_IN_FORCE,
  type FrameViews,
} from "@rumi/abi";
import type { Intent, IntentBody } from "../gate/intent.ts";

export type Output =
  | { readonly kind: "intent"; readonly intent: Intent }
  | { readonly kind: "checkpoint_wished" }
  | { readonly kind: "hint"; readonly tag: string; readonly score: number }
  | { readonly kind: "timer"; readonly timer_id: number; readonly at_us: number }
  | { readonly kind: "log"; readonly bytes: number; readonly level: number; readonly text: string }
  | { readonly kind: "service"; readonly service: string; readonly request_id: number; readonly json: string }
  | { readonly kind: "health"; readonly health: number; readonly reason: number }
  | { readonly kind: "error"; readonly code: number; readonly text: string }
  | { readonly kind: "violation"; readonly reason_code: string };

/** What identity an intent must carry. */
export type Own = {
  readonly bot: number;
  readonly strategy: number;
  readonly version: number;
  readonly instance: number;
  readonly runId: Uint8Array;
};

const TAG = /^[a-z0-9_.]{1,32}$/;
/** The newest tag that was sound: a strategy says the same few again and again, and the codec answers the same string. */
let soundTag = "";
const isTag = (text: string): boolean => {
  if (text !== soundTag && TAG.test(text)) soundTag = text;
  return text !== "" && text === soundTag;
};
const walker = new RecordWalker();
const meta: IntentMeta = makeIntentMeta();

/** Names by number; every number that reaches one was checked by the codec. */
const namesOf = <T extends Readonly<Record<string, number>>>(words: T): readonly (keyof T & string)[] => {
  const names: (keyof T & string)[] = [];
  for (const name of Object.keys(words)) names[words[name] ?? 0] = name;
  return names;
};
const [SIDES, ORDER_TYPES, TIMES_IN_FORCE] = [namesOf(SIDE), namesOf(ORDER_TYPE), namesOf(TIME_IN_FORCE)];
const [SEVERITIES, RISK_HINTS] = [namesOf(SEVERITY), namesOf(RISK_HINT)];
const word = <T>(names: readonly T[], value: number): T => {
  const name = names[value];
  if (name === undefined) throw new RangeError(`${value} was checked by the codec`);
  return name;
};
const order = makeOrderIntent();
const hint = makeTelemetryHint();

export function readOutputs(
  views: FrameViews,
  at: number,
  length: number,
  own: Own,
  traceId: Uint8Array,
  outputsMax: number,
): readonly Output[] {
  const outputs: Output[] = [];
  walker.begin(views, at, length);
  for (;;) {
    const kind = walker.step();
    if (kind === 0) return outputs;
    if (outputs.length >= outputsMax) return [...outputs, { kind: "violation", reason_code: "M.ABI.TOO_MANY_RECORDS" }];
    if (kind === -1) {
      outputs.push({ kind: "violation", reason_code: walker.fault });
      if (walker.fault !== "M.ABI.UNKNOWN_KIND") return outputs;
      continue;
    }
    outputs.push(kind <= OUTPUT_KIND.risk_hint ? readIntent(views, kind, own, traceId) : readEffect(views, kind));
  }
}

const malformed = (field: string): Output => ({
  kind: "violation",
  reason_code: `M.INTENT.MALFORMED_${field.toUpperCase().replaceAll(".", "_")}`,
});

function readIntent(views: FrameViews, kind: number, own: Own, traceId: Uint8Array): Output {
  const bad = readIntentMeta(views, walker.at, meta);
  if (bad !== "") return malformed(bad);
  const body = readBody(views, kind);
  if (typeof body === "string") return malformed(body);
  const missing = missingMetadata(meta);
  const foreign =
    missing !== ""
      ? ""
      : meta.bot !== own.bot
        ? "bot_id"
        : meta.strategy !== own.strategy
          ? "strategy_id"
          : meta.version !== own.version
            ? "strategy_version"
            : meta.instance !== own.instance
              ? "instance_id"
              : !same(meta.runId, own.runId)
                ? "run_id"
                : same(meta.traceId, traceId)
                  ? ""
                  : "trace_id";
  const risk = {
    max_slippage_bps: meta.maxSlippageBps,
    max_latency_us: meta.maxLatencyUs,
    expected_holding_us: meta.expectedHoldingUs,
    budget: meta.budget,
  };
  return { kind: "intent", intent: { missing, foreign, key: meta.idempotencyKey, risk, body } };
}

function readBody(views: FrameViews, kind: number): IntentBody | string {
  const { at, length } = walker;
  switch (kind) {
    case OUTPUT_KIND.order_intent: {
      const bad = readOrderIntent(views, at, length, order);
      if (bad !== "") return bad;
      if ((order.options & ~3) !== 0) return "options";
      return {
        kind: "order",
        instrument: order.instrument,
        side: word(SIDES, order.side),
        type: word(ORDER_TYPES, order.orderType),
        time_in_force: word(TIMES_IN_FORCE, order.timeInForce),
        reduce_only: (order.options & ORDER_OPTIONS.reduce_only) !== 0,
        post_only: (order.options & ORDER_OPTIONS.post_only) !== 0,
        price: order.price,
        quantity: order.quantity,
      };
    }
    case OUTPUT_KIND.cancel_intent: {
      const cancel = makeCancelIntent();
      const bad = readCancelIntent(views, at, length, cancel);
      return bad !== "" ? bad : { kind: "cancel", target_key: cancel.targetKey, instrument: cancel.instrument };
    }
    case OUTPUT_KIND.amend_intent: {
      const amend = makeAmendIntent();
      const bad = readAmendIntent(views, at, length, amend);
      return bad !== ""
        ? bad
        : {
            kind: "amend",
            target_key: amend.targetKey,
            instrument: amend.instrument,
            price: amend.price,
            quantity: amend.quantity,
          };
    }
    case OUTPUT_KIND.position_intent: {
      const position = makePositionIntent();
      const bad = readPositionIntent(views, at, length, position);
      return bad !== ""
        ? bad
        : {
            kind: "position",
            instrument: position.instrument,
            type: word(ORDER_TYPES, position.orderType),
            target: position.target,
            limit_price: position.limitPrice,
          };
    }
    case OUTPUT_KIND.alert_intent: {
      const alert = makeAlertIntent();
      const bad = readAlertIntent(views, at, length, alert);
      if (bad !== "") return bad;
      if (alert.args > 4) return "args";
      return {
        kind: "alert",
        code: alert.code,
        severity: word(SEVERITIES, alert.severity),
        args: [alert.arg0, alert.arg1, alert.arg2, alert.arg3].slice(0, alert.args),
      };
    }
    case OUTPUT_KIND.noop_intent: {
      const noop = makeNoopIntent();
      const bad = readNoopIntent(views, at, length, noop);
      return bad !== "" ? bad : { kind: "noop", reason: noop.reason };
    }
    default: {
      const hint = makeRiskHint();
      const bad = readRiskHint(views, at, length, hint);
      return bad !== ""
        ? bad
        : { kind: "risk_hint", instrument: hint.instrument, hint: word(RISK_HINTS, hint.hint), value: hint.value };
    }
  }
}

function readEffect(views: FrameViews, kind: number): Output {
  const { at, length } = walker;
  const violation = (field: string): Output => ({
    kind: "violation",
    reason_code: `M.OUTPUT.MALFORMED_${field.toUpperCase()}`,
  });
  switch (kind) {
    case OUTPUT_KIND.state_update: {
      const update = makeStateUpdate();
      const bad = readStateUpdate(views, at, length, update);
      if (bad !== "") return violation(bad);
      return update.checkpoint === 1 ? { kind: "checkpoint_wished" } : { kind: "hint", tag: "", score: 0 };
    }
    case OUTPUT_KIND.telemetry_hint: {
      const bad = readTelemetryHint(views, at, length, hint);
      if (bad !== "" || !isTag(hint.tag)) return { kind: "violation", reason_code: "M.TELEMETRY.FREE_TEXT" };
      return { kind: "hint", tag: hint.tag, score: hint.score };
    }
    case OUTPUT_KIND.timer_request: {
      const timer = makeTimerRequest();
      const bad = readTimerRequest(views, at, length, timer);
      return bad !== "" || timer.atUs < 0
        ? violation("timer")
        : { kind: "timer", timer_id: timer.timerId, at_us: timer.atUs };
    }
    case OUTPUT_KIND.service_request: {
      const asked = makeServiceRequest();
      const bad = readServiceRequest(views, at, length, asked);
      if (bad !== "" || asked.json.length > ABI_LIMITS.service_request_bytes) return violation("service_request");
      const json = new TextDecoder().decode(asked.json.slice());
      return { kind: "service", service: asked.service, request_id: asked.requestId, json };
    }
    case OUTPUT_KIND.log_line: {
      const line = makeLogLine();
      const bad = readLogLine(views, at, length, line);
      return bad !== ""
        ? violation(bad)
        : {
            kind: "log",
            bytes: line.text.length,
            level: line.level,
            text: new TextDecoder().decode(line.text.slice()),
          };
    }
    case OUTPUT_KIND.health_report: {
      const report = makeHealthReport();
      const bad = readHealthReport(views, at, length, report);
      return bad !== "" ? violation(bad) : { kind: "health", health: report.health, reason: report.reason };
    }
    case OUTPUT_KIND.error_report: {
      const report = makeErrorReport();
      const bad = readErrorReport(views, at, length, report);
      return bad !== ""
        ? violation(bad)
        : { kind: "error", code: report.code, text: new TextDecoder().decode(report.text.slice()) };
    }
    default:
      return { kind: "violation", reason_code: "M.OUTPUT.NOT_ASKED" };
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 16; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
