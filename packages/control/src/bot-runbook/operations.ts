/** Attaching a runbook to a bot; another version of it, whatever it does meanwhile. */
import { err, failure, ok } from "@rumi/kernel";
import { defineOperation, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { nextVersion } from "../bots/model.ts";
import { botResource, botView, insertBotVersion, versionDetails } from "../bots/operations.ts";
import { readBot, specOf, updateBot, type BotRow } from "../bots/tables.ts";
import { BotIdField, CLOSED, CommandIdField, noDanger, ReasonField } from "../shared/fields.ts";
import { judgeRunbook } from "./model.ts";
import { RunbookAttachedAnswer } from "../bots/answers.ts";

const attachRunbook: Declaration = defineOperation({
  name: "bots.runbook",
  summary: "Attach the page that says what to do when this bot fails; live needs one",
  http: { method: "POST", path: "/api/bots/{bot_id}/runbook" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      bot_id: BotIdField,
      runbook: Type.String({ minLength: 1, maxLength: 1_024, description: "An http(s) address or a document's path." }),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: RunbookAttachedAnswer,
  key: "command_id",
  permission: ["operator", "admin"],
  risk: () => "neutral",
  danger: noDanger,
  target: ({ bot_id }) => ({ resource_type: "bot", resource_id: bot_id }),
  gates: [],
  load: (reader, { bot_id }, { store }) => readBot(reader, store, bot_id),
  decide: (bot: BotRow | undefined, { bot_id, runbook, reason }, { now, principal, store }) => {
    if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    const sound = judgeRunbook(bot_id, runbook);
    if (!sound.ok) return sound;
    const before = specOf(bot);
    if (before.runbook === runbook)
      return ok({ writes: [], events: [], outbox: [], data: { ...botView(bot), attached: false } });
    const spec = { ...before, runbook };
    const generation = bot.generation + 1;
    const next: BotRow = {
      ...bot,
      spec: JSON.stringify(spec),
      generation,
      // Nothing that runs has to learn of it.
      observed_generation: bot.observed_generation === bot.generation ? generation : bot.observed_generation,
      version: nextVersion(bot.version, before, spec),
    };
    const { observed_generation, version } = next;
    return ok({
      writes: [
        updateBot(store, bot, { spec: next.spec, generation, observed_generation, version }, now),
        insertBotVersion(store, next, now, principal.id, reason),
      ],
      events: [
        {
          action: "bot.version.created",
          ...botResource(bot_id),
          details: { ...versionDetails(next, spec), changed: ["runbook"] },
        },
      ],
      outbox: [],
      feed: [{ kind: "bot", key: bot_id, data: { bot_id, state: bot.state, generation } }],
      data: { ...botView(next), attached: true },
    });
  },
});

export const runbookDeclarations: readonly Declaration[] = [attachRunbook];
