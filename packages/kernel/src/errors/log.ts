import type { ErrorTable } from "./entry.ts";

type LogCode = never;

export const LOG_ERRORS: ErrorTable<LogCode> = {};
