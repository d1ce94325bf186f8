import type { ErrorTable } from "./entry.ts";

/** What the live side of an instance refuses. */
export type LiveCode = "RUMI-STR-045";

export const LIVE_ERRORS: ErrorTable<LiveCode> = {
  "RUMI-STR-045": {
    key: "str.tape_corrupt",
    status: 500,
    fault: "system",
    retry: "never",
    en: {
      text: "The tape of what this run received cannot be read at {path}: {problem}.",
      next: "Keep the run's folder as evidence and start the bot afresh; its orders are at the venue.",
    },
    ja: {
      text: "この実行が受信したデータの記録を {path} から読めません: {problem}。",
      next: "実行フォルダーを証拠として残し、ボットを新しく起動してください。注文は取引所にあります。",
    },
  },
};
