import type { ErrorTable } from "./entry.ts";

type NetCode = "RUMI-NET-001" | "RUMI-NET-002" | "RUMI-NET-004" | "RUMI-NET-005";

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
  "RUMI-NET-004": {
    key: "net.domain_refused",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{domain} cannot be granted: {problem}.",
      next: "Name a public host such as api.example.com, or *.example.com for it and all below it.",
    },
    ja: {
      text: "{domain} は許可できません: {problem}。",
      next: "api.example.com のような公開ホスト名、または *.example.com (自身と配下すべて) を指定してください。",
    },
  },
  "RUMI-NET-005": {
    key: "net.no_grant",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The pack {pack_id} has no network grant.",
      next: "GET /api/network/list lists every grant; POST /api/network/grant makes one.",
    },
    ja: {
      text: "パック {pack_id} にネットワーク権限はありません。",
      next: "GET /api/network/list で一覧を確認し、POST /api/network/grant で付与できます。",
    },
  },
};
