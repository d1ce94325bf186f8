import type { ErrorTable } from "./entry.ts";

type CmdCode =
  | "RUMI-CMD-001"
  | "RUMI-CMD-002"
  | "RUMI-CMD-003"
  | "RUMI-CMD-004"
  | "RUMI-CMD-005"
  | "RUMI-CMD-006"
  | "RUMI-CMD-007"
  | "RUMI-CMD-008"
  | "RUMI-CMD-009"
  | "RUMI-CMD-010"
  | "RUMI-CMD-011"
  | "RUMI-CMD-012";

export const CMD_ERRORS: ErrorTable<CmdCode> = {
  "RUMI-CMD-001": {
    key: "cmd.still_running",
    status: 409,
    fault: "caller",
    retry: "later",
    en: {
      text: "The command {command_id} is still being carried out.",
      next: "Wait {seconds} s, then send the same request again; it will not act twice.",
    },
    ja: {
      text: "コマンド {command_id} はまだ実行中です。",
      next: "{seconds} 秒待ってから同じリクエストを再送してください。二重には実行されません。",
    },
  },
  "RUMI-CMD-002": {
    key: "cmd.id_reused",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The command id {command_id} was already used for another request.",
      next: "Send this request under a new id.",
    },
    ja: {
      text: "コマンド ID {command_id} は別のリクエストで使用済みです。",
      next: "新しい ID でリクエストを送ってください。",
    },
  },
  "RUMI-CMD-003": {
    key: "cmd.dangerous_disabled",
    status: 403,
    fault: "caller",
    retry: "never",
    en: {
      text: "{operation} is a live or dangerous operation, and those are switched off in this home.",
      next: "Use paper or shadow mode, or start the program with RUMI_DANGEROUS_OPS=enabled.",
    },
    ja: {
      text: "この {operation} はライブまたは危険な操作であり、このホームでは無効なため利用できません。",
      next: "paper か shadow モードを使うか、RUMI_DANGEROUS_OPS=enabled で起動してください。",
    },
  },
  "RUMI-CMD-004": {
    key: "cmd.confirmation_required",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{operation} is dangerous and must be confirmed.",
      next: "Confirm the challenge {challenge_id} with its intent_hash and a reason before it expires.",
    },
    ja: {
      text: "{operation} は危険な操作のため確認が必要です。",
      next: "期限内に challenge {challenge_id} を intent_hash と理由を付けて confirm してください。",
    },
  },
  "RUMI-CMD-005": {
    key: "cmd.safety_refuses",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The safety mode {mode} does not allow {operation}.",
      next: "Only stop, evidence and diagnosis are possible; look at GET /api/safety for the reason.",
    },
    ja: {
      text: "セーフティモード {mode} では {operation} を実行できません。",
      next: "停止・証拠採取・診断のみ可能です。理由は GET /api/safety で確認してください。",
    },
  },
  "RUMI-CMD-006": {
    key: "cmd.gate_refuses",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The gate {gate} is {state}: {problem}.",
      next: "Look at GET /api/gates; mend what the gate reports, then send a new command.",
    },
    ja: {
      text: "ゲート {gate} は {state} です: {problem}。",
      next: "GET /api/gates を確認し、原因を直してから新しいコマンドを送ってください。",
    },
  },
  "RUMI-CMD-007": {
    key: "cmd.locked",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{target} is under the {rule}: {problem}.",
      next: "Wait until it is lifted, or ask whoever set it.",
    },
    ja: {
      text: "{target} は {rule} の対象です: {problem}。",
      next: "解除を待つか、設定した担当者に確認してください。",
    },
  },
  "RUMI-CMD-008": {
    key: "cmd.guardrail_blocks",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The guardrail {rule} blocks this: {problem}.",
      next: "Follow what the guardrail asks for, then send a new command.",
    },
    ja: {
      text: "ガードレール {rule} により拒否されました: {problem}。",
      next: "ガードレールの要求を満たしてから新しいコマンドを送ってください。",
    },
  },
  "RUMI-CMD-009": {
    key: "cmd.contended",
    status: 409,
    fault: "system",
    retry: "later",
    en: {
      text: "What {operation} touches changed {attempts} times while it was being decided.",
      next: "Read the present state, then send a new command.",
    },
    ja: {
      text: "{operation} の判定中に対象が {attempts} 回変更されました。",
      next: "現在の状態を確認してから新しいコマンドを送ってください。",
    },
  },
  "RUMI-CMD-010": {
    key: "cmd.gave_up",
    status: 500,
    fault: "system",
    retry: "never",
    en: {
      text: "The command {command_id} failed inside {attempts} times and is given up; nothing was changed.",
      next: "Look at GET /api/trace/{command_id}, report it, and use a new id afterwards.",
    },
    ja: {
      text: "コマンド {command_id} は内部で {attempts} 回失敗したため中止しました。何も変更していません。",
      next: "GET /api/trace/{command_id} を確認して報告し、以後は新しい ID を使ってください。",
    },
  },
  "RUMI-CMD-011": {
    key: "cmd.audit_unwritable",
    status: 503,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The audit log cannot be written, so {operation} was refused; nothing was changed.",
      next: "Run 'rumi doctor', mend the disk or the store, then send the same request again.",
    },
    ja: {
      text: "監査ログに書き込めないため {operation} を拒否しました。何も変更していません。",
      next: "'rumi doctor' を実行し、ディスクやストアを直してから同じリクエストを再送してください。",
    },
  },
  "RUMI-CMD-012": {
    key: "cmd.interrupted",
    status: 409,
    fault: "system",
    retry: "after_fix",
    en: {
      text: "The command {command_id} was interrupted before it was decided; nothing was changed.",
      next: "Send the request again under a new id; its secret fields or its operation are no longer known here.",
    },
    ja: {
      text: "コマンド {command_id} は判定前に中断されました。何も変更していません。",
      next: "新しい ID で再送してください。秘密の項目または操作がここにはもうありません。",
    },
  },
};
