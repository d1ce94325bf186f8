import type { ErrorTable } from "./entry.ts";

type NetCode = "RUMI-NET-001" | "RUMI-NET-002";

export const NET_ERRORS: ErrorTable<NetCode> = {
  "RUMI-NET-001": {
    key: "net.connection_failed",
    status: 502,
    fault: "operator",
    retry: "later",
    en: {
      text: "Nothing answers at {url}.",
      next: "Start the program of that home ('rumi start'), or set RUMI_API_URL or RUMI_API_PORT.",
    },
    ja: {
      text: "{url} から応答がありません。",
      next: "そのホームのプログラムを起動する ('rumi start') か、RUMI_API_URL または RUMI_API_PORT を設定してください。",
    },
  },
  "RUMI-NET-002": {
    key: "net.timed_out",
    status: 504,
    fault: "system",
    retry: "later",
    en: { text: "{what} did not answer within {seconds} s.", next: "Try again; 'rumi doctor' shows what is slow." },
    ja: {
      text: "{what} が {seconds} 秒以内に応答しませんでした。",
      next: "再試行してください。'rumi doctor' で遅い箇所を確認できます。",
    },
  },
};
