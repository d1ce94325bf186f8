/** Errors of approving and rejecting staged intents. */
import type { ErrorTable } from "./entry.ts";

export type StagingCode = "RUMI-BOT-060" | "RUMI-BOT-061" | "RUMI-BOT-062" | "RUMI-BOT-063";

export const STAGING_ERRORS: ErrorTable<StagingCode> = {
  "RUMI-BOT-060": {
    key: "bot.no_staged_intent",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The run {run_id} has no staged intent {idempotency_key}.",
      next: "Take run and key from 'rumi intents staged'.",
    },
    ja: {
      text: "実行 {run_id} に承認待ちの Intent {idempotency_key} はありません。",
      next: "実行 ID とキーは 'rumi intents staged' で確かめてください。",
    },
  },
  "RUMI-BOT-061": {
    key: "bot.staged_intent_decided",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The staged intent {idempotency_key} is decided already: {state} by {by}.",
      next: "Nothing: the first word counts. 'rumi intents staged' shows what came of it.",
    },
    ja: {
      text: "承認待ちの Intent {idempotency_key} は決定済みです: {state}({by})。",
      next: "対応は不要です。最初の決定が有効です。結果は 'rumi intents staged' で確認できます。",
    },
  },
  "RUMI-BOT-062": {
    key: "bot.staged_intent_expired",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The staged intent {idempotency_key} waited too long; it can be approved no more.",
      next: "Let the strategy decide again; raise staging.expires_after_ms if people need longer.",
    },
    ja: {
      text: "承認待ちの Intent {idempotency_key} は期限切れで、もう承認できません。",
      next: "戦略に改めて判断させてください。人の確認に時間が要るなら staging.expires_after_ms を延ばしてください。",
    },
  },
  "RUMI-BOT-063": {
    key: "bot.staged_intent_run_over",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The run {run_id} that staged the intent {idempotency_key} does not run now; nothing of it can be approved.",
      next: "Continue the bot if it is paused. What an ended run staged is never sent.",
    },
    ja: {
      text: "Intent {idempotency_key} を出した実行 {run_id} は稼働していないため、承認できません。",
      next: "一時停止中なら再開してください。終わった実行の承認待ちは発注されません。",
    },
  },
};
