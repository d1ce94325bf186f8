/** Codes of the category PIP: libraries that packs ask for; see catalogue.ts for what an entry must hold. */
import type { ErrorTable } from "./entry.ts";

type PipCode =
  | "RUMI-PIP-001"
  | "RUMI-PIP-002"
  | "RUMI-PIP-003"
  | "RUMI-PIP-004"
  | "RUMI-PIP-005"
  | "RUMI-PIP-006"
  | "RUMI-PIP-007"
  | "RUMI-PIP-008"
  | "RUMI-PIP-009";

const asOperator = { fault: "operator", retry: "after_fix" } as const;

export const PIP_ERRORS: ErrorTable<PipCode> = {
  "RUMI-PIP-001": {
    key: "pip.not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no list of libraries {candidate_key}.",
      next: "GET /api/pip/requests lists every candidate; POST /api/pip/candidates/scan looks for new ones.",
    },
    ja: {
      text: "pip 候補 {candidate_key} はありません。",
      next: "GET /api/pip/requests で一覧を、POST /api/pip/candidates/scan で新しい候補を確認できます。",
    },
  },
  "RUMI-PIP-002": {
    ...asOperator,
    key: "pip.lock_invalid",
    status: 422,
    en: {
      text: "{path}, line {line}: {problem}.",
      next: "Each line of a lock is NAME==VERSION and nothing else; mend it, approve the pack again, scan again.",
    },
    ja: {
      text: "{path} の {line} 行目: {problem}。",
      next: "requirements.lock の各行は NAME==VERSION のみです。修正して Pack を再承認し、再スキャンしてください。",
    },
  },
  "RUMI-PIP-003": {
    ...asOperator,
    key: "pip.hash_mismatch",
    status: 409,
    en: {
      text: "SHA-256 mismatch: the lock of {candidate_key} is {found} now; it changed after the scan.",
      next: "Approve the pack again if it changed, scan again, and approve the new candidate.",
    },
    ja: {
      text: "SHA-256 mismatch: {candidate_key} の lock は現在 {found} で、スキャン後に変更されています。",
      next: "Pack が変更されていれば再承認し、もう一度スキャンして新しい候補を承認してください。",
    },
  },
  "RUMI-PIP-004": {
    ...asOperator,
    key: "pip.index_refused",
    status: 400,
    en: {
      text: "Libraries cannot come from {index_url}: {problem}.",
      next: "Name an https index on an external host; RUMI_PIP_INDEX_HOSTS lists internal ones that are meant.",
    },
    ja: {
      text: "{index_url} からはインストールできません: {problem}。",
      next: "外部ホストの https の index_url を指定してください。社内の index は RUMI_PIP_INDEX_HOSTS に列挙します。",
    },
  },
  "RUMI-PIP-005": {
    ...asOperator,
    key: "pip.download_failed",
    status: 502,
    en: {
      text: "The libraries could not be had from {index_url}: {problem}",
      next: "Mend the cause, scan again, approve again. Where a package has no wheel, allow_sdist lets it be built in a jail.",
    },
    ja: {
      text: "{index_url} からライブラリを取得できませんでした: {problem}",
      next: "原因を直して再スキャンし、承認し直してください。wheel がないパッケージには allow_sdist を指定します。",
    },
  },
  "RUMI-PIP-006": {
    ...asOperator,
    key: "pip.set_differs",
    status: 409,
    en: {
      text: "What was downloaded is not what the lock says: {problem}.",
      next: "Nothing was installed. Look at the lock and at the index; scan and approve again.",
    },
    ja: {
      text: "ダウンロードされたものが lock と一致しません: {problem}。",
      next: "何もインストールされていません。lock と index を確認し、再スキャンして承認し直してください。",
    },
  },
  "RUMI-PIP-007": {
    ...asOperator,
    key: "pip.install_failed",
    status: 409,
    en: {
      text: "The libraries could not be built or installed: {problem}",
      next: "Mend the cause, scan again, approve again.",
    },
    ja: {
      text: "ライブラリのビルドまたはインストールに失敗しました: {problem}",
      next: "原因を直して再スキャンし、承認し直してください。",
    },
  },
  "RUMI-PIP-008": {
    ...asOperator,
    key: "pip.environment_altered",
    status: 403,
    en: {
      text: "The environment {environment} is not what was installed; nothing runs in it.",
      next: "Find out what changed it, remove its folder in user_data/pip/environments, uninstall and approve again.",
    },
    ja: {
      text: "環境 {environment} はインストール時の内容と異なるため、使用しません。",
      next: "変更の原因を調べ、user_data/pip/environments のフォルダを削除して承認し直してください。",
    },
  },
  "RUMI-PIP-009": {
    ...asOperator,
    key: "pip.missing",
    status: 409,
    en: {
      text: "This machine has no pip that can be used: {problem}.",
      next: "Install pip 22.3 or newer for a Python on the PATH.",
    },
    ja: {
      text: "利用できる pip がありません: {problem}。",
      next: "PATH 上の Python に pip 22.3 以降をインストールしてください。",
    },
  },
};
