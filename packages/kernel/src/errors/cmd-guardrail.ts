/** Errors of the guardrails against human error: a step that was skipped. They continue the numbers of cmd.ts. */
import type { ErrorTable } from "./entry.ts";

type GuardrailCode = "RUMI-CMD-030" | "RUMI-CMD-031" | "RUMI-CMD-032";

export const GUARDRAIL_ERRORS: ErrorTable<GuardrailCode> = {
  "RUMI-CMD-030": {
    key: "cmd.dry_run_asked",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{operation} takes a dry run of this very request first: by you, within {minutes} minutes, refused by nothing.",
      next: "Run '{command}' with the same fields and --dry-run, read what it would do, then send it under a new id.",
    },
    ja: {
      text: "{operation} には事前のドライランが必要です (同じ担当者・同じ内容・{minutes} 分以内・拒否なし)。",
      next: "同じ項目に --dry-run を付けて '{command}' を実行し、影響を確認してから新しい ID で送ってください。",
    },
  },
  "RUMI-CMD-031": {
    key: "cmd.staging_asked",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{operation} is done only as a change that somebody else has read.",
      next: "Run 'rumi changes propose --operation {operation} --input JSON --reason WHY'; once it is approved, commit it.",
    },
    ja: {
      text: "{operation} は、別の担当者が確認した変更としてのみ実行できます。",
      next: "'rumi changes propose --operation {operation} --input JSON --reason 理由' で提案し、承認後にコミットしてください。",
    },
  },
  "RUMI-CMD-032": {
    key: "cmd.two_person_asked",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{operation} is done only with another person's approval.",
      next: "Run 'rumi changes propose --operation {operation} --input JSON --reason WHY' and have it approved; what was asked for before this rule is asked for again.",
    },
    ja: {
      text: "{operation} には別の担当者の承認が必要です。",
      next: "'rumi changes propose --operation {operation} --input JSON --reason 理由' で提案し、承認を受けてください。この規則より前の要求は出し直してください。",
    },
  },
};
