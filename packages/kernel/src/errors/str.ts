import type { ErrorTable } from "./entry.ts";

type StrCode = never;

export const STR_ERRORS: ErrorTable<StrCode> = {};
