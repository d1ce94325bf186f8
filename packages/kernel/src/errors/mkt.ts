import type { ErrorTable } from "./entry.ts";

type MktCode = never;

export const MKT_ERRORS: ErrorTable<MktCode> = {};
