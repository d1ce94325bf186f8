/** Codes of the category SEC, stored secrets; see catalogue.ts for what an entry must hold. */
import type { ErrorTable } from "./entry.ts";

type SecretCode = "RUMI-SEC-001" | "RUMI-SEC-002" | "RUMI-SEC-003" | "RUMI-SEC-004" | "RUMI-SEC-005" | "RUMI-SEC-006";

export const SECRET_ERRORS: ErrorTable<SecretCode> = {
  "RUMI-SEC-001": {
    key: "secret.not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "No secret is stored under {key}.",
      next: "Look at GET /api/secrets for the keys there are, or set {key}.",
    },
    ja: {
      text: "{key} という秘密値は保存されていません。",
      next: "GET /api/secrets でキーを確認するか、{key} を設定してください。",
    },
  },
  "RUMI-SEC-002": {
    key: "secret.no_key",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "There is no key for secrets ({problem}), and plain text is not allowed.",
      next: "Set RUMI_SECRETS_KEY or put back user_data/settings/.secrets_key, and start again; docs/secrets.md tells how.",
    },
    ja: {
      text: "秘密値の鍵がなく ({problem})、平文での保存も許可されていません。",
      next: "RUMI_SECRETS_KEY を設定するか user_data/settings/.secrets_key を戻して再起動してください (docs/secrets.md)。",
    },
  },
  "RUMI-SEC-003": {
    key: "secret.unreadable",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The secret {key} cannot be read: {problem}.",
      next: "Start with the key under which {key} was stored, or set {key} anew.",
    },
    ja: {
      text: "秘密値 {key} を読み出せません: {problem}。",
      next: "{key} を保存した時の鍵で起動するか、{key} を設定し直してください。",
    },
  },
  "RUMI-SEC-004": {
    key: "secret.rate_limited",
    status: 429,
    fault: "caller",
    retry: "later",
    en: {
      text: "The pack {pack_id} has read {limit} secrets within a minute.",
      next: "Wait {seconds} s, keep what was read, or raise RUMI_SECRET_GET_RATE_LIMIT.",
    },
    ja: {
      text: "パック {pack_id} は 1 分間に {limit} 回秘密値を読みました。",
      next: "{seconds} 秒待つか、読んだ値を保持するか、RUMI_SECRET_GET_RATE_LIMIT を上げてください。",
    },
  },
  "RUMI-SEC-005": {
    key: "secret.not_written",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The secret {key} could not be written: {problem}. Nothing was changed.",
      next: "Give user_data/secrets room and let the program's user write there, then set {key} again.",
    },
    ja: {
      text: "秘密値 {key} を書き込めませんでした: {problem}。何も変更されていません。",
      next: "user_data/secrets の空き容量と書き込み権限を確認し、{key} を設定し直してください。",
    },
  },
  "RUMI-SEC-006": {
    key: "secret.too_many",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{limit} secrets are stored, which is as many as there may be.",
      next: "Delete a secret that nothing needs any more, then set {key} again.",
    },
    ja: {
      text: "秘密値は上限の {limit} 個まで保存されています。",
      next: "不要な秘密値を削除してから {key} を設定し直してください。",
    },
  },
};
