/** Making, reading, using and removing templates. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { CloneFields, decideCreation, loadCreation, type CreateDeps, type CreationFacts } from "../bots/create.ts";
import { judgeSpec } from "../bots/model.ts";
import { botResource } from "../bots/operations.ts";
import { readBot, type BotRow } from "../bots/tables.ts";
import { BotIdField, CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { jsonOf } from "../shared/sql.ts";
import {
  fromTemplate,
  specHash,
  TEMPLATE_LIMITS,
  TemplateIdField,
  templateOf,
  TemplateSpecField,
  templateView,
  type TemplateSpec,
} from "./model.ts";
import { deleteTemplate, insertTemplate, readTemplate, readTemplates, type TemplateRow } from "./tables.ts";
import { RemovedTemplateAnswer, TemplateAnswer, TemplatesAnswer } from "./answers.ts";
import { BotAnswer } from "../bots/answers.ts";

export const templateDeclarations = (deps: CreateDeps): readonly Declaration[] => [
  listTemplates,
  showTemplate,
  createTemplate(deps),
  applyTemplate(deps),
  removeTemplate,
];

const target = ({ template_id }: { readonly template_id: string }) => ({
  resource_type: "template",
  resource_id: template_id,
});
const resource = (template_id: string) => ({ ...target({ template_id }), outcome: "SUCCESS" }) as const;
const unknown = (template_id: string): Result<never, Failure> =>
  err(failure("RUMI-SYS-011", { what: "template", id: template_id }));

const listTemplates: Declaration = defineQuery({
  name: "templates.list",
  summary: "Every template",
  http: { method: "GET", path: "/api/templates" },
  input: Type.Object({}, CLOSED),
  output: TemplatesAnswer,
  permission: EVERYONE,
  read: async (reader, _input, { store }) => {
    const rows = await readTemplates(reader, store);
    return ok({ templates: rows.map(templateView), count: rows.length });
  },
});

const showTemplate: Declaration = defineQuery({
  name: "templates.show",
  summary: "One template",
  http: { method: "GET", path: "/api/templates/{template_id}" },
  input: Type.Object({ template_id: TemplateIdField }, CLOSED),
  output: TemplateAnswer,
  permission: EVERYONE,
  read: async (reader, { template_id }, { store }) => {
    const row = await readTemplate(reader, store, template_id);
    return row === undefined ? unknown(template_id) : ok(templateView(row));
  },
});

/** What a bot of it would be judged with; money is what a template has none of. */
const ANY_CAPITAL = "1";

type CreateFacts = {
  readonly existing: TemplateRow | undefined;
  readonly known: number;
  readonly from: BotRow | undefined;
  readonly spec: TemplateSpec | undefined;
  readonly creation: CreationFacts | undefined;
};

const createTemplate = (deps: CreateDeps): Declaration =>
  defineOperation({
    name: "templates.create",
    summary: "Keep what several bots have in common: given in full, or taken from one bot; never money, group or mode",
    http: { method: "POST", path: "/api/templates" },
    input: Type.Object(
      {
        command_id: CommandIdField,
        template_id: TemplateIdField,
        from_bot_id: Type.Optional(BotIdField),
        spec: Type.Optional(TemplateSpecField),
        reason: ReasonField,
      },
      CLOSED,
    ),
    output: TemplateAnswer,
    success: [201],
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: noDanger,
    target,
    gates: [],
    load: async (reader, { template_id, from_bot_id, spec: given }, { store, now }): Promise<CreateFacts> => {
      const from = from_bot_id === undefined ? undefined : await readBot(reader, store, from_bot_id);
      const spec = from === undefined ? given : templateOf(from);
      return {
        existing: await readTemplate(reader, store, template_id),
        known: (await readTemplates(reader, store)).length,
        from,
        spec,
        creation:
          spec === undefined ? undefined : await loadCreation(deps, reader, { sql: store, now }, template_id, spec),
      };
    },
    decide: ({ existing, known, from, spec, creation }, input, { now, principal, store }) => {
      const { template_id, from_bot_id, reason } = input;
      if ((from_bot_id === undefined) === (input.spec === undefined))
        return err(failure("RUMI-VAL-002", { field: "$.spec", problem: "say either spec or from_bot_id" }));
      if (existing !== undefined) return err(failure("RUMI-BOT-085", { template_id }));
      if (from_bot_id !== undefined && from === undefined) return err(failure("RUMI-BOT-001", { bot_id: from_bot_id }));
      if (known >= TEMPLATE_LIMITS.templates)
        return err(failure("RUMI-CMD-027", { what: "templates", limit: TEMPLATE_LIMITS.templates }));
      if (spec === undefined || creation === undefined) return unknown(template_id);
      const judged = judgeSpec(fromTemplate(spec, { capital: ANY_CAPITAL }), creation, deps.isolation_floor);
      if (!judged.ok) return judged;
      const row: TemplateRow = {
        template_id,
        spec: JSON.stringify(spec),
        spec_hash: specHash(spec),
        from_bot_id: from_bot_id ?? null,
        created_at: now,
        created_by: principal.id,
        reason,
      };
      const { spec_hash } = row;
      return ok({
        writes: [insertTemplate(store, row)],
        events: [
          {
            action: "bot.template.created",
            ...resource(template_id),
            details: { template_id, from_bot_id: row.from_bot_id, spec_hash },
          },
        ],
        outbox: [],
        status: 201,
        data: templateView(row),
      });
    },
  });

