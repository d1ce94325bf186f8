/**
 * A new bot: from a whole specification, or from another bot's. Both are judged by the same rules and begin the same way:
 * IDLE, in no mode, with nothing that runs. A mode is no part of a specification, so that none can be inherited (G-3.2).
 *
 * Invariant (clone.test.ts): whatever the original does, its clone stands still until somebody starts it; live takes a
 * challenge of its own.
 */
import { err, failure, invariant, type Failure, type Micros, type Result, ok } from "@rumi/kernel";
import type { StrategyDescriptor } from "@rumi/abi";
import { defineOperation, type Declaration, type DecideContext, type Decision } from "@rumi/operations";
import type { StrategyReference } from "@rumi/platform";
import { write, type Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { botsAmong, judgeDeclared, parseDependencies, type Needs } from "../dependencies/model.ts";
import { insertDependencies, readNeeds } from "../dependencies/tables.ts";
import { nextGeneration } from "../groups/tables.ts";
import { shardsOf } from "../instances/shards.ts";
import { allocationEvent } from "../risk/events.ts";
import { amountOf, judgeAllocation, roomView, type Room } from "../risk/model.ts";
import { roomFor, type RoomDeps } from "../risk/room.ts";
import { allocationWrites } from "../risk/tables.ts";
import { BotIdField, CLOSED, CommandIdField, noDanger, ReasonField } from "../shared/fields.ts";
import { feed, type Sql } from "../shared/sql.ts";
import { supplyCheck } from "../supply-chain/standing.ts";
import { readVenue } from "../venues/tables.ts";
import { CreateBotInput, judgeSpec, type CreateBot, type IsolationFloor, type SpecFacts } from "./model.ts";
import { botResource, botView, insertBotVersion, transitionEvent, versionDetails } from "./operations.ts";
import { conditionWrite, readBot, specOf, type BotRow, type BotTables } from "./tables.ts";
import { BotAnswer } from "./answers.ts";

export type CreateDeps = RoomDeps & {
  readonly isolation_floor: IsolationFloor;
  /** Reads what was approved; refuses with the pack's own codes. */
  readonly approvedStrategy: (
    reader: Reader,
    reference: StrategyReference,
  ) => Promise<Result<StrategyDescriptor, Failure>>;
  /** Re-reads source and store copy. */
  readonly verifyStrategy: (reference: StrategyReference) => Promise<Result<unknown, Failure>>;
};
export function creationDeclarations(deps: CreateDeps): readonly Declaration[] {
  return [createBot(deps), cloneBot(deps)];
}

/** What a person says of a new bot. */
export type SpecWish = Omit<CreateBot, "command_id" | "bot_id" | "reason">;
export type NewBot = {
  readonly bot_id: string;
  readonly spec: SpecWish;
  readonly reason: string;
  readonly command_id: string;
};
export type CreationFacts = SpecFacts & {
  readonly existing: BotRow | undefined;
  /** Whom the bots that it needs need. */
  readonly needs: Needs;
  /** What its pool has and holds; `undefined`: of a venue that is not there. */
  readonly room: Result<Room, Failure> | undefined;
};

const botTarget = (input: { readonly bot_id: string }) => ({ resource_type: "bot", resource_id: input.bot_id });

const createBot = (deps: CreateDeps): Declaration =>
  defineOperation({
    name: "bots.create",
    summary: "Register a bot: a strategy at a digest, with configuration and capital",
    http: { method: "POST", path: "/api/bots" },
    input: CreateBotInput,
    output: BotAnswer,
    success: [201],
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: noDanger,
    target: botTarget,
    gates: [],
    load: (reader, input, { store, now }) => loadCreation(deps, reader, { sql: store, now }, input.bot_id, input),
    preview: ({ room }: CreationFacts, { bot_id, capital }) => ({
      bot_id,
      capital,
      pool: room?.ok === true ? roomView(room.value) : null,
    }),
    decide: (facts: CreationFacts, input, context) => {
      const { command_id, bot_id, reason, ...spec } = input;
      return decideCreation(deps, facts, { bot_id, spec, reason, command_id }, context);
    },
  });

/**
 * Approved under this digest, the bytes that are there have it still (L-N12), and the supply chain lets them through
 * (L-51.2): at deployment as at every start.
 */
async function deployable(
  { approvedStrategy, verifyStrategy }: CreateDeps,
  reader: Reader,
  { sql, now }: { readonly sql: Sql; readonly now: Micros },
  reference: StrategyReference,
): Promise<Result<StrategyDescriptor, Failure>> {
  const approved = await approvedStrategy(reader, reference);
  if (!approved.ok) return approved;
  const verified = await verifyStrategy(reference);
  if (!verified.ok) return verified;
  const supply = await supplyCheck(reader, sql, reference.digest, now);
  return supply.ok ? approved : supply;
}

export async function loadCreation(
  deps: CreateDeps,
  reader: Reader,
  { sql, now }: { readonly sql: Sql; readonly now: Micros },
  bot_id: string,
  spec: Pick<SpecWish, "strategy" | "venue" | "instruments" | "dependencies">,
): Promise<CreationFacts> {
  const declared = parseDependencies(spec.dependencies ?? []);
  const bots = declared.ok ? botsAmong(declared.value) : [];
  const venue = await readVenue(reader, sql, spec.venue);
  const { instruments } = spec;
  return {
    existing: await readBot(reader, sql, bot_id),
    descriptor: await deployable(deps, reader, { sql, now }, spec.strategy),
    venue,
    room: venue === undefined ? undefined : await roomFor(deps, reader, sql, { bot_id, venue, instruments }),
    needs: bots.length === 0 ? new Map() : await readNeeds(reader, sql, bots),
  };
}

export function decideCreation(
  { isolation_floor }: CreateDeps,
  facts: CreationFacts,
  { bot_id, spec: wished, reason, command_id }: NewBot,
  { now, store, principal }: DecideContext,
): Result<Decision, Failure> {
  if (facts.existing !== undefined) return err(failure("RUMI-BOT-002", { bot_id }));
  const judged = judgeSpec(wished, facts, isolation_floor);
  if (!judged.ok) return judged;
  const spec = judged.value;
  const declared = judgeDeclared(bot_id, spec.dependencies ?? [], facts.needs);
  if (!declared.ok) return declared;
  const shards = facts.descriptor.ok ? shardsOf(spec, facts.descriptor.value) : facts.descriptor;
  if (!shards.ok) return shards;
  invariant(facts.room !== undefined, "a sound specification names a venue that is there");
  if (!facts.room.ok) return facts.room;
  const capital = amountOf(spec.capital);
  const fits = judgeAllocation(facts.room.value, bot_id, capital);
  if (!fits.ok) return fits;
  const row: BotRow = {
    bot_id,
    state: "IDLE",
    display_name: spec.display_name ?? bot_id,
    pack_id: spec.strategy.pack_id,
    generation: 1,
    observed_generation: 1,
    version: "1.0.0",
    spec: JSON.stringify(spec),
    mode: null,
    run_id: null,
    state_reason: "INITIALISED",
    state_since: now,
    created_at: now,
    created_by: principal.id,
    updated_at: now,
    retired_at: null,
    row_version: 1,
  };
  const db = store.builder<BotTables>();
  const labels = Object.entries(spec.labels ?? {}).map(([name, value]) => ({ bot_id, name, value }));
  return ok({
    writes: [
      write(db.insertInto("bot").values(row), 1),
      insertBotVersion(store, row, now, principal.id, reason),
      ...(labels.length === 0 ? [] : [write(db.insertInto("bot_label").values(labels), labels.length)]),
      ...allocationWrites(store, facts.room.value, { bot_id, capital, now }),
      ...insertDependencies(store, bot_id, declared.value),
      conditionWrite(
        store,
        bot_id,
        { type: "Initialised", status: "True", reason: "INITIALISED", message: "", observed_generation: 1 },
        now,
      ),
      feed(store, "bot", bot_id, { bot_id, state: row.state }, now),
      ...(spec.group_id === undefined ? [] : [nextGeneration(store, spec.group_id)]),
    ],
    events: [
      {
        action: "bot.created",
        ...botResource(bot_id),
        details: {
          ...versionDetails(row, spec),
          venue: spec.venue,
          instruments: spec.instruments,
          display_name: row.display_name,
        },
      },
      { action: "bot.version.created", ...botResource(bot_id), details: versionDetails(row, spec) },
      allocationEvent(facts.room.value, bot_id, capital),
      transitionEvent(bot_id, null, "CREATED", 1, command_id, "CREATED"),
      transitionEvent(bot_id, "CREATED", "IDLE", 1, command_id, "INITIALISED"),
    ],
    outbox: [],
    status: 201,
    data: botView(row),
  });
}

const { display_name, venue, instruments, config, shard_config, labels, group_id, runbook, dependencies } =
  CreateBotInput.properties;

/** What can be said of a bot that is made like another; money has to be. */
export const CloneFields = {
  capital: CreateBotInput.properties.capital,
  display_name,
  venue: Type.Optional(venue),
  instruments: Type.Optional(instruments),
  config: Type.Optional(config),
  shard_config,
  labels,
  group_id,
  runbook,
  dependencies,
} as const;
const CloneBotInput = Type.Object(
  { command_id: CommandIdField, bot_id: BotIdField, new_bot_id: BotIdField, ...CloneFields, reason: ReasonField },
  CLOSED,
);

type CloneFacts = { readonly original: BotRow | undefined; readonly creation: CreationFacts | undefined };

/** Money is said anew, and whose company it keeps: a clone is in no group, and not called what the original is called. */
export function clonedSpec(original: BotRow, said: Partial<SpecWish> & Pick<SpecWish, "capital">): SpecWish {
  const { group_id: _group, display_name: _name, ...kept } = specOf(original);
  return { ...kept, ...said };
}

const cloneBot = (deps: CreateDeps): Declaration =>
  defineOperation({
    name: "bots.clone",
    summary: "Register a bot like another one; it stands still, in no mode, whatever the original does",
    http: { method: "POST", path: "/api/bots/{bot_id}/clone" },
    input: CloneBotInput,
    output: BotAnswer,
    success: [201],
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: noDanger,
    target: ({ new_bot_id }) => botTarget({ bot_id: new_bot_id }),
    gates: [],
    load: async (reader, { command_id: _id, reason: _why, bot_id, new_bot_id, ...said }, { store, now }) => {
      const original = await readBot(reader, store, bot_id);
      if (original === undefined) return { original, creation: undefined };
      return {
        original,
        creation: await loadCreation(deps, reader, { sql: store, now }, new_bot_id, clonedSpec(original, said)),
      };
    },
    decide: ({ original, creation }: CloneFacts, input, context) => {
      const { command_id, reason, bot_id, new_bot_id, ...said } = input;
      if (original === undefined || creation === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
      const spec = clonedSpec(original, said);
      const made = decideCreation(deps, creation, { bot_id: new_bot_id, spec, reason, command_id }, context);
      if (!made.ok) return made;
      const details = { from_bot_id: bot_id, generation: original.generation };
      const event = { action: "bot.cloned", ...botResource(new_bot_id), details };
      return ok({ ...made.value, events: [...made.value.events, event] });
    },
    preview: ({ original }, { command_id: _id, reason: _why, bot_id, new_bot_id, ...said }) => ({
      bot_id: new_bot_id,
      from_bot_id: bot_id,
      spec: original === undefined ? null : clonedSpec(original, said),
      state: "IDLE",
      mode: null,
    }),
  });
