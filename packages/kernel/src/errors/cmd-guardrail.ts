/** Errors of the guardrails against human error, a step that was skipped, and of training. They continue the numbers of cmd.ts. */
import type { ErrorTable } from "./entry.ts";

type GuardrailCode = `RUMI-CMD-03${0 | 1 | 2 | 3 | 4 | 5}`;

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
  "RUMI-CMD-033": {
    key: "cmd.not_real_in_training",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{principal} is in training, where {operation} would stop nothing: it was not done.",
      next: "If you mean it, run 'rumi training end --reason WHY' and send it again under a new id; somebody who is not in training can send it at once.",
    },
    ja: {
      text: "{principal} は訓練中のため、{operation} は何も止めません。実行していません。",
      next: "本当に止める場合は 'rumi training end --reason 理由' の後、新しい ID で再送してください。訓練中でない担当者なら直ちに実行できます。",
    },
  },
  "RUMI-CMD-034": {
    key: "cmd.rehearsal_mismatch",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The {what} {challenge_id} is {kind}, and you are {state}: one never counts for the other.",
      next: "For a rehearsal all of them are in training; for the real thing end the training and ask anew.",
    },
    ja: {
      text: "{what} {challenge_id} は {kind} ですが、あなたは {state} です。互いに代わりにはなりません。",
      next: "訓練では全員が訓練中である必要があります。本番では訓練を終了し、新しく要求してください。",
    },
  },
  "RUMI-CMD-035": {
    key: "cmd.in_training_already",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{principal} is in training already, until {until}.",
      next: "Go on with it, or end it first: 'rumi training end'.",
    },
    ja: {
      text: "{principal} はすでに {until} まで訓練中です。",
      next: "そのまま続けるか、'rumi training end' で終了してください。",
    },
  },
};
