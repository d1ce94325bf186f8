/** Errors of what is about several bots or about the end of one: groups, jobs, retirement. They continue the numbers of bot.ts. */
import type { ErrorTable } from "./entry.ts";

export type BotFleetCode =
  | "RUMI-BOT-070"
  | "RUMI-BOT-071"
  | "RUMI-BOT-072"
  | "RUMI-BOT-073"
  | "RUMI-BOT-074"
  | "RUMI-BOT-075"
  | "RUMI-BOT-076"
  | "RUMI-BOT-077"
  | "RUMI-BOT-078"
  | "RUMI-BOT-079";

export const BOT_FLEET_ERRORS: ErrorTable<BotFleetCode> = {
  "RUMI-BOT-070": {
    key: "bot.group_exists",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "There is a group {group_id} already.",
      next: "Put bots into it with POST /api/groups/{group_id}/add, or choose another id.",
    },
    ja: {
      text: "グループ {group_id} は既に存在します。",
      next: "POST /api/groups/{group_id}/add でボットを追加するか、別の ID を選んでください。",
    },
  },
  "RUMI-BOT-071": {
    key: "bot.in_other_group",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{bot_id} belongs to the group {group_id}.",
      next: "Take it out with POST /api/groups/{group_id}/remove first: what holds that group holds it until then.",
    },
    ja: {
      text: "{bot_id} はグループ {group_id} に属しています。",
      next: "先に POST /api/groups/{group_id}/remove で外してください。それまでは同グループへの制限が適用されます。",
    },
  },
  "RUMI-BOT-072": {
    key: "bot.not_in_group",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "{bot_id} does not belong to the group {group_id}.",
      next: "GET /api/groups/{group_id} lists who does.",
    },
    ja: {
      text: "{bot_id} はグループ {group_id} に属していません。",
      next: "GET /api/groups/{group_id} で所属を確認してください。",
    },
  },
  "RUMI-BOT-073": {
    key: "bot.must_stand_still",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{bot_id} is {state}: {act} is for a bot that is IDLE or in ERROR and of which nothing runs.",
      next: "Stop it, wait until it is IDLE, then ask again.",
    },
    ja: {
      text: "{bot_id} は {state} です。{act} は IDLE または ERROR で何も動作していないボットにのみ行えます。",
      next: "停止して IDLE になってから再度実行してください。",
    },
  },
  "RUMI-BOT-074": {
    key: "bot.one_by_one",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{from} → {to} is confirmed for one bot at a time, never for {what} as a whole.",
      next: "Send the command for each bot_id; each is challenged and confirmed by itself.",
    },
    ja: {
      text: "{from} → {to} はボットごとの確認が必要で、{what} 全体には実行できません。",
      next: "bot_id ごとにコマンドを送り、それぞれ確認してください。",
    },
  },
  "RUMI-BOT-075": {
    key: "bot.none_in_state",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "No bot of {what} is {from}.",
      next: "Look at the bots' states (left_out in the details), then decide again.",
    },
    ja: {
      text: "{what} に {from} のボットはありません。",
      next: "各ボットの状態 (details の left_out) を確認し、改めて判断してください。",
    },
  },
  "RUMI-BOT-076": {
    key: "bot.job_exists",
    status: 409,
    fault: "caller",
    retry: "never",
    en: { text: "There is a job {job_id} already.", next: "GET /api/jobs/{job_id} shows it; choose another id." },
    ja: {
      text: "ジョブ {job_id} は既に存在します。",
      next: "GET /api/jobs/{job_id} で確認し、別の ID を選んでください。",
    },
  },
  "RUMI-BOT-077": {
    key: "bot.retired",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "{bot_id} was retired at {at}; that is final, and it takes no command any more.",
      next: "Register another bot under another id; GET /api/bots/{bot_id} still shows this one.",
    },
    ja: {
      text: "{bot_id} は {at} に引退しました。引退は取り消せず、コマンドは受け付けません。",
      next: "別の ID でボットを登録してください。GET /api/bots/{bot_id} で参照は可能です。",
    },
  },
  "RUMI-BOT-078": {
    key: "bot.retire_unproven",
    status: 409,
    fault: "operator",
    retry: "later",
    en: {
      text: "{bot_id} is not retired: of {many} of its runs it is not attested that they stopped.",
      next: "GET /api/attestations?bot_id={bot_id} says what blocks each and since when; ask again when all are proven.",
    },
    ja: {
      text: "{bot_id} は引退できません: {many} 件の実行の停止が証明されていません。",
      next: "GET /api/attestations?bot_id={bot_id} で妨げている理由を確認し、すべて証明されてから再度実行してください。",
    },
  },
  "RUMI-BOT-079": {
    key: "bot.drift_rule_fixed",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "Drift of the class {drift_class} is not met with {action}; what may be said is: {may}.",
      next: "Choose one of those; the bounds are in docs/drift.md and are no setting.",
    },
    ja: {
      text: "{drift_class} のドリフトに {action} は指定できません。指定できるのは {may} です。",
      next: "指定可能なものから選んでください。範囲は docs/drift.md のとおりで、設定では変えられません。",
    },
  },
};
