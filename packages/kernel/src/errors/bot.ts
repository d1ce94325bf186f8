/** Codes of the category BOT; see catalogue.ts for what an entry must hold. */
import { BOT_BEFORE_START_ERRORS, type BotBeforeStartCode } from "./bot-before-start.ts";
import { STAGING_ERRORS, type StagingCode } from "./bot-staging.ts";
import { UPDATE_ERRORS, type UpdateCode } from "./bot-update.ts";
import type { ErrorTable } from "./entry.ts";

type BotCode =
  | "RUMI-BOT-001"
  | "RUMI-BOT-002"
  | "RUMI-BOT-003"
  | "RUMI-BOT-004"
  | "RUMI-BOT-005"
  | "RUMI-BOT-006"
  | "RUMI-BOT-007"
  | "RUMI-BOT-008"
  | "RUMI-BOT-009"
  | "RUMI-BOT-010"
  | "RUMI-BOT-011"
  | "RUMI-BOT-012"
  | "RUMI-BOT-013"
  | "RUMI-BOT-014"
  | "RUMI-BOT-015"
  | "RUMI-BOT-016"
  | "RUMI-BOT-017"
  | "RUMI-BOT-018"
  | "RUMI-BOT-019"
  | "RUMI-BOT-020"
  | "RUMI-BOT-021"
  | "RUMI-BOT-023"
  | "RUMI-BOT-024"
  | "RUMI-BOT-025"
  | "RUMI-BOT-026"
  | "RUMI-BOT-027"
  | "RUMI-BOT-028"
  | "RUMI-BOT-029"
  | "RUMI-BOT-030"
  | "RUMI-BOT-031"
  | "RUMI-BOT-032"
  | "RUMI-BOT-033";

