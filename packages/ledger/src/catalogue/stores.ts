/** Stores of packs, the units in them, and the shared dictionary. */
import { USUAL, defineKinds } from "./kind.ts";
import { nullable, oneOf, text, whole } from "./schema.ts";

export const STORE_KINDS = defineKinds({
  "store.created": { category: "system", severity: USUAL, retention: "standard", details: { owner_pack: text(64) } },
  "store.deleted": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { owner_pack: text(64), keys: whole, bytes: whole },
  },
  "shared_dict.changed": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: {
      dict_action: oneOf("propose", "remove", "clear"),
      token: nullable(text(256)),
      result: oneOf("accepted", "rejected", "conflict", "cycle_detected"),
    },
  },
});
