import type { ErrorTable } from "./entry.ts";

type StoCode = never;

export const STO_ERRORS: ErrorTable<StoCode> = {};
