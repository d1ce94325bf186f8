/**
 * The preflight: every start passes it, and its report is kept with the start (L-N3).
 *
 * Facts come in, a report goes out; the first failed item's own code is the refusal.
 * Invariant (preflight.test.ts): each item, failing alone, refuses the start.
 */
import { failure, failureText, ok, type Failure, type Result } from "@rumi/kernel";
import type { SafetyMode } from "@rumi/operations";
import type { InstanceMode } from "@rumi/runtime";
import { judgeRunbook } from "../bot-runbook/model.ts";
import type { OverrideInForce } from "../overrides/model.ts";
import type { SupplyCheck } from "../supply-chain/standing.ts";

export const PREFLIGHT_ITEMS = [
  "artifact_digest",
  "supply_chain",
  "compatibility",
  "admission",
  "config_schema",
  "capital",
  "limits",
  "instruments",
  "venue_files",
  "dependencies",
  "safety",
  "gates",
  "lease_free",
  "isolation",
  "runner",
  "runbook",
  "changelog",
  "release_certificate",
] as const;
export type PreflightItem = (typeof PREFLIGHT_ITEMS)[number];
export type ItemReport = {
  readonly item: PreflightItem;
  readonly state: "PASS" | "FAIL" | "NOTE" | "OVERRIDDEN";
  readonly error_code: string | null;
  readonly message: string;
  readonly next: string;
  /** By which override a failed check let the start pass. */
  readonly override_id?: string;
};
export type PreflightReport = {
  readonly report_id: string;
  readonly passed: boolean;
  readonly items: readonly ItemReport[];
};

export type PreflightFacts = {
  /** Results of looking, each with its own code. */
  readonly checks: Readonly<
    Record<Exclude<PreflightItem, "safety" | "runbook" | "changelog" | "supply_chain">, Result<unknown, Failure>>
  > & { readonly supply_chain: SupplyCheck };
  readonly safety: SafetyMode;
  readonly runbook: string | undefined;
  /** Whether the version's changelog says something. */
  readonly changelog: Result<null, Failure>;
  readonly bot_id: string;
  /** What the start leads to: live takes more than the others. */
  readonly mode: InstanceMode;
  /** Of this bot, and not over yet. */
  readonly overrides: readonly OverrideInForce[];
};

export function judgePreflight(
  facts: PreflightFacts,
  report_id: string,
): { readonly report: PreflightReport; readonly refusal: Failure | undefined } {
  const results: Readonly<Record<PreflightItem, Result<unknown, Failure>>> = {
    ...facts.checks,
    safety:
      facts.safety === "NORMAL"
        ? { ok: true, value: null }
        : {
            ok: false,
            error: failure(
              "RUMI-BOT-021",
              { mode: facts.safety, act: "starting a bot" },
              { reasonCode: `G.SAFETY.${facts.safety}` },
            ),
          },
    runbook: facts.mode === "live" ? judgeRunbook(facts.bot_id, facts.runbook) : ok(null),
    changelog: facts.mode === "live" ? facts.changelog : ok(null),
  };
  const items = PREFLIGHT_ITEMS.map((item) => itemReport(item, results[item], facts));
  const failed = PREFLIGHT_ITEMS.map((item) => ({ item, result: results[item] })).find(
    ({ item, result }) => !result.ok && overrideOf(item, facts) === undefined,
  );
  const report: PreflightReport = { report_id, passed: failed === undefined, items };
  if (failed === undefined || failed.result.ok) return { report, refusal: undefined };
  const cause = failed.result.error;
  return {
    report,
    refusal: {
      ...cause,
      reasonCode: cause.reasonCode ?? "L.PREFLIGHT.FAILED",
      // Where whoever is refused finds what to do about this very bot (L-47).
      details: { ...cause.details, failed_item: failed.item, runbook: facts.runbook ?? null, preflight: report },
    },
  };
}

function itemReport(item: PreflightItem, result: Result<unknown, Failure>, facts: PreflightFacts): ItemReport {
  if (!result.ok) {
    const { text, next } = failureText(result.error, "en");
    const report = { item, error_code: result.error.code, message: text, next };
    const override = overrideOf(item, facts);
    return override === undefined
      ? { ...report, state: "FAIL" }
      : { ...report, state: "OVERRIDDEN", override_id: override.override_id };
  }
  const excepted = item === "supply_chain" ? exceptionOf(facts.checks.supply_chain) : undefined;
  if (excepted !== undefined) return { item, state: "OVERRIDDEN", ...excepted };
  if (item === "runbook" && facts.runbook === undefined)
    return {
      item,
      state: "NOTE",
      error_code: null,
      message: "The bot has no runbook; live will need one.",
      next: "Name one in the bot's specification.",
    };
  if (item === "changelog" && !facts.changelog.ok)
    return {
      item,
      state: "NOTE",
      error_code: null,
      message: "The version's changelog says nothing; live will need one.",
      next: "Write it down: POST /api/bots/{bot_id}/changelog.",
    };
  return { item, state: "PASS", error_code: null, message: noteOf(result.value), next: "" };
}

/** What the supply chain would deny, and the override of the artifact by which it does not. */
function exceptionOf(check: SupplyCheck) {
  if (!check.ok || check.value.excepted === undefined || check.value.override_id === undefined) return undefined;
  const { excepted, override_id } = check.value;
  const { text, next } = failureText(excepted, "en");
  return { error_code: excepted.code, message: text, next, override_id };
}

/** What a check has to say although it passed. */
function noteOf(value: unknown): string {
  return typeof value === "object" && value !== null && "note" in value ? String(value.note) : "";
}

function overrideOf(item: PreflightItem, { overrides }: PreflightFacts): OverrideInForce | undefined {
  return overrides.find(({ check }) => check === item);
}
