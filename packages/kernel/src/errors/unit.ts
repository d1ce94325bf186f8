/** Codes of the category UNIT: what packs publish into stores for others to execute; see catalogue.ts for what an entry must hold. */
import type { ErrorTable } from "./entry.ts";

type UnitCode =
  | "RUMI-UNIT-001"
  | "RUMI-UNIT-002"
  | "RUMI-UNIT-003"
  | "RUMI-UNIT-004"
  | "RUMI-UNIT-005"
  | "RUMI-UNIT-006";

export const UNIT_ERRORS: ErrorTable<UnitCode> = {
  "RUMI-UNIT-001": {
    key: "unit.invalid",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{path}: {field}: {problem}.",
      next: "docs/units.md shows a unit's folder; mend it, approve the pack again, publish again.",
    },
    ja: {
      text: "{path}: {field}: {problem}。",
      next: "unit.json の形式は docs/units.md を参照してください。修正して Pack を再承認し、再度公開してください。",
    },
  },
  "RUMI-UNIT-002": {
    key: "unit.not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no unit {unit_id} {version} in the store {store_id}.",
      next: "GET /api/units?store_id={store_id} lists what there is.",
    },
    ja: {
      text: "Store {store_id} に Unit {unit_id} {version} はありません。",
      next: "GET /api/units?store_id={store_id} で一覧を確認してください。",
    },
  },
  "RUMI-UNIT-003": {
    key: "unit.published_already",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The store {store_id} has the unit {unit_id} {version} already, with other content or in another place.",
      next: "What was published never changes: publish it as another version.",
    },
    ja: {
      text: "Store {store_id} にはすでに Unit {unit_id} {version} が別の内容または別の場所で公開されています。",
      next: "公開済みの内容は変更できません。別のバージョンで公開してください。",
    },
  },
  "RUMI-UNIT-004": {
    key: "unit.mode_refused",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The unit {unit_id} {version} cannot be executed in the mode {mode}: {problem}.",
      next: "Use a mode that its unit.json allows; this version executes Python in sandbox and pack_container.",
    },
    ja: {
      text: "Unit {unit_id} {version} は {mode} で実行できません: {problem}。",
      next: "unit.json が許可する mode を使ってください。この版では Python を sandbox と pack_container で実行できます。",
    },
  },
  "RUMI-UNIT-005": {
    key: "unit.execution_failed",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The unit {unit_id} {version} failed: {problem}",
      next: "Mend the unit or what it is given, and publish another version.",
    },
    ja: {
      text: "Unit {unit_id} {version} の実行に失敗しました: {problem}",
      next: "Unit または引数を修正し、別のバージョンで公開してください。",
    },
  },
  "RUMI-UNIT-006": {
    key: "unit.too_often",
    status: 429,
    fault: "caller",
    retry: "later",
    en: {
      text: "The pack {pack_id} has executed {limit} units within a minute.",
      next: "Try again within {seconds} s.",
    },
    ja: {
      text: "パック {pack_id} は 1 分間に {limit} 回の上限まで Unit を実行しました。",
      next: "{seconds} 秒以内に再試行してください。",
    },
  },
};
