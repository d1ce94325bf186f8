/** Reading commands back: one with its whole audit chain, or a page of them. */
import { err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readEvents, type AuditEvent } from "../audit/events.ts";
import { readBot } from "../bots/tables.ts";
import { bulkView } from "../bulk/operations.ts";
import { readBulk } from "../bulk/tables.ts";
import { readInstances } from "../instances/tables.ts";
import { isOpen } from "../challenges/model.ts";
import { readChallengeOf } from "../challenges/tables.ts";
import { changeState } from "../changes/model.ts";
import type { BotState } from "../lifecycle/states.ts";
import { isShadow } from "../instances/shards.ts";
import { BotIdField, CLOSED, CommandIdField, EVERYONE } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, first, type Sql } from "../shared/sql.ts";
import type { CommandRow, CommandTables } from "./tables.ts";
import { CommandsAnswer, WholeCommandAnswer } from "./answers.ts";

export const showCommand: Declaration = defineQuery({
  name: "commands.show",
  summary: "One command with its whole audit chain",
  http: { method: "GET", path: "/api/commands/{command_id}" },
  input: Type.Object({ command_id: CommandIdField }, CLOSED),
  output: WholeCommandAnswer,
  permission: EVERYONE,
  read: async (reader, { command_id }, { store }) => {
    const row = await first<CommandRow>(
      reader,
      store.builder<CommandTables>().selectFrom("command").selectAll().where("command_id", "=", command_id),
    );
    const bulk = row === undefined ? await readBulk(reader, store, command_id) : undefined;
    const own = await readEvents(reader, store, { request_id: command_id, limit: 200 });
    if (row === undefined && own.length === 0) return err(failure("RUMI-BOT-016", { command_id }));
    const denied = own.find((event) => event.action === "controlplane.command.denied");
    const of_run = row?.run_id == null ? [] : await readEvents(reader, store, { run_id: row.run_id, limit: 200 });
    const chain = [...own, ...of_run].toSorted((a, b) => a.log_index - b.log_index);
    const status =
      row?.status === "accepted" && (await carriedOut(reader, store, row))
        ? "applied"
        : (row?.status ?? (await statusOf(reader, store, command_id, own)));
    return ok({
      command_id,
      ...(row === undefined ? {} : commandView(row)),
      ...(bulk === undefined ? {} : { bulk: bulkView(bulk) }),
      // A group's is applied when every bot of it has arrived or failed.
      status: bulk?.state === "running" ? "accepted" : status,
      reason_code: denied?.details["reason_code"] ?? null,
      error_code: denied?.details["error_code"] ?? null,
      audit: chain,
    });
  },
});

/** What became of a command that is not one of a bot's: its last word, or where its challenge stands. */
async function statusOf(reader: Reader, sql: Sql, command_id: string, own: readonly AuditEvent[]): Promise<string> {
  const challenge = await readChallengeOf(reader, sql, command_id);
  // Of a change its proposal is applied at once; what became of the command is told by the change.
  if (challenge?.kind === "change") return changeState(challenge).toLowerCase();
  const said = (action: string): boolean => own.some((event) => event.action === action);
  if (said("controlplane.command.denied")) return "denied";
  if (said("controlplane.command.applied")) return "applied";
  if (challenge === undefined) return "requested";
  return isOpen(challenge) ? "challenged" : challenge.state.toLowerCase();
}

/** An accepted command is applied once the runner reports what it asked for. */
async function carriedOut(reader: Reader, sql: Sql, row: CommandRow): Promise<boolean> {
  const bot = await readBot(reader, sql, row.bot_id);
  if (bot === undefined || row.run_id === null) return false;
  const own = (await readInstances(reader, sql, bot.bot_id)).filter((one) => !isShadow(one));
  if (!own.some((one) => one.run_id === row.run_id)) return true;
  const reached: Partial<Record<BotState, readonly string[]>> = {
    RUNNING_PAPER: ["running", "feed_ended", "paused", "stopping", "stopped"],
    RUNNING_SHADOW: ["running", "feed_ended", "paused", "stopping", "stopped"],
    PAUSED: ["paused", "stopped"],
    STOPPING: ["stopped"],
    QUARANTINED: ["stopped", "failed"],
  };
  const phases = reached[row.to_state as BotState] ?? [];
  // One shard that failed keeps nobody waiting for ever; its own failure tells of it.
  return own.every(({ phase }) => phase === "failed" || phases.includes(phase));
}

export const listCommands: Declaration = defineQuery({
  name: "commands.list",
  summary: "Commands, newest first",
  http: { method: "GET", path: "/api/commands" },
  input: Type.Object(
    {
      bot_id: Type.Optional(BotIdField),
      ...PAGE_FIELDS,
    },
    CLOSED,
  ),
  output: CommandsAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id, cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["number", "string"]);
    if (!after.ok) return after;
    let query = store
      .builder<CommandTables>()
      .selectFrom("command")
      .selectAll()
      .orderBy("created_at", "desc")
      .orderBy("command_id", "desc")
      .limit(limit + 1);
    if (bot_id !== undefined) query = query.where("bot_id", "=", bot_id);
    if (after.value !== undefined) {
      const [at, id] = after.value as [number, string];
      query = query.where((of) =>
        of.or([of("created_at", "<", at), of.and([of("created_at", "=", at), of("command_id", "<", id)])]),
      );
    }
    const rows = await reader.rows<CommandRow>(query);
    const { page, next_cursor } = pageOf(rows, limit, (row) => [row.created_at, row.command_id]);
    return ok({
      commands: page.map(commandView),
      count: page.length,
      next_cursor,
    });
  },
});

export function commandView(row: CommandRow) {
  const { from_state, to_state, created_at, ...rest } = row;
  return {
    ...rest,
    requested_transition: { from: from_state, to: to_state },
    created_at: isoFromMicros(micros(created_at)),
  };
}
