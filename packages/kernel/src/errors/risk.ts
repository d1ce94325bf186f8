/** Capital pools, allocations and stop conditions. */
import type { ErrorTable } from "./entry.ts";

export type RiskCode =
  | "RUMI-RSK-001"
  | "RUMI-RSK-002"
  | "RUMI-RSK-003"
  | "RUMI-RSK-004"
  | "RUMI-RSK-005"
  | "RUMI-RSK-006"
  | "RUMI-RSK-007"
  | "RUMI-RSK-008";

export const RISK_ERRORS: ErrorTable<RiskCode> = {
  "RUMI-RSK-001": {
    key: "risk.pool_exceeded",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{capital} {currency} for {bot_id} are more than the {free} that pool {pool_id} has free of {bound}.",
      next: "Give it less, take capital from other bots (POST /api/bots/BOT/limits), or enlarge the pool (POST /api/pools).",
    },
    ja: {
      text: "{bot_id} の {capital} {currency} は、プール {pool_id} の空き {free} ({bound} 中) を超えます。",
      next: "額を減らすか、他のボットの資金を減らすか (POST /api/bots/BOT/limits)、プールを広げてください (POST /api/pools)。",
    },
  },
  "RUMI-RSK-002": {
    key: "risk.mixed_currencies",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The instruments are quoted in {currencies}; one bot's capital is of one currency.",
      next: "Make one bot for each currency.",
    },
    ja: {
      text: "銘柄の見積通貨が {currencies} と複数あります。1 つのボットの資金は 1 つの通貨です。",
      next: "通貨ごとにボットを分けてください。",
    },
  },
  "RUMI-RSK-003": {
    key: "risk.pool_in_use",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "Pool {pool_id} cannot shrink to {size}: its bots hold {held}.",
      next: "Lower their capital first (GET /api/pools/allocations, POST /api/bots/BOT/limits).",
    },
    ja: {
      text: "プール {pool_id} は {size} まで縮められません。ボットに {held} が割り当てられています。",
      next: "先に割当を減らしてください (GET /api/pools/allocations、POST /api/bots/BOT/limits)。",
    },
  },
  "RUMI-RSK-004": {
    key: "risk.beyond_balance",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "Pool {pool_id} cannot be {size}: the account's balance is {balance}.",
      next: "Choose a size within the balance, or have the ledger show more money first.",
    },
    ja: {
      text: "プール {pool_id} を {size} にはできません。口座の残高は {balance} です。",
      next: "残高以内の額にするか、先に台帳の残高を増やしてください。",
    },
  },
  "RUMI-RSK-005": {
    key: "risk.balance_unknown",
    status: 503,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The balance of {account} is not known: {problem}.",
      next: "Mend what the ledger port reads (user_data/settings/funds.json); until then nothing is allocated or started there.",
    },
    ja: {
      text: "{account} の残高が分かりません: {problem}。",
      next: "台帳の入力 (user_data/settings/funds.json) を直してください。それまで割当も起動もできません。",
    },
  },
  "RUMI-RSK-006": {
    key: "risk.not_at_rest",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The limits of {bot_id} are not changed while it is {state}: its run was begun under the present ones.",
      next: "Stop it first (to STOPPING, until it is IDLE), then change them and start it again.",
    },
    ja: {
      text: "{bot_id} は {state} のため上限を変更できません。実行は現在の上限で始まっています。",
      next: "先に停止して (STOPPING から IDLE まで)、変更してから起動し直してください。",
    },
  },
  "RUMI-RSK-007": {
    key: "risk.stop_condition_tripped",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} was stopped by its stop condition {condition} ({observed} against {limit}), and nobody has acknowledged that.",
      next: "Look at why, then acknowledge it: POST /api/bots/{bot_id}/stops/acknowledge. Its next start begins a new run.",
    },
    ja: {
      text: "{bot_id} は停止条件 {condition} ({limit} に対し {observed}) で停止しており、まだ確認されていません。",
      next: "原因を調べ、POST /api/bots/{bot_id}/stops/acknowledge で確認してください。次の起動は新しい実行になります。",
    },
  },
  "RUMI-RSK-008": {
    key: "risk.stop_conditions_invalid",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The stop conditions of {bot_id} are not understood: {problem}.",
      next: "Give it sound ones: POST /api/bots/{bot_id}/limits.",
    },
    ja: {
      text: "{bot_id} の停止条件を解釈できません: {problem}。",
      next: "POST /api/bots/{bot_id}/limits で正しい停止条件を設定してください。",
    },
  },
};
