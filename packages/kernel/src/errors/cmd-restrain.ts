/** Errors of what restrains bots from above: kill switch, locks, freezes, gates. They continue the numbers of cmd.ts. */
import type { ErrorTable } from "./entry.ts";

type RestrainCode = "RUMI-CMD-026" | "RUMI-CMD-027";

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
};
