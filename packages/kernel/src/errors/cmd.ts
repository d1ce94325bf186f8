import type { ErrorTable } from "./entry.ts";

type CmdCode = never;

export const CMD_ERRORS: ErrorTable<CmdCode> = {};
