/** Errors of challenge, approval and confirmation; they continue the numbers of cmd.ts. */
import type { ErrorTable } from "./entry.ts";

type ConfirmCode =
  | "RUMI-CMD-013"
  | "RUMI-CMD-014"
  | "RUMI-CMD-015"
  | "RUMI-CMD-016"
  | "RUMI-CMD-017"
  | "RUMI-CMD-018"
  | "RUMI-CMD-019"
  | "RUMI-CMD-020"
  | "RUMI-CMD-021"
  | "RUMI-CMD-022"
  | "RUMI-CMD-023"
  | "RUMI-CMD-024"
  | "RUMI-CMD-025";

export const CONFIRM_ERRORS: ErrorTable<ConfirmCode> = {
  "RUMI-CMD-013": {
    key: "cmd.confirmation_expired",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The {what} {challenge_id} expired at {expired_at} and confirms nothing any more.",
      next: "Send the original request again under a new id and see it through in time.",
    },
    ja: {
      text: "{what} {challenge_id} は {expired_at} に期限切れとなり、確認できません。",
      next: "元のリクエストを新しい ID で再送し、期限内に手続きを終えてください。",
    },
  },
  "RUMI-CMD-014": {
    key: "cmd.confirmation_mismatch",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "This does not match the {what} {challenge_id}: {problem}.",
      next: "Read GET /api/{what}s/{challenge_id} and answer exactly what it asks for.",
    },
    ja: {
      text: "{what} {challenge_id} と一致しません: {problem}。",
      next: "GET /api/{what}s/{challenge_id} を確認し、求められた内容を正確に送ってください。",
    },
  },
  "RUMI-CMD-015": {
    key: "cmd.stale_plan",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The plan is stale: what {what} {challenge_id} was made for has moved since, so nothing was done.",
      next: "Look at the present state and send the original request again under a new id.",
    },
    ja: {
      text: "計画が古くなっています。{what} {challenge_id} の前提が変わったため、何も実行していません。",
      next: "現在の状態を確認し、元のリクエストを新しい ID で再送してください。",
    },
  },
  "RUMI-CMD-016": {
    key: "cmd.challenge_used",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The {what} {challenge_id} is {state} already; it works once.",
      next: "Send the original request again under a new id if it is still wanted.",
    },
    ja: {
      text: "{what} {challenge_id} はすでに {state} です。使用できるのは一度だけです。",
      next: "まだ必要であれば、元のリクエストを新しい ID で再送してください。",
    },
  },
  "RUMI-CMD-017": {
    key: "cmd.approval_missing",
    status: 409,
    fault: "caller",
    retry: "later",
    en: {
      text: "The {what} {challenge_id} waits for a second person until {until}.",
      next: "Ask somebody else with the role for it to read and approve it, then go on.",
    },
    ja: {
      text: "{what} {challenge_id} は {until} まで第二者の承認待ちです。",
      next: "権限を持つ別の担当者に内容の確認と承認を依頼してから続けてください。",
    },
  },
  "RUMI-CMD-018": {
    key: "cmd.same_person",
    status: 403,
    fault: "caller",
    retry: "never",
    en: {
      text: "{principal} asked for {challenge_id} and cannot be its second person.",
      next: "Somebody with another subject id has to approve it.",
    },
    ja: {
      text: "{principal} は {challenge_id} の要求者であるため、第二者にはなれません。",
      next: "別の subject id を持つ担当者が承認する必要があります。",
    },
  },
  "RUMI-CMD-019": {
    key: "cmd.intent_not_served",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{principal} has not been shown the intent of {what} {challenge_id}, so it cannot be approved blindly.",
      next: "Read GET /api/{what}s/{challenge_id} with the same token, then approve the intent_hash it shows.",
    },
    ja: {
      text: "{principal} にはまだ {what} {challenge_id} の内容が提示されていないため、承認できません。",
      next: "同じトークンで GET /api/{what}s/{challenge_id} を読み、表示された intent_hash を承認してください。",
    },
  },
  "RUMI-CMD-020": {
    key: "cmd.challenge_unknown",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no {what} {challenge_id}.",
      next: "GET /api/{what}s lists those that are open.",
    },
    ja: {
      text: "{what} {challenge_id} はありません。",
      next: "GET /api/{what}s で一覧を確認してください。",
    },
  },
  "RUMI-CMD-021": {
    key: "cmd.challenges_full",
    status: 429,
    fault: "caller",
    retry: "later",
    en: {
      text: "{principal} has {limit} open challenges, which is the most.",
      next: "Confirm or reject some of them, or wait until they expire.",
    },
    ja: {
      text: "{principal} の未処理の challenge が上限の {limit} 件に達しています。",
      next: "いくつかを confirm または reject するか、期限切れを待ってください。",
    },
  },
  "RUMI-CMD-022": {
    key: "cmd.break_glass_required",
    status: 403,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{operation} is done only inside an open break-glass session of yours that lists it.",
      next: "Open one with POST /api/break_glass and a second person, or do without.",
    },
    ja: {
      text: "{operation} は、それを対象に含むあなたの break-glass セッション中にのみ実行できます。",
      next: "POST /api/break_glass と第二者の承認でセッションを開くか、別の方法を取ってください。",
    },
  },
  "RUMI-CMD-023": {
    key: "cmd.review_pending",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The break-glass session {session_id} is not reviewed yet.",
      next: "Somebody else than its holder ends it and reviews it: POST /api/break_glass/{session_id}/review.",
    },
    ja: {
      text: "break-glass セッション {session_id} のレビューが済んでいません。",
      next: "保持者以外の担当者が終了とレビューを行ってください: POST /api/break_glass/{session_id}/review",
    },
  },
  "RUMI-CMD-024": {
    key: "cmd.session_unknown",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: { text: "There is no break-glass session {session_id}.", next: "GET /api/break_glass lists them." },
    ja: {
      text: "break-glass セッション {session_id} はありません。",
      next: "GET /api/break_glass で一覧を確認してください。",
    },
  },
  "RUMI-CMD-025": {
    key: "cmd.review_not_due",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The break-glass session {session_id} is {state} and has no review due.",
      next: "Close an open one first; a reviewed one stays as it is.",
    },
    ja: {
      text: "break-glass セッション {session_id} は {state} で、レビュー待ちではありません。",
      next: "開いている場合は先に終了してください。レビュー済みのものは変更できません。",
    },
  },
};
