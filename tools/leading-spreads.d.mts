import type { Plugin } from "esbuild";

export function quickenSpreads(code: string): Promise<{ readonly code: string; readonly count: number }>;
export const quickSpreads: Plugin;
