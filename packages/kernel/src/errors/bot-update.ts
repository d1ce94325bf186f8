/** Errors of what a bot is configured with, and of other versions: updates in place, shadows. */
import type { ErrorTable } from "./entry.ts";

export type UpdateCode =
  | "RUMI-BOT-034"
  | "RUMI-BOT-035"
  | "RUMI-BOT-040"
  | "RUMI-BOT-041"
  | "RUMI-BOT-042"
  | "RUMI-BOT-043";

export const UPDATE_ERRORS: ErrorTable<UpdateCode> = {
  "RUMI-BOT-040": {
    key: "bot.update_refused",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} cannot be updated while it is {state}.",
      next: "Wait until it is IDLE; a quarantined bot is released first.",
    },
    ja: {
      text: "{bot_id} が {state} の間は更新できません。",
      next: "IDLE になるまで待ってください。隔離中のボットは先に解除が必要です。",
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
  "RUMI-BOT-034": {
    key: "bot.secret_in_config",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The configuration field {field} is declared secret, and a configuration is stored and shown.",
      next: "Leave {field} out; the secret store that such fields need is not part of this version.",
    },
    ja: {
      text: "設定項目 {field} は秘密と宣言されていますが、設定は保存され表示されます。",
      next: "{field} を指定しないでください。必要なシークレットストアはこの版に含まれていません。",
    },
  },
  "RUMI-BOT-035": {
    key: "bot.admission_not_found",
    status: 404,
    fault: "caller",
    retry: "never",
    en: {
      text: "No admission report {report_id} is kept.",
      next: "List them with GET /api/admissions; the newest few of each bot are kept.",
    },
    ja: {
      text: "審査報告 {report_id} は保存されていません。",
      next: "GET /api/admissions で一覧してください。ボットごとに最新の数件だけが保存されます。",
    },
  },
};
