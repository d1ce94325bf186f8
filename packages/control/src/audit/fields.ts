/** Fields that questions to the audit log share. */
import { Type } from "@sinclair/typebox";

export const UtcInstantField = Type.String({
  pattern: "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?Z$",
  description: "A UTC instant such as 2026-02-24T12:00:00Z.",
});
