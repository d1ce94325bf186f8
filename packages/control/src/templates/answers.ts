/** What the operations of templates answer. */
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";

export const TemplateAnswer = Type.Object(
  {
    template_id: Type.String(),
    spec: AnythingField,
    spec_hash: Type.String(),
    from_bot_id: nullable(Type.String()),
    created_at: InstantField,
    created_by: Type.String(),
    reason: Type.String(),
  },
  OPEN,
);
export const TemplatesAnswer = Type.Object({ templates: Type.Array(TemplateAnswer), count: CountField }, OPEN);
export const RemovedTemplateAnswer = Type.Object({ template_id: Type.String(), removed: Type.Literal(true) }, OPEN);
