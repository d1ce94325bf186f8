import type { ErrorTable } from "./entry.ts";

type AuthCode =
  | "RUMI-AUTH-001"
  | "RUMI-AUTH-002"
  | "RUMI-AUTH-003"
  | "RUMI-AUTH-004"
  | "RUMI-AUTH-005"
  | "RUMI-AUTH-006"
  | "RUMI-AUTH-007"
  | "RUMI-AUTH-008"
  | "RUMI-AUTH-009"
  | "RUMI-AUTH-010"
  | "RUMI-AUTH-011"
  | "RUMI-AUTH-012"
  | "RUMI-AUTH-013"
  | "RUMI-AUTH-014"
  | "RUMI-AUTH-015";

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
  "RUMI-AUTH-005": {
    key: "auth.ended",
    status: 401,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "This token was revoked, or its principal was disabled.",
      next: "Ask an administrator for a new token.",
    },
    ja: {
      text: "このトークンは取り消されたか、その利用者が無効化されています。",
      next: "管理者に新しいトークンを依頼してください。",
    },
  },
  "RUMI-AUTH-006": {
    key: "auth.user_unknown",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: { text: "There is no principal {user_id}.", next: "GET /api/users lists them." },
    ja: { text: "利用者 {user_id} は存在しません。", next: "GET /api/users で一覧を確認してください。" },
  },
  "RUMI-AUTH-007": {
    key: "auth.token_unknown",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: { text: "There is no token {token_id}.", next: "GET /api/users/(user_id)/tokens lists those of a principal." },
    ja: {
      text: "トークン {token_id} は存在しません。",
      next: "GET /api/users/(user_id)/tokens で一覧を確認してください。",
    },
  },
  "RUMI-AUTH-008": {
    key: "auth.bootstrap_fixed",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "{user_id} is the bootstrap principal of this home and cannot be changed.",
      next: "Make a principal of its own for everybody, and keep the home's token for emergencies; RUMI_HMAC_ROTATE=true replaces it.",
    },
    ja: {
      text: "{user_id} はこのホームの初期利用者であり、変更できません。",
      next: "各担当者に個別の利用者を作成し、ホームのトークンは緊急用に保管してください。RUMI_HMAC_ROTATE=true で更新できます。",
    },
  },
  "RUMI-AUTH-009": {
    key: "auth.limit",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "There are {limit} {what}, which is the most.",
      next: "Revoke or disable what is not needed any more.",
    },
    ja: { text: "{what} が上限の {limit} に達しています。", next: "不要なものを取り消すか無効化してください。" },
  },
  "RUMI-AUTH-010": {
    key: "auth.user_disabled",
    status: 409,
    fault: "caller",
    retry: "never",
    en: { text: "The principal {user_id} is disabled.", next: "Make a new principal; a disabled one stays disabled." },
    ja: {
      text: "利用者 {user_id} は無効化されています。",
      next: "新しい利用者を作成してください。無効化は取り消せません。",
    },
  },
  "RUMI-AUTH-011": {
    key: "auth.policy_denies",
    status: 403,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "A policy does not let {principal} do {action}.",
      next: "Look at GET /api/policies; the answer's details name the policies that forbid it.",
    },
    ja: {
      text: "ポリシーにより {principal} は {action} を実行できません。",
      next: "GET /api/policies を確認してください。details に禁止したポリシーの名前があります。",
    },
  },
  "RUMI-AUTH-012": {
    key: "auth.policy_error",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The policies could not be evaluated for {action}, so it is denied: {problem}.",
      next: "Put policies in force that can be evaluated; the home's own token can always do that.",
    },
    ja: {
      text: "{action} のポリシーを評価できないため拒否しました: {problem}。",
      next: "評価できるポリシーに差し替えてください。ホームのトークンならいつでも実行できます。",
    },
  },
  "RUMI-AUTH-013": {
    key: "auth.policy_invalid",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "These policies are not acceptable: {problem}.",
      next: "Correct the text; actions are names of operations, principals are users in roles.",
    },
    ja: {
      text: "このポリシーは受け付けられません: {problem}。",
      next: "本文を修正してください。action は操作名、principal はロールに属する利用者です。",
    },
  },
  "RUMI-AUTH-014": {
    key: "auth.same_hand",
    status: 403,
    fault: "caller",
    retry: "never",
    en: {
      text: "{principal} cannot be the second person of {requester}: the same hand may be behind both ({hand}).",
      next: "Somebody has to do it whose account and tokens were made by neither of them nor by anybody behind them.",
    },
    ja: {
      text: "{principal} は {requester} の第二者になれません。同一人物が両方を操作できる可能性があります ({hand})。",
      next: "アカウントもトークンも両者やその発行元によって作られていない別の担当者が行ってください。",
    },
  },
  "RUMI-AUTH-015": {
    key: "auth.second_person_too_new",
    status: 403,
    fault: "caller",
    retry: "later",
    en: {
      text: "{principal} and {requester} count as two people only from {until}: the home's own principal has just made one of them, or a token of theirs.",
      next: "Wait until then, or ask somebody who has been here longer.",
    },
    ja: {
      text: "{principal} と {requester} は {until} まで別人と見なされません。ホームの principal がどちらかのアカウントまたはトークンを作成した直後です。",
      next: "その時刻まで待つか、以前から登録されている別の担当者に依頼してください。",
    },
  },
};
