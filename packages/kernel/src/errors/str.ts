import type { ErrorTable } from "./entry.ts";
import { ABI_ERRORS, type AbiCode } from "./str-abi.ts";
import { SANDBOX_ERRORS, type SandboxCode } from "./str-sandbox.ts";
import { STATE_ERRORS, type StateCode } from "./str-state.ts";

type StrCode =
  | "RUMI-STR-020"
  | "RUMI-STR-021"
  | "RUMI-STR-022"
  | "RUMI-STR-023"
  | "RUMI-STR-024"
  | "RUMI-STR-025"
  | "RUMI-STR-027"
  | "RUMI-STR-029"
  | "RUMI-STR-030"
  | "RUMI-STR-031"
  | "RUMI-STR-032"
  | "RUMI-STR-033"
  | "RUMI-STR-034"
  | "RUMI-STR-035"
  | "RUMI-STR-036"
  | "RUMI-STR-037"
  | "RUMI-STR-038"
  | "RUMI-STR-039";

export const STR_ERRORS: ErrorTable<AbiCode | StrCode | SandboxCode | StateCode> = {
  ...ABI_ERRORS,
  ...SANDBOX_ERRORS,
  ...STATE_ERRORS,
  "RUMI-STR-020": {
    key: "str.journal_corrupt",
    status: 500,
    fault: "system",
    retry: "after_fix",
    en: {
      text: "The journal {path} is damaged at byte {offset}: {problem}.",
      next: "Keep the run directory as evidence; start a fresh run after comparing it with the audit log.",
    },
    ja: {
      text: "ジャーナル {path} がバイト {offset} で破損しています: {problem}。",
      next: "実行ディレクトリを証拠として残し、監査ログと照合してから新しく開始してください。",
    },
  },
  "RUMI-STR-021": {
    key: "str.journal_missing",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The run directory {path} holds no journal that could be resumed.",
      next: "Start the run fresh, or restore its directory.",
    },
    ja: {
      text: "実行ディレクトリ {path} に再開できるジャーナルがありません。",
      next: "新しく開始するか、ディレクトリを復元してください。",
    },
  },
  "RUMI-STR-022": {
    key: "str.run_exists",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The run directory {path} exists already.",
      next: "Resume that run, or start one with a new run id.",
    },
    ja: {
      text: "実行ディレクトリ {path} は既に存在します。",
      next: "その実行を再開するか、新しい run_id で開始してください。",
    },
  },
  "RUMI-STR-023": {
    key: "str.checkpoints_corrupt",
    status: 500,
    fault: "system",
    retry: "after_fix",
    en: {
      text: "No state checkpoint in {path} can be trusted: {problem}.",
      next: "The damaged files are kept beside it as evidence; start a fresh run.",
    },
    ja: {
      text: "{path} に信頼できるチェックポイントがありません: {problem}。",
      next: "破損したファイルは証拠として残っています。新しく開始してください。",
    },
  },
  "RUMI-STR-024": {
    key: "str.state_schema",
    status: 409,
    fault: "strategy",
    retry: "after_fix",
    en: {
      text: "The saved state has schema version {found}; the strategy expects {wanted} and has no way to migrate it.",
      next: "Ship a strategy version that migrates the state, or start fresh.",
    },
    ja: {
      text: "保存された状態のスキーマは版 {found} ですが、戦略は版 {wanted} を求め、移行手段がありません。",
      next: "状態を移行できる版を用意するか、新しく開始してください。",
    },
  },
  "RUMI-STR-025": {
    key: "str.divergence",
    status: 500,
    fault: "strategy",
    retry: "after_fix",
    en: {
      text: "The replay of the run differs from its journal at record {seq}: {problem}.",
      next: "The instance is halted and both records are kept in its run directory; look for randomness or state that the strategy does not save.",
    },
    ja: {
      text: "実行の再生がジャーナルのレコード {seq} で食い違いました: {problem}。",
      next: "インスタンスは停止し、両方の記録が残っています。保存されない状態や乱数を戦略内で探してください。",
    },
  },
  "RUMI-STR-027": {
    key: "str.descriptor",
    status: 422,
    fault: "strategy",
    retry: "after_fix",
    en: {
      text: "The strategy descriptor is not acceptable at {field}: {problem}.",
      next: "Correct the descriptor and publish the pack again.",
    },
    ja: {
      text: "戦略記述子の {field} が不正です: {problem}。",
      next: "記述子を修正してパックを公開し直してください。",
    },
  },
  "RUMI-STR-029": {
    key: "str.lease_lost",
    status: 409,
    fault: "system",
    retry: "later",
    en: {
      text: "The lease of {instance} at epoch {epoch} is no longer held.",
      next: "Nothing is sent under it any more; the control plane starts the instance again under a new epoch.",
    },
    ja: {
      text: "{instance} のリース (epoch {epoch}) を失いました。",
      next: "この epoch では何も送信されません。制御側が新しい epoch で再開します。",
    },
  },
  "RUMI-STR-030": {
    key: "str.protocol",
    status: 400,
    fault: "caller",
    retry: "never",
    en: {
      text: "The message is not one of the runner protocol: {problem}.",
      next: "Use the same version of rumi on both sides; the connection is closed.",
    },
    ja: {
      text: "ランナープロトコルに合わないメッセージです: {problem}。",
      next: "両側で同じ版の rumi を使ってください。接続は閉じられます。",
    },
  },
  "RUMI-STR-031": {
    key: "str.handshake",
    status: 401,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The other side of the runner socket did not prove that it knows the runner key.",
      next: "Check the runner key file of both sides.",
    },
    ja: {
      text: "ランナーソケットの相手がランナー鍵を証明できませんでした。",
      next: "双方のランナー鍵ファイルを確認してください。",
    },
  },
  "RUMI-STR-032": {
    key: "str.fault",
    status: 500,
    fault: "strategy",
    retry: "after_fix",
    en: {
      text: "The strategy failed in {callback}: {fault}.",
      next: "Look its reason code up in docs/runbooks/reasons; the host and other instances run on.",
    },
    ja: {
      text: "戦略が {callback} で失敗しました: {fault}。",
      next: "理由コードを docs/runbooks/reasons で確認してください。ホストと他のインスタンスは動作を続けます。",
    },
  },
  "RUMI-STR-033": {
    key: "str.admission",
    status: 422,
    fault: "strategy",
    retry: "after_fix",
    en: {
      text: "The strategy is not admitted: the check {check} failed.",
      next: "Read the admission report, correct what it names and publish again.",
    },
    ja: {
      text: "戦略は審査に通りませんでした: 検査 {check}。",
      next: "審査報告を読み、指摘を直して公開し直してください。",
    },
  },
  "RUMI-STR-034": {
    key: "str.recording",
    status: 422,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The recording {path} cannot be used: {problem}.",
      next: "Give a recording with the digest that was confirmed.",
    },
    ja: {
      text: "記録 {path} を使えません: {problem}。",
      next: "確認済みのダイジェストを持つ記録を指定してください。",
    },
  },
  "RUMI-STR-035": {
    key: "str.instance_unknown",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "This runner has no run {run_id} at epoch {epoch}.",
      next: "Read the runner's instances again and address the current epoch.",
    },
    ja: {
      text: "このランナーに run {run_id} (epoch {epoch}) はありません。",
      next: "インスタンス一覧を読み直し、現在の epoch を指定してください。",
    },
  },
  "RUMI-STR-036": {
    key: "str.lane_lost",
    status: 500,
    fault: "system",
    retry: "later",
    en: {
      text: "The lane thread of {instance} stopped answering and was ended: {problem}.",
      next: "The instance resumes from its checkpoint on a new thread; look at its deadline if this repeats.",
    },
    ja: {
      text: "{instance} のレーンスレッドが応答せず終了されました: {problem}。",
      next: "新しいスレッドでチェックポイントから再開します。繰り返す場合は期限設定を確認してください。",
    },
  },
  "RUMI-STR-037": {
    key: "str.run_mismatch",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The run directory {path} belongs to another run: {field} differs.",
      next: "Start a fresh run for the changed {field}.",
    },
    ja: {
      text: "実行ディレクトリ {path} は別の実行のものです: {field} が異なります。",
      next: "{field} を変えた場合は新しく開始してください。",
    },
  },
  "RUMI-STR-038": {
    key: "str.instances_full",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "This runner already hosts {limit} instances.",
      next: "Stop one, or add a runner.",
    },
    ja: {
      text: "このランナーは既に {limit} 個のインスタンスを動かしています。",
      next: "どれかを停止するか、ランナーを追加してください。",
    },
  },
  "RUMI-STR-039": {
    key: "str.checkpoint_failed",
    status: 500,
    fault: "system",
    retry: "later",
    en: {
      text: "The state checkpoint could not be written to {path}: {problem}.",
      next: "Free space or mend the disk; the instance is paused and its journal is whole.",
    },
    ja: {
      text: "チェックポイントを {path} に書けません: {problem}。",
      next: "空き容量かディスクを直してください。インスタンスは一時停止し、ジャーナルは無事です。",
    },
  },
};
