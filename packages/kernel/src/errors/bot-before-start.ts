/** Errors of what has to be there before a bot may start: dependencies, runbook, compatibility, changelog. */
import type { ErrorTable } from "./entry.ts";

export type BotBeforeStartCode =
  | "RUMI-BOT-080"
  | "RUMI-BOT-081"
  | "RUMI-BOT-082"
  | "RUMI-BOT-083"
  | "RUMI-BOT-084"
  | "RUMI-BOT-085"
  | "RUMI-BOT-086"
  | "RUMI-BOT-087";

export const BOT_BEFORE_START_ERRORS: ErrorTable<BotBeforeStartCode> = {
  "RUMI-BOT-080": {
    key: "bot.dependency_unreadable",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{dependency} is not a dependency: {problem}.",
      next: "Write strategy:PACK/STRATEGY@VERSION, pack:PACK@sha256:…, key:NAME, data:VENUE, data:INSTRUMENT or bot:BOT.",
    },
    ja: {
      text: "{dependency} は依存の書式ではありません: {problem}。",
      next: "strategy:PACK/STRATEGY@VERSION、pack:PACK@sha256:…、key:NAME、data:VENUE、data:INSTRUMENT、bot:BOT のいずれかで書いてください。",
    },
  },
  "RUMI-BOT-081": {
    key: "bot.dependency_missing",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} needs {dependency}: {problem}.",
      next: "Provide it, then start again; GET /api/bots/{bot_id}/dependencies shows the whole graph.",
    },
    ja: {
      text: "{bot_id} は {dependency} に依存しています: {problem}。",
      next: "用意してから再度起動してください。GET /api/bots/{bot_id}/dependencies で全体を確認できます。",
    },
  },
  "RUMI-BOT-082": {
    key: "bot.dependency_cycle",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{bot_id} would wait for itself: {path}.",
      next: "Leave one of these dependencies out; GET /api/bots/{bot_id}/dependencies shows the others'.",
    },
    ja: {
      text: "{bot_id} が自分自身を待つことになります: {path}。",
      next: "いずれかの依存を外してください。GET /api/bots/{bot_id}/dependencies で他の依存を確認できます。",
    },
  },
  "RUMI-BOT-083": {
    key: "bot.runbook_missing",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} has no runbook, and live needs one: {problem}.",
      next: "Attach one with POST /api/bots/{bot_id}/runbook, then ask again.",
    },
    ja: {
      text: "{bot_id} にはランブックがなく、live には必要です: {problem}。",
      next: "POST /api/bots/{bot_id}/runbook で付けてから再度要求してください。",
    },
  },
  "RUMI-BOT-084": {
    key: "bot.incompatible",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{strategy_id} {strategy_version} does not fit this program: {field}: {problem}.",
      next: "Use a version of the pack that is built for this program, or the program that it was built for.",
    },
    ja: {
      text: "{strategy_id} {strategy_version} はこのプログラムに適合しません: {field}: {problem}。",
      next: "このプログラム用に作られたパックの版か、その版に合うプログラムを使ってください。",
    },
  },
  "RUMI-BOT-085": {
    key: "bot.template_exists",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is already a template {template_id}.",
      next: "Choose another name; a template is never changed.",
    },
    ja: {
      text: "テンプレート {template_id} は既に存在します。",
      next: "別の名前を選んでください。テンプレートは変更できません。",
    },
  },
  "RUMI-BOT-086": {
    key: "bot.changelog_refused",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The changelog of {bot_id} says nothing: {problem}.",
      next: "Say what changes and why: in the reason of the version, or with POST /api/bots/{bot_id}/changelog for the one that is there.",
    },
    ja: {
      text: "{bot_id} の変更履歴に内容がありません: {problem}。",
      next: "何をなぜ変えるのかを、版の理由に書くか、既存の版には POST /api/bots/{bot_id}/changelog で書いてください。",
    },
  },
  "RUMI-BOT-087": {
    key: "bot.changelog_written",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The changelog of {bot_id} {version} is written already, and is never changed.",
      next: "Read it with GET /api/bots/{bot_id}/changelog; the next version has one of its own.",
    },
    ja: {
      text: "{bot_id} {version} の変更履歴は既に書かれており、変更できません。",
      next: "GET /api/bots/{bot_id}/changelog で読めます。次の版には独自の変更履歴があります。",
    },
  },
};
