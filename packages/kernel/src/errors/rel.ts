/** Errors of release certificates: missing, revoked, stale, not to be issued, not to be believed. */
import type { ErrorTable } from "./entry.ts";

type ReleaseCode = "RUMI-REL-001" | "RUMI-REL-002" | "RUMI-REL-003" | "RUMI-REL-004" | "RUMI-REL-005" | "RUMI-REL-006";

export const RELEASE_ERRORS: ErrorTable<ReleaseCode> = {
  "RUMI-REL-001": {
    key: "rel.missing",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} {version} has no release certificate, and {mode} needs one here.",
      next: "Have one issued with POST /api/release/cert/issue, then ask again.",
    },
    ja: {
      text: "{bot_id} {version} にはリリース証明書がなく、この環境の {mode} には必要です。",
      next: "POST /api/release/cert/issue で発行してから再度要求してください。",
    },
  },
  "RUMI-REL-002": {
    key: "rel.revoked",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The release certificate {cert_id} of {bot_id} was revoked at {at}.",
      next: "Read why with GET /api/release/certs/{cert_id}; once it is mended, have another one issued.",
    },
    ja: {
      text: "{bot_id} のリリース証明書 {cert_id} は {at} に失効しました。",
      next: "GET /api/release/certs/{cert_id} で理由を確認し、解決後に新しい証明書を発行してください。",
    },
  },
  "RUMI-REL-003": {
    key: "rel.stale",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The release certificate {cert_id} does not count for {bot_id} as it is now: {problem}.",
      next: "Have one issued for what is there: POST /api/release/cert/issue.",
    },
    ja: {
      text: "リリース証明書 {cert_id} は現在の {bot_id} には有効ではありません: {problem}。",
      next: "現在の内容に対して発行してください: POST /api/release/cert/issue。",
    },
  },
  "RUMI-REL-004": {
    key: "rel.not_issued",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} {version} gets no release certificate because of {item}: {problem}.",
      next: "Mend that, then ask again; docs/release.md says what each item takes.",
    },
    ja: {
      text: "{item} のため {bot_id} {version} のリリース証明書を発行できません: {problem}。",
      next: "解決してから再度要求してください。各項目の条件は docs/release.md にあります。",
    },
  },
  "RUMI-REL-005": {
    key: "rel.in_force",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "{bot_id} {version} has a release certificate already that is in force: {cert_id}.",
      next: "Use that one; GET /api/release/certs/{cert_id} shows it.",
    },
    ja: {
      text: "{bot_id} {version} には有効なリリース証明書 {cert_id} が既にあります。",
      next: "それを使ってください。GET /api/release/certs/{cert_id} で確認できます。",
    },
  },
  "RUMI-REL-006": {
    key: "rel.not_believed",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The release certificate is not to be believed: {problem}.",
      next: "Get it anew from its home with `rumi release show CERT --json`, its status with `rumi release status CERT --json`, and the public key from somebody you trust.",
    },
    ja: {
      text: "リリース証明書は信用できません: {problem}。",
      next: "証明書を `rumi release show CERT --json` で、状態を `rumi release status CERT --json` で取り直し、公開鍵は信頼できる相手から入手してください。",
    },
  },
};
