/** Errors of the supply-chain gate: keys, artifacts, what is denied. */
import type { ErrorTable } from "./entry.ts";

type SupplyGateCode = "RUMI-SUP-050" | "RUMI-SUP-051" | "RUMI-SUP-052" | "RUMI-SUP-053";

export const SUPPLY_GATE_ERRORS: ErrorTable<SupplyGateCode> = {
  "RUMI-SUP-050": {
    key: "sup.denied",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The supply-chain gate denies {artifact_id}: {problem}",
      next: "Its newest report names every obstacle with a probable fix: GET /api/supply_chain/reports.",
    },
    ja: {
      text: "サプライチェーンゲートが {artifact_id} を拒否しました: {problem}",
      next: "最新のレポートに障害と対処の候補がすべて載っています: GET /api/supply_chain/reports。",
    },
  },
  "RUMI-SUP-051": {
    key: "sup.trust_root_known",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "A trust root {name} with the key {keyid} is known already; it is {state}.",
      next: "A key's time is never made longer: make a new key and add it under a new name.",
    },
    ja: {
      text: "信頼の起点 {name} (鍵 {keyid}) は登録済みです(状態 {state})。",
      next: "鍵の有効期間は延長できません。新しい鍵を作り、新しい名前で追加してください。",
    },
  },
  "RUMI-SUP-052": {
    key: "sup.file_not_kept",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The file {ref} of a supply-chain report cannot be given: {problem}.",
      next: "Run the gate on the artifact again; the same facts make the same file.",
    },
    ja: {
      text: "サプライチェーンレポートのファイル {ref} を提供できません: {problem}",
      next: "成果物に対してゲートを再実行してください。同じ事実からは同じファイルが作られます。",
    },
  },
  "RUMI-SUP-053": {
    key: "sup.exception_not_allowed",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The supply-chain policy does not let an exception last {seconds} s; it allows {allowed} s at most.",
      next: "Grant a shorter one, mend what is denied, or have the policy changed (0 s: it allows none).",
    },
    ja: {
      text: "サプライチェーンポリシーは {seconds} 秒の例外を許可しません(上限 {allowed} 秒)。",
      next: "期間を短くするか、拒否の原因を直すか、ポリシーを変更してください(0 秒は例外なし)。",
    },
  },
};