type ApplyFacts = { readonly row: TemplateRow | undefined; readonly creation: CreationFacts | undefined };

const applyTemplate = (deps: CreateDeps): Declaration =>
  defineOperation({
    name: "templates.apply",
    summary: "Register a bot from a template; it stands still, in no mode",
    http: { method: "POST", path: "/api/templates/{template_id}/apply" },
    input: Type.Object(
      {
        command_id: CommandIdField,
        template_id: TemplateIdField,
        bot_id: BotIdField,
        ...CloneFields,
        reason: ReasonField,
      },
      CLOSED,
    ),
    output: BotAnswer,
    success: [201],
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: noDanger,
    target: ({ bot_id }) => ({ resource_type: "bot", resource_id: bot_id }),
    gates: [],
    load: async (reader, input, { store, now }): Promise<ApplyFacts> => {
      const { command_id: _id, reason: _why, template_id, bot_id, ...said } = input;
      const row = await readTemplate(reader, store, template_id);
      if (row === undefined) return { row, creation: undefined };
      const spec = fromTemplate(jsonOf<TemplateSpec>(row.spec), said);
      return { row, creation: await loadCreation(deps, reader, { sql: store, now }, bot_id, spec) };
    },
    decide: ({ row, creation }, input, context) => {
      const { command_id, reason, template_id, bot_id, ...said } = input;
      if (row === undefined || creation === undefined) return unknown(template_id);
      const spec = fromTemplate(jsonOf<TemplateSpec>(row.spec), said);
      const made = decideCreation(deps, creation, { bot_id, spec, reason, command_id }, context);
      if (!made.ok) return made;
      const details = { from_template_id: template_id, spec_hash: row.spec_hash };
      return ok({
        ...made.value,
        events: [...made.value.events, { action: "bot.cloned", ...botResource(bot_id), details }],
      });
    },
    preview: ({ row }, { command_id: _id, reason: _why, template_id, bot_id, ...said }) => ({
      bot_id,
      from_template_id: template_id,
      spec: row === undefined ? null : fromTemplate(jsonOf<TemplateSpec>(row.spec), said),
      state: "IDLE",
      mode: null,
    }),
  });

const removeTemplate: Declaration = defineOperation({
  name: "templates.remove",
  summary: "Remove a template; bots that were made from it are not touched",
  http: { method: "POST", path: "/api/templates/{template_id}/remove" },
  input: Type.Object({ command_id: CommandIdField, template_id: TemplateIdField, reason: ReasonField }, CLOSED),
  output: RemovedTemplateAnswer,
  key: "command_id",
  permission: ["operator", "admin"],
  risk: () => "neutral",
  danger: noDanger,
  target,
  gates: [],
  load: (reader, { template_id }, { store }) => readTemplate(reader, store, template_id),
  decide: (row: TemplateRow | undefined, { template_id }, { store }) => {
    if (row === undefined) return unknown(template_id);
    const { spec_hash } = row;
    return ok({
      writes: [deleteTemplate(store, template_id)],
      events: [{ action: "bot.template.removed", ...resource(template_id), details: { template_id, spec_hash } }],
      outbox: [],
      data: { template_id, removed: true },
    });
  },
});
