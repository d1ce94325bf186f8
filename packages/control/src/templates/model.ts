/**
 * A template: what several bots have in common (L-11). Pure.
 *
 * How to think: it is a bot's specification without what belongs to one bot alone: its name, its money, its group. A mode
 * is no part of a specification, and therefore of no template: a bot made from one stands still until somebody starts it,
 * whatever the bot was doing that the template was taken from (G-3.2).
 */
import { canonicalJson, digestOf, ID_PATTERNS, isoFromMicros, micros, type Json, type JsonObject } from "@rumi/kernel";
import { Type, type Static } from "@sinclair/typebox";
import { CreateBotInput } from "../bots/model.ts";
import type { SpecWish } from "../bots/create.ts";
import { specOf, type BotRow } from "../bots/tables.ts";
import { CLOSED } from "../shared/fields.ts";
import type { TemplateRow } from "./tables.ts";

export const TEMPLATE_LIMITS = { templates: 1_000 } as const;

export const TemplateIdField = Type.String({ pattern: ID_PATTERNS.bot });

const {
  command_id: _command,
  bot_id: _bot,
  reason: _reason,
  capital: _capital,
  display_name: _name,
  group_id: _group,
  ...common
} = CreateBotInput.properties;
export const TemplateSpecField = Type.Object(common, CLOSED);
export type TemplateSpec = Static<typeof TemplateSpecField>;

export function templateOf(bot: BotRow): TemplateSpec {
  const { capital: _money, display_name: _called, group_id: _company, ...shared } = specOf(bot);
  return shared;
}

/** The specification of a bot that is made from it, with what is said of this one. */
export function fromTemplate(template: TemplateSpec, said: Partial<SpecWish> & Pick<SpecWish, "capital">): SpecWish {
  return { ...template, ...(said as JsonObject) } as SpecWish;
}

export const specHash = (spec: TemplateSpec): string => digestOf(canonicalJson(spec as unknown as Json));

export function templateView(row: TemplateRow) {
  return {
    template_id: row.template_id,
    spec: JSON.parse(row.spec) as TemplateSpec,
    spec_hash: row.spec_hash,
    from_bot_id: row.from_bot_id,
    created_at: isoFromMicros(micros(row.created_at)),
    created_by: row.created_by,
    reason: row.reason,
  };
}
