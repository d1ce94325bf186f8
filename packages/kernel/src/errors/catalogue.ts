/**
 * The one catalogue of errors: every answer that is not a success carries a code from here.
 *
 * A code says whose fault it is, whether a retry helps and what to do next, in English and Japanese.
 * Programs match on the code, never on a text. docs/reference/errors.md is generated from this table.
 *
 * Invariants
 * - Every parameter that a text names is listed by both languages (errors.test.ts).
 * - A code, once shipped, keeps its meaning; entries are added, never reused (errors.test.ts "a retired code").
 * - Every code is made somewhere, or waits by name for a part that is to come (tools/documents.test.ts).
 */
import { AUTH_ERRORS } from "./auth.ts";
import { BOT_FLEET_ERRORS } from "./bot-fleet.ts";
import { BOT_LIVE_ERRORS } from "./bot-live.ts";
import { BOT_ERRORS } from "./bot.ts";
import { CAPABILITY_ERRORS } from "./cap.ts";
import { CMD_ERRORS } from "./cmd.ts";
import { BUNDLE_ERRORS } from "./cmd-bundle.ts";
import { CONFIRM_ERRORS } from "./cmd-confirm.ts";
import { GUARDRAIL_ERRORS } from "./cmd-guardrail.ts";
import { RESTRAIN_ERRORS } from "./cmd-restrain.ts";
import { DATA_ERRORS } from "./data.ts";
import type { ErrorEntry } from "./entry.ts";
import { FLOW_ERRORS } from "./flow.ts";
import { LOG_ERRORS } from "./log.ts";
import { MKT_ERRORS } from "./mkt.ts";
import { NET_ERRORS } from "./net.ts";
import { PACK_ROUTE_ERRORS } from "./pack-routes.ts";
import { PACK_UPLOAD_ERRORS } from "./pack-uploads.ts";
import { PACK_ERRORS } from "./pack.ts";
import { PIP_ERRORS } from "./pip.ts";
import { RELEASE_ERRORS } from "./rel.ts";
import { RISK_ERRORS } from "./risk.ts";
import { RUN_ERRORS } from "./run.ts";
import { SECRET_ERRORS } from "./sec.ts";
import { STO_ERRORS } from "./sto.ts";
import { SUPPLY_GATE_ERRORS } from "./sup-gate.ts";
import { LIVE_ERRORS } from "./str-live.ts";
import { STR_ERRORS } from "./str.ts";
import { SUPPLY_ERRORS } from "./sup.ts";
import { SYS_ERRORS } from "./sys.ts";
import { UNIT_ERRORS } from "./unit.ts";
import { VAL_ERRORS } from "./val.ts";

const TABLE = {
  ...AUTH_ERRORS,
  ...BOT_ERRORS,
  ...BOT_FLEET_ERRORS,
  ...BOT_LIVE_ERRORS,
  ...CAPABILITY_ERRORS,
  ...CMD_ERRORS,
  ...CONFIRM_ERRORS,
  ...RESTRAIN_ERRORS,
  ...GUARDRAIL_ERRORS,
  ...BUNDLE_ERRORS,
  ...DATA_ERRORS,
  ...FLOW_ERRORS,
  ...LOG_ERRORS,
  ...MKT_ERRORS,
  ...NET_ERRORS,
  ...PACK_ERRORS,
  ...PACK_ROUTE_ERRORS,
  ...PACK_UPLOAD_ERRORS,
  ...PIP_ERRORS,
  ...RELEASE_ERRORS,
  ...RISK_ERRORS,
  ...RUN_ERRORS,
  ...SECRET_ERRORS,
  ...STO_ERRORS,
  ...SUPPLY_GATE_ERRORS,
  ...STR_ERRORS,
  ...LIVE_ERRORS,
  ...SUPPLY_ERRORS,
  ...SYS_ERRORS,
  ...UNIT_ERRORS,
  ...VAL_ERRORS,
} as const;

export type ErrorCode = keyof typeof TABLE;
export const ERROR_CATALOGUE: Readonly<Record<ErrorCode, ErrorEntry>> = TABLE;

/** Codes that nothing makes any more; their numbers are not given again. */
export const RETIRED_CODES: readonly string[] = [
  "RUMI-BOT-022",
  "RUMI-FLOW-010",
  "RUMI-LOG-025",
  "RUMI-STR-026",
  "RUMI-STR-028",
];

export type Language = "en" | "ja";

export type FailureParams = Readonly<Record<string, string | number>>;

/** An expected failure on its way to whoever asked. */
export type Failure = {
  readonly code: ErrorCode;
  readonly params: FailureParams;
  /** The specification's own word, e.g. `CONFIRMATION_REQUIRED` or `M.CAPABILITY.VENUE_NOT_ALLOWED`. */
  readonly reasonCode?: string;
  /** Facts that help the reader; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What it came from; logged once at the rim, never sent. */
  readonly cause?: unknown;
};

export type FailureExtras = Omit<Failure, "code" | "params">;

export function failure(code: ErrorCode, params: FailureParams = {}, extras: FailureExtras = {}): Failure {
  return { code, params, ...extras };
}

export function failureText(of: Failure, language: Language): { text: string; next: string } {
  const entry = ERROR_CATALOGUE[of.code][language];
  return { text: fill(entry.text, of.params), next: fill(entry.next, of.params) };
}

/** Carries a failure through code that can only throw; the rim turns it back into an answer. */
export class FailureError extends Error {
  readonly failure: Failure;
  constructor(of: Failure) {
    super(`${of.code} ${failureText(of, "en").text}`, { cause: of.cause });
    this.name = "FailureError";
    this.failure = of;
  }
}

function fill(text: string, params: FailureParams): string {
  return text.replace(/\{([a-z_]+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}
