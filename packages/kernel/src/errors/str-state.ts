/** Errors of a run's record, its replay, its hand-over and its shadow. */
import type { ErrorTable } from "./entry.ts";

export type StateCode = "RUMI-STR-070" | "RUMI-STR-071" | "RUMI-STR-072" | "RUMI-STR-073" | "RUMI-STR-074";

export const STATE_ERRORS: ErrorTable<StateCode> = {
  "RUMI-STR-070": {
    key: "str.run_record",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The run's record {path} cannot be used: {problem}.",
      next: "Restore the run's directory from a backup; as it lies there it proves nothing.",
    },
    ja: {
      text: "実行の記録 {path} は使えません: {problem}。",
      next: "実行ディレクトリをバックアップから復元してください。このままでは証拠になりません。",
    },
  },
  "RUMI-STR-071": {
    key: "str.not_handed_over",
    status: 409,
    fault: "system",
    retry: "later",
    en: {
      text: "The run {run_id} could not be handed over: {problem}.",
      next: "It goes on as it was; the hand-over is tried again.",
    },
    ja: {
      text: "実行 {run_id} を引き継げません: {problem}。",
      next: "実行はそのまま続きます。引き継ぎは再試行されます。",
    },
  },
  "RUMI-STR-072": {
    key: "str.run_unknown",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no run {run_id} in {path}.",
      next: "Take the run's id from 'rumi instances list' or from the audit log, and set RUMI_HOME to its home.",
    },
    ja: {
      text: "{path} に実行 {run_id} はありません。",
      next: "'rumi instances list' か監査ログで実行 ID を確かめ、RUMI_HOME をそのホームに設定してください。",
    },
  },
  "RUMI-STR-073": {
    key: "str.replay_not_possible",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The run {run_id} cannot be replayed: {problem}.",
      next: "Bring back what is missing: the pack under its digest, or the recording with its digest.",
    },
    ja: {
      text: "実行 {run_id} を再現できません: {problem}。",
      next: "不足しているもの(ダイジェストの一致するパックまたは記録ファイル)を戻してください。",
    },
  },
  "RUMI-STR-074": {
    key: "str.approval_waits_for_nobody",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The run is {phase}: an approved intent could not be sent now, so none is approved.",
      next: "Continue the bot, then approve what still waits.",
    },
    ja: {
      text: "実行は {phase} で、承認しても今は発注できないため承認しません。",
      next: "ボットを再開してから、まだ待っている Intent を承認してください。",
    },
  },
};
