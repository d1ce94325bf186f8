/** Errors of other versions: updates in place, shadows, staged intents. */
import type { ErrorTable } from "./entry.ts";

export type UpdateCode = "RUMI-BOT-040" | "RUMI-BOT-041" | "RUMI-BOT-042" | "RUMI-BOT-043" | "RUMI-BOT-044";

export const UPDATE_ERRORS: ErrorTable<UpdateCode> = {
  "RUMI-BOT-040": {
    key: "bot.update_refused",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} cannot be updated while it is {state}.",
      next: "Bring the bot to IDLE, PAUSED, ERROR or a paper or shadow run.",
    },
    ja: {
      text: "{bot_id} が {state} の間は更新できません。",
      next: "IDLE・PAUSED・ERROR・paper・shadow のいずれかにしてください。",
    },
  },
  "RUMI-BOT-041": {
    key: "bot.nothing_to_shadow",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} is {state}: there is no run that a shadow could stand beside.",
      next: "Start the bot, then its shadow.",
    },
    ja: {
      text: "{bot_id} は {state} で、影武者が並走できる実行がありません。",
      next: "ボットを開始してから影武者を開始してください。",
    },
  },
  "RUMI-BOT-042": {
    key: "bot.shadow_exists",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} has a shadow already: {instance_id}.",
      next: "Stop it with 'rumi bots shadow-stop', then start the other one.",
    },
    ja: {
      text: "{bot_id} には既に影武者 {instance_id} があります。",
      next: "'rumi bots shadow-stop' で止めてから開始してください。",
    },
  },
  "RUMI-BOT-043": {
    key: "bot.no_shadow",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: { text: "{bot_id} has no shadow.", next: "'rumi bots show {bot_id}' lists its instances." },
    ja: { text: "{bot_id} に影武者はありません。", next: "'rumi bots show {bot_id}' で一覧を確かめてください。" },
  },
  "RUMI-BOT-044": {
    key: "bot.not_staged",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "No intent {idempotency_key} of run {run_id} waits for a decision.",
      next: "'rumi staged list' shows what waits; an intent that expired or was decided does not.",
    },
    ja: {
      text: "実行 {run_id} に決定待ちの意図 {idempotency_key} はありません。",
      next: "'rumi staged list' で決定待ちを確かめてください。",
    },
  },
};
