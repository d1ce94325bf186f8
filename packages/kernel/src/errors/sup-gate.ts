/** Errors of the supply-chain gate: keys, artifacts, what is denied. */
import type { ErrorTable } from "./entry.ts";

type SupplyGateCode = "RUMI-SUP-051";

export const SUPPLY_GATE_ERRORS: ErrorTable<SupplyGateCode> = {
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
};
