/** Errors of bots whose venue is outside this process. */
import type { ErrorTable } from "./entry.ts";

export type BotLiveCode = "RUMI-BOT-047" | "RUMI-BOT-048";

export const BOT_LIVE_ERRORS: ErrorTable<BotLiveCode> = {
  "RUMI-BOT-047": {
    key: "bot.venue_outside",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The venue of {bot_id} is a simulator outside: nothing here could fill its orders on paper.",
      next: "Start it live (a simulator holds no money), or as a shadow; for paper use a recording.",
    },
    ja: {
      text: "{bot_id} の取引所は外部のシミュレーターなので、ここで paper として約定させることはできません。",
      next: "live (シミュレーターは資金を持ちません) か shadow で起動するか、paper には記録データを使ってください。",
    },
  },
  "RUMI-BOT-048": {
    key: "bot.stop_not_proven",
    status: 409,
    fault: "operator",
    retry: "later",
    en: {
      text: "{bot_id} is not released: it is not proven yet that nothing of it runs.",
      next: "Wait until its instances have no holder (GET /api/bots/{bot_id}), then ask for the release again.",
    },
    ja: {
      text: "{bot_id} の停止がまだ証明されていないため、解除できません。",
      next: "インスタンスの保持者がいなくなるまで待ち (GET /api/bots/{bot_id})、再度解除を要求してください。",
    },
  },
};