export const BOT_ERRORS: ErrorTable<BotCode | BotBeforeStartCode | StagingCode | UpdateCode> = {
  ...BOT_BEFORE_START_ERRORS,
  ...STAGING_ERRORS,
  ...UPDATE_ERRORS,
  "RUMI-BOT-001": {
    key: "bot.not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: { text: "There is no bot {bot_id}.", next: "GET /api/bots lists every bot." },
    ja: {
      text: "ボット {bot_id} はありません。",
      next: "GET /api/bots で一覧を確認してください。",
    },
  },
  "RUMI-BOT-002": {
    key: "bot.exists",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: { text: "There is already a bot {bot_id}.", next: "Choose another bot_id." },
    ja: { text: "ボット {bot_id} は既に存在します。", next: "別の bot_id を選んでください。" },
  },
  "RUMI-BOT-003": {
    key: "bot.tag_refused",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{field} must name a digest; the tag {found} may change its meaning.",
      next: "Use sha256:… as GET /api/packs/{pack_id}/status shows it.",
    },
    ja: {
      text: "{field} は digest で指定してください。タグ {found} は内容が変わり得ます。",
      next: "GET /api/packs/{pack_id}/status に表示される sha256:… を使ってください。",
    },
  },
  "RUMI-BOT-004": {
    key: "bot.config_invalid",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The configuration is not acceptable: {field}: {problem}.",
      next: "Correct {field}; the strategy's config_schema shows type, range and unit.",
    },
    ja: {
      text: "設定が不正です: {field}: {problem}。",
      next: "戦略の config_schema を参照し {field} を修正してください。",
    },
  },
  "RUMI-BOT-005": {
    key: "bot.instrument_not_on_venue",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The venue {venue_id} has no instrument {instrument_id}.",
      next: "GET /api/venues/{venue_id} lists its instruments.",
    },
    ja: {
      text: "取引所 {venue_id} に銘柄 {instrument_id} はありません。",
      next: "GET /api/venues/{venue_id} で銘柄を確認してください。",
    },
  },
  "RUMI-BOT-006": {
    key: "bot.venue_not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no venue {venue_id}.",
      next: "GET /api/venues lists them; POST /api/venues registers a recording.",
    },
    ja: {
      text: "取引所 {venue_id} は登録されていません。",
      next: "GET /api/venues で一覧を、POST /api/venues で登録できます。",
    },
  },
  "RUMI-BOT-007": {
    key: "bot.venue_exists",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is already a venue {venue_id}.",
      next: "Choose another venue_id; a registered recording never changes.",
    },
    ja: {
      text: "取引所 {venue_id} は既に登録されています。",
      next: "別の venue_id を選んでください。",
    },
  },
  "RUMI-BOT-008": {
    key: "bot.venue_file_changed",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The recording {path} of venue {venue_id} changed since it was registered.",
      next: "Put the registered file back, or register the new one under another venue_id.",
    },
    ja: {
      text: "取引所 {venue_id} の記録 {path} は登録後に変更されています。",
      next: "登録時のファイルへ戻すか、別の venue_id で登録してください。",
    },
  },
  "RUMI-BOT-009": {
    key: "bot.venue_file_unusable",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The recording {path} cannot be used: {problem}.",
      next: "Correct the file; the load report names the first offending line.",
    },
    ja: {
      text: "記録 {path} を使用できません: {problem}。",
      next: "ファイルを修正してください。読み込み報告に最初の問題行があります。",
    },
  },
  "RUMI-BOT-010": {
    key: "bot.transition_not_allowed",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{bot_id} cannot go from {from} to {to}.",
      next: "docs/formats/bot-states.md shows every allowed transition.",
    },
    ja: {
      text: "{bot_id} は {from} から {to} へ遷移できません。",
      next: "docs/formats/bot-states.md に許可された遷移があります。",
    },
  },
  "RUMI-BOT-011": {
    key: "bot.state_moved",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{bot_id} is {current}, not {from}.",
      next: "Look at the bot, then send a new command with from = {current}.",
    },
    ja: {
      text: "{bot_id} の状態は {from} ではなく {current} です。",
      next: "状態を確認し from = {current} で新しいコマンドを送ってください。",
    },
  },
  "RUMI-BOT-012": {
    key: "bot.live_disabled",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} cannot go live: its venue takes no live orders.",
      next: "Use RUNNING_PAPER or RUNNING_SHADOW, or a bot on a venue that does.",
    },
    ja: {
      text: "{bot_id} の取引所は本番注文を受け付けないため、本番運用できません。",
      next: "RUNNING_PAPER か RUNNING_SHADOW を使うか、本番注文を受け付ける取引所のボットを使ってください。",
    },
  },
  "RUMI-BOT-013": {
    key: "bot.command_expired",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The command expired at {expires_at}.",
      next: "Send a new command with a new command_id.",
    },
    ja: {
      text: "コマンドは {expires_at} に失効しました。",
      next: "新しい command_id で送り直してください。",
    },
  },
  "RUMI-BOT-014": {
    key: "bot.actor_mismatch",
    status: 403,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The command names the actor {actor}; the authenticated one is {principal}.",
      next: "Leave actor out, or send your own.",
    },
    ja: {
      text: "コマンドの actor は {actor} ですが、認証されたのは {principal} です。",
      next: "actor を省くか、自分の id を指定してください。",
    },
  },
  "RUMI-BOT-015": {
    key: "bot.group_not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: { text: "There is no group {group_id}.", next: "GET /api/groups lists them; POST /api/groups makes one." },
    ja: {
      text: "グループ {group_id} はありません。",
      next: "GET /api/groups で一覧を確認するか、POST /api/groups で作成してください。",
    },
  },
  "RUMI-BOT-016": {
    key: "bot.command_not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: { text: "There is no command {command_id}.", next: "GET /api/commands lists them." },
    ja: {
      text: "コマンド {command_id} はありません。",
      next: "GET /api/commands で一覧を確認してください。",
    },
  },
  "RUMI-BOT-017": {
    key: "bot.preflight_failed",
    status: 422,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The preflight of {bot_id} failed at {item}: {problem}.",
      next: "Mend that, then start again; the details list every item.",
    },
    ja: {
      text: "{bot_id} の起動前検査が {item} で失敗しました: {problem}。",
      next: "修正して再度起動してください。details に全項目があります。",
    },
  },
  "RUMI-BOT-018": {
    key: "bot.runner_unavailable",
    status: 503,
    fault: "system",
    retry: "later",
    en: {
      text: "No runner is connected.",
      next: "Wait a moment; rumi doctor shows why when it stays so.",
    },
    ja: {
      text: "接続中のランナーがありません。",
      next: "少し待ってください。続く場合は rumi doctor で確認してください。",
    },
  },
  "RUMI-BOT-019": {
    key: "bot.lease_held",
    status: 409,
    fault: "system",
    retry: "later",
    en: {
      text: "The lease of {bot_id} is held by {holder} until it expires.",
      next: "Wait for its end (20 seconds), then start again.",
    },
    ja: {
      text: "{bot_id} のリースは {holder} が保持しています。",
      next: "失効(20 秒)を待って再度起動してください。",
    },
  },
  "RUMI-BOT-020": {
    key: "bot.isolation_unavailable",
    status: 422,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} needs {needs} and cannot have it here: {problem}.",
      next: "Install what is missing (tools/setup-system.sh on Debian) and start again, or choose an isolation_level that this kind of strategy runs at; with isolation `any` the bot takes what there is and shows it.",
    },
    ja: {
      text: "{bot_id} に必要な {needs} はここでは使えません: {problem}。",
      next: "不足しているものをインストール(Debian では tools/setup-system.sh)して再度起動するか、この種類の戦略が動く isolation_level を選んでください。isolation が `any` なら、使える隔離で動き、それが表示されます。",
    },
  },
  "RUMI-BOT-021": {
    key: "bot.safety_forbids",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The safety mode is {mode}: {act} is refused.",
      next: "Stop and diagnosis stay possible; clear the cause and return to NORMAL first.",
    },
    ja: {
      text: "安全モードが {mode} のため {act} は拒否されます。",
      next: "停止と診断は可能です。原因を除き NORMAL に戻してください。",
    },
  },
  "RUMI-BOT-023": {
    key: "bot.release_refused",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} is quarantined; nothing but its confirmed release to IDLE leads out.",
      next: "Keep the evidence; once the cause is understood, release it to IDLE and confirm that.",
    },
    ja: {
      text: "{bot_id} は隔離中です。確認済みの IDLE への解除以外に出口はありません。",
      next: "証拠を保全し、原因判明後に IDLE への解除を要求して confirm してください。",
    },
  },
  "RUMI-BOT-024": {
    key: "bot.config_apply_refused",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The configuration of {bot_id} cannot be applied while it is {state}.",
      next: "Bring the bot to IDLE, PAUSED or a paper or shadow run.",
    },
    ja: {
      text: "{bot_id} が {state} の間は設定を適用できません。",
      next: "IDLE・PAUSED・paper・shadow のいずれかにしてください。",
    },
  },
  "RUMI-BOT-025": {
    key: "bot.runner_refused",
    status: 422,
    fault: "system",
    retry: "after_fix",
    en: {
      text: "The runner refused {bot_id}: {problem}.",
      next: "Do what the runner says: {suggestion}",
    },
    ja: {
      text: "ランナーが {bot_id} を拒否しました: {problem}。",
      next: "ランナーの指示に従ってください: {suggestion}",
    },
  },
  "RUMI-BOT-026": {
    key: "bot.trace_not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "Nothing is known under {id}.",
      next: "Use a trace_id, command_id, run_id, idempotency key or client order id.",
    },
    ja: {
      text: "{id} に関する記録はありません。",
      next: "trace_id・command_id・run_id・冪等キー・注文 id のいずれかを使ってください。",
    },
  },
  "RUMI-BOT-027": {
    key: "bot.event_not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: { text: "There is no audit event {event_id}.", next: "GET /api/audit/events lists them." },
    ja: {
      text: "監査イベント {event_id} はありません。",
      next: "GET /api/audit/events で一覧を確認してください。",
    },
  },
  "RUMI-BOT-028": {
    key: "bot.socket_path",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The runner socket path {path} is longer than {limit} bytes.",
      next: "Choose a shorter home, or a shorter temporary directory.",
    },
    ja: {
      text: "ランナーのソケットパス {path} が {limit} バイトを超えています。",
      next: "短いホームまたは一時ディレクトリを使ってください。",
    },
  },
  "RUMI-BOT-029": {
    key: "bot.target",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "A command names exactly one target: bot_id or group_id.",
      next: "Send target with one of the two.",
    },
    ja: {
      text: "コマンドの対象は bot_id か group_id のどちらか 1 つです。",
      next: "どちらか一方を指定してください。",
    },
  },
  "RUMI-BOT-030": {
    key: "bot.capital_invalid",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The capital {capital} is not a positive decimal.",
      next: "Send it as a decimal string in quote currency, such as '10000'.",
    },
    ja: {
      text: "資金 {capital} は正の小数ではありません。",
      next: "見積通貨の小数文字列('10000' など)で指定してください。",
    },
  },
  "RUMI-BOT-031": {
    key: "bot.runner_failed",
    status: 500,
    fault: "system",
    retry: "after_fix",
    en: {
      text: "The run of {bot_id} failed: {problem}.",
      next: "Read the instance's failure, mend the cause, then start explicitly.",
    },
    ja: {
      text: "{bot_id} の実行が失敗しました: {problem}。",
      next: "インスタンスの失敗内容を確認し、原因を除いて明示的に起動してください。",
    },
  },
  "RUMI-BOT-032": {
    key: "bot.runner_timeout",
    status: 504,
    fault: "system",
    retry: "later",
    en: {
      text: "The runner did not answer within {limit} ms.",
      next: "Look at GET /api/instances; the reconciler keeps trying.",
    },
    ja: {
      text: "ランナーが {limit} ms 以内に応答しませんでした。",
      next: "GET /api/instances を確認してください。調整器が再試行します。",
    },
  },
  "RUMI-BOT-033": {
    key: "bot.reached_by_system_only",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "{to} is reached by a fault or by completion only, never by a command.",
      next: "Ask for STOPPING, PAUSED or QUARANTINED.",
    },
    ja: {
      text: "{to} へは障害または完了によってのみ遷移します。",
      next: "STOPPING・PAUSED・QUARANTINED を指定してください。",
    },
  },
};
