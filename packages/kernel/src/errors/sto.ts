import type { ErrorTable } from "./entry.ts";

type StoCode =
  | "RUMI-STO-001"
  | "RUMI-STO-002"
  | "RUMI-STO-003"
  | "RUMI-STO-004"
  | "RUMI-STO-005"
  | "RUMI-STO-006"
  | "RUMI-STO-007"
  | "RUMI-STO-008"
  | "RUMI-STO-009"
  | "RUMI-STO-010"
  | "RUMI-STO-011"
  | "RUMI-STO-012"
  | "RUMI-STO-013"
  | "RUMI-STO-014";

/** Failures of the store: its queue, its log, its migrations, the disk and the server below it. */
export const STO_ERRORS: ErrorTable<StoCode> = {
  "RUMI-STO-001": {
    key: "store.queue_full",
    status: 503,
    fault: "system",
    retry: "later",
    en: {
      text: "The store has {limit} requests waiting and takes no more.",
      next: "Send the same request again in a moment.",
    },
    ja: {
      text: "ストアには {limit} 件の要求が待機しており、これ以上受け付けられません。",
      next: "少し待ってから同じリクエストを再送してください。",
    },
  },
  "RUMI-STO-002": {
    key: "store.log_broken",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The audit log in the store does not hold together: {problem}.",
      next: "Do not write to it. Run `rumi audit verify`, then restore the last backup.",
    },
    ja: {
      text: "ストアの監査ログに矛盾があります: {problem}。",
      next: "書き込まないでください。`rumi audit verify` を実行し、最後のバックアップから復元してください。",
    },
  },
  "RUMI-STO-003": {
    key: "store.migration_changed",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "Migration {migration} of {owner} is not the one that was applied to this store.",
      next: "Use the release of rumi that made this store, or a newer unmodified one.",
    },
    ja: {
      text: "{owner} のマイグレーション {migration} は、このストアに適用されたものと異なります。",
      next: "このストアを作成したリリース、または改変されていない新しい rumi を使ってください。",
    },
  },
  "RUMI-STO-004": {
    key: "store.layout_newer",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The store has migration {migration} of {owner}, which this program does not know.",
      next: "Use the newer rumi that applied it, or restore the backup taken before it.",
    },
    ja: {
      text: "ストアには、このプログラムが知らない {owner} のマイグレーション {migration} があります。",
      next: "適用した新しい rumi を使うか、適用前のバックアップから復元してください。",
    },
  },
  "RUMI-STO-005": {
    key: "store.value_not_storable",
    status: 500,
    fault: "system",
    retry: "never",
    en: {
      text: "A value cannot be stored or read exactly: {problem}.",
      next: "Report it: whole numbers stay below 2^53, text is well-formed Unicode without NUL.",
    },
    ja: {
      text: "正確に保存または読み出しできない値があります: {problem}。",
      next: "報告してください。整数は 2^53 未満、文字列は NUL を含まない正しい Unicode に限ります。",
    },
  },
  "RUMI-STO-006": {
    key: "store.not_writable",
    status: 503,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The store cannot be written: {problem}. Nothing was changed.",
      next: "Check the disk and the permissions of the home, then send the same request again.",
    },
    ja: {
      text: "ストアに書き込めません: {problem}。何も変更していません。",
      next: "ディスクとホームの権限を確認し、同じリクエストを再送してください。",
    },
  },
  "RUMI-STO-007": {
    key: "store.unsealed",
    status: 503,
    fault: "system",
    retry: "later",
    en: {
      text: "The change is stored, but its audit events were not sealed within {waited_ms} ms.",
      next: "Do not repeat it under a new id. Send the same request with the same id to learn its outcome.",
    },
    ja: {
      text: "変更は保存されましたが、監査イベントが {waited_ms} ms 以内に封印されませんでした。",
      next: "新しい ID で繰り返さず、同じ ID で同じリクエストを送って結果を確認してください。",
    },
  },
  "RUMI-STO-008": {
    key: "store.unreachable",
    status: 503,
    fault: "operator",
    retry: "later",
    en: {
      text: "The database server does not answer: {problem}. Nothing was changed.",
      next: "Check that PostgreSQL runs and is reachable, then send the same request again.",
    },
    ja: {
      text: "データベースサーバーが応答しません: {problem}。何も変更していません。",
      next: "PostgreSQL が稼働し到達可能か確認し、同じリクエストを再送してください。",
    },
  },
  "RUMI-STO-009": {
    key: "store.migration_failed",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "Migration {migration} of {owner} failed and was rolled back: {problem}.",
      next: "The store is as before. Mend the cause, or go on with the previous release.",
    },
    ja: {
      text: "{owner} のマイグレーション {migration} は失敗し、取り消されました: {problem}。",
      next: "ストアは元のままです。原因を取り除くか、以前のリリースを使ってください。",
    },
  },
  "RUMI-STO-010": {
    key: "store.statement_refused",
    status: 500,
    fault: "system",
    retry: "never",
    en: {
      text: "The database refused a statement: {problem}. Nothing was changed.",
      next: "Report it with the log of the program; it is a defect.",
    },
    ja: {
      text: "データベースが文を拒否しました: {problem}。何も変更していません。",
      next: "不具合です。プログラムのログを添えて報告してください。",
    },
  },
  "RUMI-STO-011": {
    key: "store.outcome_unknown",
    status: 503,
    fault: "system",
    retry: "later",
    en: {
      text: "The connection broke while the change was being committed; whether it holds is unknown: {problem}.",
      next: "Do not repeat it under a new id. Send the same request with the same id to learn its outcome.",
    },
    ja: {
      text: "確定中に接続が切れたため、変更が有効かどうか不明です: {problem}。",
      next: "新しい ID で繰り返さず、同じ ID で同じリクエストを送って結果を確認してください。",
    },
  },
  "RUMI-STO-012": {
    key: "store.backup_failed",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The backup copy before a migration could not be made in {folder}: {problem}. Nothing was changed.",
      next: "Free space in that folder or mend its permissions, then start again.",
    },
    ja: {
      text: "マイグレーション前のバックアップを {folder} に作成できません: {problem}。何も変更していません。",
      next: "そのフォルダーの空き容量と権限を確認し、再起動してください。",
    },
  },
  "RUMI-STO-013": {
    key: "store.batch_too_large",
    status: 413,
    fault: "caller",
    retry: "never",
    en: {
      text: "One change may hold {limit} {what}; this one holds {found}.",
      next: "Split the request into smaller ones.",
    },
    ja: {
      text: "一度の変更に含められる {what} は {limit} までですが、{found} あります。",
      next: "リクエストを小さく分けてください。",
    },
  },
  "RUMI-STO-014": {
    key: "store.backup_unsound",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "No backup was made or restored: {problem}.",
      next: "Nothing was changed. Use a whole backup and an empty place: docs/operations/recovery.md.",
    },
    ja: {
      text: "バックアップの作成または復元は行われませんでした: {problem}。",
      next: "何も変更されていません。完全なバックアップと空の場所を使ってください: docs/operations/recovery.md。",
    },
  },
};
