/** Fields by which challenges and changes are approved, confirmed and rejected. */
import { ID_PATTERNS } from "@rumi/kernel";
import { Type } from "@sinclair/typebox";

export const HashField = Type.String({
  pattern: ID_PATTERNS.digest,
  description: "Of the intent as reading the challenge or the change shows it.",
});
export const PhraseField = Type.String({ minLength: 1, maxLength: 256 });
export const TicketField = Type.String({ pattern: "^\\S{2,64}$", description: "Number of the ticket it belongs to." });
