import type { ErrorTable } from "./entry.ts";

type PackCode = never;

export const PACK_ERRORS: ErrorTable<PackCode> = {};
