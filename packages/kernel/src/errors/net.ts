import type { ErrorTable } from "./entry.ts";

type NetCode =
  | "RUMI-NET-001"
  | "RUMI-NET-002"
  | "RUMI-NET-003"
  | "RUMI-NET-004"
  | "RUMI-NET-005"
  | "RUMI-NET-006"
  | "RUMI-NET-007"
  | "RUMI-NET-008"
  | "RUMI-NET-009"
  | "RUMI-NET-010"
  | "RUMI-NET-011";

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
  "RUMI-NET-003": {
    key: "net.proxy_error",
    status: 502,
    fault: "system",
    retry: "later",
    en: { text: "The request could not be passed on: {problem}.", next: "Try again; the program's log says more." },
    ja: {
      text: "リクエストを中継できませんでした: {problem}。",
      next: "再試行してください。詳細はプログラムのログにあります。",
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
  "RUMI-NET-006": {
    key: "net.egress_denied",
    status: 403,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The pack {pack_id} may not reach {target}: {reason}.",
      next: "POST /api/network/check says what would be let through; POST /api/network/grant allows more.",
    },
    ja: {
      text: "パック {pack_id} は {target} に到達できません: {reason}。",
      next: "POST /api/network/check で可否を確認し、POST /api/network/grant で許可できます。",
    },
  },
  "RUMI-NET-007": {
    key: "net.request_invalid",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: { text: "The request cannot be passed on: {problem}.", next: "docs/network.md says what a pack may send." },
    ja: {
      text: "このリクエストは中継できません: {problem}。",
      next: "Pack が送信できる内容は docs/network.md を参照してください。",
    },
  },
  "RUMI-NET-008": {
    key: "net.target_unreachable",
    status: 502,
    fault: "caller",
    retry: "later",
    en: {
      text: "{target} gave no answer: {problem}.",
      next: "Look whether the host is up and the name is right, then try again.",
    },
    ja: {
      text: "{target} から応答がありません: {problem}。",
      next: "ホストの稼働と名前を確認してから再試行してください。",
    },
  },
  "RUMI-NET-009": {
    key: "net.response_too_large",
    status: 502,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The answer of {target} is larger than {most} bytes.",
      next: "Ask for less at a time, or raise RUMI_MAX_RESPONSE_BYTES.",
    },
    ja: {
      text: "{target} の応答が {most} バイトを超えています。",
      next: "一度に要求する量を減らすか、RUMI_MAX_RESPONSE_BYTES を上げてください。",
    },
  },
  "RUMI-NET-010": {
    key: "net.too_many_redirects",
    status: 502,
    fault: "caller",
    retry: "after_fix",
    en: { text: "{target} redirects more than {most} times.", next: "Ask for the last address directly." },
    ja: { text: "{target} のリダイレクトが {most} 回を超えました。", next: "最終的な URL を直接要求してください。" },
  },
  "RUMI-NET-011": {
    key: "net.socket_unavailable",
    status: 503,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The socket {path} cannot be served: {problem}.",
      next: "Set {variable} to a folder, group or mode that this program can use; docs/network.md says how.",
    },
    ja: {
      text: "ソケット {path} を提供できません: {problem}。",
      next: "{variable} に、このプログラムが使えるディレクトリ・グループ・モードを設定してください。docs/network.md を参照。",
    },
  },
};
