import type { ErrorTable } from "./entry.ts";

type BotCode = never;

export const BOT_ERRORS: ErrorTable<BotCode> = {};
