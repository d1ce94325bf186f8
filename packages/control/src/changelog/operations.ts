/** Writing down the changelog of a bot's version where its reason says too little, and reading all of them. */
import { err, failure, ok, type Failure } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { botResource } from "../bots/operations.ts";
import { readBot, specOf, type BotRow } from "../bots/tables.ts";
import { BotIdField, CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { ChangelogAnswer, ChangelogsAnswer } from "./answers.ts";
import { toldOf, textOf } from "./look.ts";
import { CHANGELOG_LIMITS } from "./model.ts";
import { insertChangelog, readTold, type ToldVersion } from "./tables.ts";

type Facts = { readonly bot: BotRow | undefined; readonly told: readonly ToldVersion[] };

const writeChangelog: Declaration = defineOperation({
  name: "bots.changelog",
  summary: "Write down what a bot's version changes, where the reason of its making says too little; live needs it",
  http: { method: "POST", path: "/api/bots/{bot_id}/changelog" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      bot_id: BotIdField,
      changelog: Type.String({
        minLength: 1,
        maxLength: CHANGELOG_LIMITS.max_characters,
        description: "What changes and why, for whoever is to run it.",
      }),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: ChangelogAnswer,
  success: [201],
  key: "command_id",
  permission: ["operator", "admin"],
  risk: () => "neutral",
  danger: noDanger,
  target: ({ bot_id }) => ({ resource_type: "bot", resource_id: bot_id }),
  gates: [],
  load: async (reader, { bot_id }, { store }): Promise<Facts> => ({
    bot: await readBot(reader, store, bot_id),
    told: await readTold(reader, store, bot_id, 2),
  }),
  decide: ({ bot, told: [told, before] }: Facts, { bot_id, changelog }, { now, principal, store }) => {
    if (bot === undefined || told === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    const { version } = told;
    if (told.text !== null) return err(failure("RUMI-BOT-087", { bot_id, version }));
    const { judged } = toldOf(bot_id, specOf(bot), { version, text: changelog, before });
    if (!judged.ok) return judged;
    const row = { bot_id, version, text: changelog, added_by: principal.id, added_at: now };
    return ok({
      writes: [insertChangelog(store, row)],
      events: [
        {
          action: "bot.changelog.written",
          ...botResource(bot_id),
          details: { version, generation: told.generation, changelog },
        },
      ],
      outbox: [],
      feed: [{ kind: "bot", key: bot_id, data: { bot_id, state: bot.state, generation: bot.generation } }],
      status: 201,
      data: { bot_id, version, generation: told.generation, changelog, added_by: principal.id, passes: true },
    });
  },
});

const listChangelogs: Declaration = defineQuery({
  name: "bots.changelogs",
  summary: "What each version of a bot changed, newest first, and whether it is enough to go live",
  http: { method: "GET", path: "/api/bots/{bot_id}/changelog" },
  input: Type.Object({ bot_id: BotIdField, limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) }, CLOSED),
  output: ChangelogsAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id, limit = 50 }, { store }) => {
    const bot = await readBot(reader, store, bot_id);
    if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    // One more than is shown: each is compared with the one before.
    const all = await readTold(reader, store, bot_id, limit + 1);
    const changelogs = all.slice(0, limit).map((told, at) => {
      const { version, generation, created_by } = told;
      const text = textOf(told);
      const { judged } = toldOf(bot_id, specOf(bot), { version, text, before: all[at + 1] });
      return {
        version,
        generation,
        changelog: text,
        added_by: told.added_by ?? created_by,
        passes: judged.ok,
        problem: judged.ok ? null : problemOf(judged.error),
      };
    });
    return ok({ bot_id, changelogs, count: changelogs.length });
  },
});

const problemOf = ({ params }: Failure): string => String(params["problem"]);

export const changelogDeclarations: readonly Declaration[] = [writeChangelog, listChangelogs];
