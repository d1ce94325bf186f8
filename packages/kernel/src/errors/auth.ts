import type { ErrorTable } from "./entry.ts";

type AuthCode = "RUMI-AUTH-001" | "RUMI-AUTH-002" | "RUMI-AUTH-003" | "RUMI-AUTH-004";

export const AUTH_ERRORS: ErrorTable<AuthCode> = {
  "RUMI-AUTH-001": {
    key: "auth.token_invalid",
    status: 401,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The bearer token is missing or is not one of this home.",
      next: "Send the header 'Authorization: Bearer TOKEN'; 'rumi token' prints the token of a home.",
    },
    ja: {
      text: "ベアラートークンがないか、このホームのものではありません。",
      next: "ヘッダー 'Authorization: Bearer TOKEN' を付けてください。'rumi token' でトークンを表示できます。",
    },
  },
  "RUMI-AUTH-002": {
    key: "auth.token_expired",
    status: 401,
    fault: "caller",
    retry: "after_fix",
    en: { text: "The bearer token has expired.", next: "Ask an administrator for a new token." },
    ja: {
      text: "ベアラートークンの有効期限が切れています。",
      next: "管理者に新しいトークンを依頼してください。",
    },
  },
  "RUMI-AUTH-003": {
    key: "auth.permission_denied",
    status: 403,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{principal} may not do {action}.",
      next: "Ask an administrator for a role that holds {action}.",
    },
    ja: {
      text: "{principal} には {action} の権限がありません。",
      next: "{action} を含むロールを管理者に依頼してください。",
    },
  },
  "RUMI-AUTH-004": {
    key: "auth.too_many_failures",
    status: 429,
    fault: "caller",
    retry: "later",
    en: {
      text: "Too many failed authentications from this address.",
      next: "Wait {seconds} s, then try again with the token that 'rumi token' prints.",
    },
    ja: {
      text: "このアドレスからの認証失敗が多すぎます。",
      next: "{seconds} 秒待ってから 'rumi token' が表示するトークンで再試行してください。",
    },
  },
};
