/** Stores of packs, the units in them, and the shared dictionary. */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { digest, nullable, oneOf, text, whole } from "./schema.ts";

export const STORE_KINDS = defineKinds({
  "store.created": { category: "system", severity: USUAL, retention: "standard", details: { owner_pack: text(64) } },
  "store.deleted": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { owner_pack: text(64), keys: whole, bytes: whole },
  },
  "unit.published": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { owner_pack: text(64), digest },
  },
  "unit.executed": {
    category: "python_file_call",
    severity: USUAL,
    retention: "standard",
    details: {
      owner_pack: text(64),
      principal_id: text(256),
      execution_mode: text(64),
      error: nullable(text(4_096)),
    },
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
