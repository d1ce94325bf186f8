/** Groups of bots: made by name, joined and left one bot at a time; commanded with `target: {group_id}` (command.ts). */
import { canonicalJson, digestOf, err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type DecideContext, type Decision } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { botResource, insertBotVersion, versionDetails } from "../bots/operations.ts";
import { readBot, specOf, updateBot, type BotRow } from "../bots/tables.ts";
import { readInstances } from "../instances/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { BotIdField, CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, feed, type Sql } from "../shared/sql.ts";
import { judgeChange, type Change, type Member } from "./model.ts";
import { botsOfGroup, insertGroup, nextGeneration, readGroup, type GroupRow, type GroupTables } from "./tables.ts";
import { GroupAnswer, GroupChangeAnswer, GroupsAnswer } from "./answers.ts";

export const groupDeclarations = (): readonly Declaration[] => [
  createGroup,
  listGroups,
  showGroup,
  changeMember("add"),
  changeMember("remove"),
];

const target = ({ group_id }: { readonly group_id: string }) => ({ resource_type: "group", resource_id: group_id });

const createGroup: Declaration = defineOperation({
  name: "groups.create",
  summary: "Make a group of bots; a bot whose specification names it already belongs to it",
  http: { method: "POST", path: "/api/groups" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      group_id: BotIdField,
      display_name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
      bot_ids: Type.Optional(
        Type.Array(BotIdField, { maxItems: CONTROL_LIMITS.bulk_targets, uniqueItems: true, description: "They join." }),
      ),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: GroupAnswer,
  success: [201],
  key: "command_id",
  permission: ["operator", "admin"],
  risk: () => "neutral",
  danger: noDanger,
  target,
  gates: [],
  load: async (reader, { group_id, bot_ids = [] }, { store }) => ({
    existing: await readGroup(reader, store, group_id),
    count: await countGroups(reader, store),
    named: await botsOfGroup(reader, store, group_id),
    joining: await Promise.all(bot_ids.map((bot_id) => readMember(reader, store, bot_id))),
  }),
  decide: ({ existing, count, named, joining }, { group_id, display_name, bot_ids = [], reason }, context) => {
    if (existing !== undefined) return err(failure("RUMI-BOT-070", { group_id }));
    if (count >= CONTROL_LIMITS.groups)
      return err(
        failure("RUMI-CMD-027", { what: "groups", limit: CONTROL_LIMITS.groups }, { reasonCode: "G.GROUP.FULL" }),
      );
    const { store, now, principal } = context;
    const row: GroupRow = {
      group_id,
      display_name: display_name ?? group_id,
      generation: 1,
      created_at: now,
      created_by: principal.id,
    };
    const moved: BotRow[] = [];
    const writes = [insertGroup(store, row), feed(store, "group", group_id, { group_id, generation: 1 }, now)];
    const events: Decision["events"][number][] = [];
    for (const [at, member] of joining.entries()) {
      if (member === undefined) return err(failure("RUMI-BOT-001", { bot_id: bot_ids[at] ?? "" }));
      const next = judgeChange(member, group_id, "add");
      if (!next.ok) return next;
      if (next.value === undefined) continue;
      moved.push(next.value);
      const changed = memberChanged(member.bot, next.value, { reason, context });
      writes.push(...changed.writes);
      events.push(...changed.events);
    }
    const known = new Map([...named, ...moved].map((bot) => [bot.bot_id, bot]));
    const bots = [...known.values()].toSorted((a, b) => (a.bot_id < b.bot_id ? -1 : 1));
    const created = {
      action: "bot.group.created",
      resource_type: "group",
      resource_id: group_id,
      outcome: "SUCCESS" as const,
      details: { bot_ids: bots.map(({ bot_id }) => bot_id).slice(0, CONTROL_LIMITS.bulk_targets) },
    };
    return ok({ writes, events: [created, ...events], outbox: [], status: 201, data: groupView(row, bots) });
  },
});

const listGroups: Declaration = defineQuery({
  name: "groups.list",
  summary: "Groups of bots, by id",
  http: { method: "GET", path: "/api/groups" },
  input: Type.Object(PAGE_FIELDS, CLOSED),
  output: GroupsAnswer,
  permission: EVERYONE,
  read: async (reader, { cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["string"]);
    if (!after.ok) return after;
    let query = store
      .builder<GroupTables>()
      .selectFrom("bot_group")
      .selectAll()
      .orderBy("group_id")
      .limit(limit + 1);
    if (after.value !== undefined) query = query.where("group_id", ">", String(after.value[0]));
    const rows = await reader.rows<GroupRow>(query);
    const { page, next_cursor } = pageOf(rows, limit, (row) => [row.group_id]);
    return ok({
      groups: page.map(headOf),
      count: page.length,
      next_cursor,
    });
  },
});

const showGroup: Declaration = defineQuery({
  name: "groups.show",
  summary: "One group: its bots with their states, its generation, and the digest of that list",
  http: { method: "GET", path: "/api/groups/{group_id}" },
  input: Type.Object({ group_id: BotIdField }, CLOSED),
  output: GroupAnswer,
  permission: EVERYONE,
  read: async (reader, { group_id }, { store }) => {
    const row = await readGroup(reader, store, group_id);
    if (row === undefined) return err(failure("RUMI-BOT-015", { group_id }));
    return ok(groupView(row, await botsOfGroup(reader, store, group_id)));
  },
});

const SUMMARIES: Readonly<Record<Change, string>> = {
  add: "Put a bot of no group into this one; nothing of it may run",
  remove: "Take a bot out of its group; what held the group holds it no more, so whatever holds it now refuses",
};

type MemberFacts = { readonly group: GroupRow | undefined; readonly member: Member | undefined };

const changeMember = (change: Change): Declaration =>
  defineOperation({
    name: `groups.${change}`,
    summary: SUMMARIES[change],
    http: { method: "POST", path: `/api/groups/{group_id}/${change}` },
    input: Type.Object(
      { command_id: CommandIdField, group_id: BotIdField, bot_id: BotIdField, reason: ReasonField },
      CLOSED,
    ),
    output: GroupChangeAnswer,
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => (change === "remove" ? "increase" : "neutral"),
    danger: noDanger,
    target,
    bot: ({ bot_id }) => bot_id,
    gates: [],
    load: async (reader, { group_id, bot_id }, { store }): Promise<MemberFacts> => ({
      group: await readGroup(reader, store, group_id),
      member: await readMember(reader, store, bot_id),
    }),
    preview: ({ group, member }) => ({
      group_id: group?.group_id ?? null,
      generation: group?.generation ?? null,
      bot_id: member?.bot.bot_id ?? null,
      state: member?.bot.state ?? null,
      group_of_bot: member === undefined ? null : (specOf(member.bot).group_id ?? null),
    }),
    decide: ({ group, member }, { group_id, bot_id, reason }, context) => {
      if (group === undefined) return err(failure("RUMI-BOT-015", { group_id }));
      if (member === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
      const next = judgeChange(member, group_id, change);
      if (!next.ok) return next;
      const told = { bot_id, changed: next.value !== undefined };
      if (next.value === undefined)
        return ok({ writes: [], events: [], outbox: [], data: { ...headOf(group), ...told } });
      const after = { ...group, generation: group.generation + 1 };
      const { writes, events } = memberChanged(member.bot, next.value, { reason, context });
      return ok({
        writes: [
          ...writes,
          nextGeneration(context.store, group_id),
          feed(context.store, "group", group_id, { group_id, generation: after.generation }, context.now),
        ],
        events: [
          ...events,
          {
            action: "bot.group.changed",
            resource_type: "group",
            resource_id: group_id,
            outcome: "SUCCESS",
            details: { bot_id, change, generation: after.generation },
          },
        ],
        outbox: [],
        data: { ...headOf(after), ...told },
      });
    },
  });

/** Another generation of the bot, which differs in its group alone. */
function memberChanged(
  before: BotRow,
  next: BotRow,
  { reason, context }: { readonly reason: string; readonly context: DecideContext },
): Pick<Decision, "writes" | "events"> {
  const { store, now, principal } = context;
  const { spec, generation, observed_generation, version } = next;
  return {
    writes: [
      updateBot(store, before, { spec, generation, observed_generation, version }, now),
      insertBotVersion(store, next, now, principal.id, reason),
    ],
    events: [
      {
        action: "bot.version.created",
        ...botResource(next.bot_id),
        details: { ...versionDetails(next, specOf(next)), changed: ["group_id"] },
      },
    ],
  };
}

async function readMember(reader: Reader, sql: Sql, bot_id: string): Promise<Member | undefined> {
  const bot = await readBot(reader, sql, bot_id);
  return bot === undefined ? undefined : { bot, instances: await readInstances(reader, sql, bot_id) };
}

async function countGroups(reader: Reader, sql: Sql): Promise<number> {
  const [row] = await reader.rows<{ many: number }>(
    sql
      .builder<GroupTables>()
      .selectFrom("bot_group")
      .select((of) => of.fn.countAll<number>().as("many")),
  );
  return row?.many ?? 0;
}

function headOf({ created_at, ...row }: GroupRow) {
  return { ...row, created_at: isoFromMicros(micros(created_at)) };
}

export function groupView(row: GroupRow, bots: readonly BotRow[]) {
  const frozen = bots.map(({ bot_id, generation }) => ({ bot_id, generation }));
  return {
    ...headOf(row),
    count: bots.length,
    digest: digestOf(canonicalJson(frozen)),
    bots: bots.map(({ bot_id, state, generation }) => ({ bot_id, state, generation })),
  };
}
