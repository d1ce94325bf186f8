/** Errors of what restrains bots from above: kill switch, locks, freezes, gates. They continue the numbers of cmd.ts. */
import type { ErrorTable } from "./entry.ts";

type RestrainCode = "RUMI-CMD-026" | "RUMI-CMD-027" | "RUMI-CMD-028" | "RUMI-CMD-029";

export const RESTRAIN_ERRORS: ErrorTable<RestrainCode> = {
  "RUMI-CMD-026": {
    key: "cmd.kill_switch_full",
    status: 429,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The kill switch has {limit} rules, which is the most.",
      next: "Set a wider scope (a group, a venue or all) instead; it holds for everybody in it at once.",
    },
    ja: {
      text: "kill switch のルールが上限の {limit} 件に達しています。",
      next: "より広い範囲 (グループ・取引所・全体) に設定してください。範囲内のすべてに直ちに適用されます。",
    },
  },
  "RUMI-CMD-027": {
    key: "cmd.too_many_restraints",
    status: 429,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There are {limit} {what}, which is the most.",
      next: "Lift what is over, or use a wider scope.",
    },
    ja: {
      text: "{what} が上限の {limit} 件に達しています。",
      next: "不要なものを解除するか、より広い範囲に設定してください。",
    },
  },
  "RUMI-CMD-028": {
    key: "cmd.too_many_gates",
    status: 429,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There are {limit} gates, which is the most.",
      next: "Report under a name that is known already; what it checks goes into the rules of its report.",
    },
    ja: {
      text: "ゲートが上限の {limit} 件に達しています。",
      next: "既存の名前で報告してください。検査項目はその報告のルールとして送れます。",
    },
  },
  "RUMI-CMD-029": {
    key: "cmd.bulk_too_large",
    status: 429,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The selector means more than {limit} bots, which is the most for one bulk.",
      next: "Name fewer of them (by id, group, venue or label) and begin several bulks.",
    },
    ja: {
      text: "指定された bot が一括処理 1 件の上限 {limit} 件を超えています。",
      next: "ID・グループ・取引所・ラベルで対象を絞り、複数の一括処理に分けてください。",
    },
  },
};
