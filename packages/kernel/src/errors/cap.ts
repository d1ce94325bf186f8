/** Capabilities: handlers that packs bring, grants and privileges. */
import type { ErrorTable } from "./entry.ts";

type CapCode =
  | "RUMI-CAP-001"
  | "RUMI-CAP-002"
  | "RUMI-CAP-003"
  | "RUMI-CAP-004"
  | "RUMI-CAP-005"
  | "RUMI-CAP-006"
  | "RUMI-CAP-007"
  | "RUMI-CAP-008"
  | "RUMI-CAP-009"
  | "RUMI-CAP-010"
  | "RUMI-CAP-011"
  | "RUMI-CAP-012"
  | "RUMI-CAP-013"
  | "RUMI-CAP-014"
  | "RUMI-CAP-015"
  | "RUMI-CAP-016"
  | "RUMI-CAP-017";

export const CAPABILITY_ERRORS: ErrorTable<CapCode> = {
  "RUMI-CAP-001": {
    key: "cap.not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no capability {what}.",
      next: "GET /api/capability/requests lists every candidate; POST /api/capability/candidates/scan looks for new ones.",
    },
    ja: {
      text: "Capability {what} はありません。",
      next: "GET /api/capability/requests で一覧を、POST /api/capability/candidates/scan で新しい候補を確認できます。",
    },
  },
  "RUMI-CAP-002": {
    key: "cap.execution_failed",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The capability {permission_id} failed: {problem}.",
      next: "Mend the arguments or the handler; docs/capabilities.md says what each permission takes.",
    },
    ja: {
      text: "Capability {permission_id} の実行に失敗しました: {problem}。",
      next: "引数または handler を直してください。各権限の引数は docs/capabilities.md を参照してください。",
    },
  },
  "RUMI-CAP-003": {
    key: "cap.wrong_state",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The candidate {candidate_key} is {state}, so there is nothing to {act}.",
      next: "Only a pending one is approved or rejected, only a blocked one unblocked; a rejected one is pending again an hour later.",
    },
    ja: {
      text: "候補 {candidate_key} は {state} のため、{act} できません。",
      next: "承認と却下は pending、ブロック解除は blocked の候補だけが対象です。却下された候補は 1 時間後に pending へ戻ります。",
    },
  },
  "RUMI-CAP-004": {
    key: "cap.hash_mismatch",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "SHA-256 mismatch: the content of {candidate_key} is {found} now; it changed after the scan.",
      next: "Approve the pack again if it changed, scan again, and approve the new candidate.",
    },
    ja: {
      text: "SHA-256 mismatch: {candidate_key} の内容は現在 {found} で、スキャン後に変更されています。",
      next: "Pack が変更されていれば再承認し、もう一度スキャンして新しい候補を承認してください。",
    },
  },
  "RUMI-CAP-005": {
    key: "cap.already_served",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{other} serves {what} already.",
      next: "A permission and a handler_id have one handler each: uninstall the other pack, or give this one another name.",
    },
    ja: {
      text: "{what} は {other} がすでに提供しています。",
      next: "権限と handler_id に対応する handler は一つだけです。他方の Pack を削除するか、別の名前にしてください。",
    },
  },
  "RUMI-CAP-006": {
    key: "cap.untrusted",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The handler's copy of {candidate_key} is not what was trusted; it is not run.",
      next: "Find out what changed it, then approve the candidate again after a new scan.",
    },
    ja: {
      text: "{candidate_key} の handler のコピーが信頼された内容と異なるため、実行しません。",
      next: "変更の原因を調べ、再スキャンのうえ候補を承認し直してください。",
    },
  },
  "RUMI-CAP-007": {
    key: "cap.manifest_invalid",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{path}: {field}: {problem}.",
      next: "docs/capabilities.md shows a handler's folder; mend it, approve the pack again, scan again.",
    },
    ja: {
      text: "{path}: {field}: {problem}。",
      next: "handler の構成は docs/capabilities.md を参照してください。修正して Pack を再承認し、再スキャンしてください。",
    },
  },
  "RUMI-CAP-008": {
    key: "cap.config_refused",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The config for {permission_id} is not acceptable: {problem}.",
      next: "docs/capabilities.md lists what the config of each permission holds.",
    },
    ja: {
      text: "{permission_id} の config は受け付けられません: {problem}。",
      next: "権限ごとの config の項目は docs/capabilities.md を参照してください。",
    },
  },
  "RUMI-CAP-009": {
    key: "cap.no_grant",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{principal_id} was not granted {permission_id}.",
      next: "GET /api/capability/grants lists every grant.",
    },
    ja: {
      text: "{principal_id} に {permission_id} は付与されていません。",
      next: "GET /api/capability/grants で付与の一覧を確認できます。",
    },
  },
  "RUMI-CAP-010": {
    key: "cap.grant_denied",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{principal_id} may not use {permission_id}: {missing} was not granted it.",
      next: "Approving a handler is not enough: POST /api/capability/grants/grant for every principal of the line.",
    },
    ja: {
      text: "{principal_id} は {permission_id} を使えません: {missing} に付与されていません。",
      next: "handler の承認だけでは使えません。系列のすべての principal に POST /api/capability/grants/grant で付与してください。",
    },
  },
  "RUMI-CAP-011": {
    key: "cap.no_privilege",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no privilege {privilege_id}.",
      next: "GET /api/privileges lists every privilege.",
    },
    ja: {
      text: "特権 {privilege_id} はありません。",
      next: "GET /api/privileges で特権の一覧を確認できます。",
    },
  },
  "RUMI-CAP-012": {
    key: "cap.privilege_not_granted",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The pack {pack_id} does not hold the privilege {privilege_id}; a capability grant does not give it.",
      next: "An admin gives it: POST /api/privileges/{pack_id}/grant/{privilege_id}.",
    },
    ja: {
      text: "パック {pack_id} は特権 {privilege_id} を持っていません。Capability Grant とは独立した仕組みです。",
      next: "管理者が POST /api/privileges/{pack_id}/grant/{privilege_id} で付与できます。",
    },
  },
  "RUMI-CAP-013": {
    key: "cap.config_denied",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The grant of {permission_id} does not name {item} in {list}.",
      next: "GET /api/capability/grants shows what is left of a grant's config; grant it again with the name in its list.",
    },
    ja: {
      text: "{permission_id} の Grant の {list} に {item} がありません。",
      next: "GET /api/capability/grants で有効な config を確認し、一覧に加えて付与し直してください。",
    },
  },
  "RUMI-CAP-014": {
    key: "cap.too_many_calls",
    status: 429,
    fault: "caller",
    retry: "later",
    en: {
      text: "The pack {pack_id} made {limit} of capabilities within a minute, which is the limit.",
      next: "Ask less often; calls are answered again as the minute slides on.",
    },
    ja: {
      text: "パック {pack_id} の Capability 呼び出しが 1 分間の上限 ({limit}) に達しました。",
      next: "呼び出しの頻度を下げてください。時間の経過とともに再び受け付けます。",
    },
  },
  "RUMI-CAP-015": {
    key: "cap.engine_away",
    status: 503,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The Docker Engine at {socket} cannot be used: {problem}.",
      next: "Start the engine or name its socket in RUMI_CONTAINER_ENGINE; see GET /api/docker/status.",
    },
    ja: {
      text: "{socket} の Docker Engine を使用できません: {problem}。",
      next: "Engine を起動するか RUMI_CONTAINER_ENGINE にソケットを指定してください。GET /api/docker/status で確認できます。",
    },
  },
  "RUMI-CAP-016": {
    key: "cap.requires_denied",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The handler {handler_id} needs {permission_id}, which its pack {pack_id} was not granted.",
      next: "Grant it to the handler's pack with POST /api/capability/grants/grant, or approve a handler that does not need it.",
    },
    ja: {
      text: "ハンドラー {handler_id} には {permission_id} が必要ですが、パック {pack_id} に付与されていません。",
      next: "POST /api/capability/grants/grant でハンドラーのパックに付与するか、不要なハンドラーを承認してください。",
    },
  },
  "RUMI-CAP-017": {
    key: "cap.caller_requires_denied",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The handler {handler_id} answers only callers that hold {permission_id}, and {principal_id} does not.",
      next: "Grant it to the caller with POST /api/capability/grants/grant if it may have both.",
    },
    ja: {
      text: "ハンドラー {handler_id} は {permission_id} を持つ呼び出し元にのみ応答しますが、{principal_id} は持っていません。",
      next: "両方を許可してよい場合は POST /api/capability/grants/grant で呼び出し元に付与してください。",
    },
  },
};
