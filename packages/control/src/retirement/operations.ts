/** POST /api/bots/{bot_id}/retire: the confirmed, proven, final end of a bot (L-05). */
import { err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, type Declaration } from "@rumi/operations";
import { readLease, releaseLeaseWrite, type Reader, type Write } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readLadder } from "../attestation/tables.ts";
import { botResource, botView } from "../bots/operations.ts";
import { readBot, updateBot, type BotRow } from "../bots/tables.ts";
import { resource } from "../instances/observe.ts";
import { endRun, readInstances } from "../instances/tables.ts";
import { readAllocation, releaseWrites, type AllocationRow } from "../risk/tables.ts";
import { BotIdField, CLOSED, CommandIdField, ReasonField } from "../shared/fields.ts";
import { feed, type Sql } from "../shared/sql.ts";
import { judgeRetirement, type Ended } from "./model.ts";
import { BotAnswer } from "../bots/answers.ts";

export const retirementDeclarations = (): readonly Declaration[] => [retireBot];

type Facts = {
  readonly bot: BotRow | undefined;
  readonly ended: readonly Ended[];
  readonly allocation: AllocationRow | undefined;
};

const retireBot: Declaration = defineOperation({
  name: "bots.retire",
  summary: "End a bot for good: every stop of it is proven, its leases are released, and nothing starts it again",
  http: { method: "POST", path: "/api/bots/{bot_id}/retire" },
  input: Type.Object({ command_id: CommandIdField, bot_id: BotIdField, reason: ReasonField }, CLOSED),
  output: BotAnswer,
  key: "command_id",
  permission: ["admin"],
  // It takes a bot away and lets none do more; in every safety mode what is stopped may be put away.
  safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
  risk: () => "neutral",
  danger: ({ bot_id }, { bot, ended }: Facts) =>
    bot !== undefined && judgeRetirement(bot, ended).ok
      ? {
          kind: "confirm",
          requires: ["phrase"],
          phrase: bot_id,
          base: { state: bot.state, generation: bot.generation, run_id: bot.run_id },
        }
      : { kind: "none" },
  target: ({ bot_id }) => ({ resource_type: "bot", resource_id: bot_id }),
  gates: [],
  load: async (reader, { bot_id }, { store }): Promise<Facts> => ({
    bot: await readBot(reader, store, bot_id),
    ended: await readEnded(reader, store, bot_id),
    allocation: await readAllocation(reader, store, bot_id),
  }),
  preview: ({ bot, ended, allocation }, { bot_id }) => ({
    bot_id,
    capital_released: allocation?.capital ?? null,
    current_state: bot?.state ?? null,
    final: true,
    runs: ended.map(({ instance, ladder }) => ({
      run_id: instance.run_id,
      instance_id: instance.instance_id,
      attested_at: ladder?.attested_at == null ? null : isoFromMicros(micros(ladder.attested_at)),
      lease_holder: instance.epoch === 0 ? null : instance.holder,
    })),
  }),
  decide: ({ bot, ended, allocation }, { bot_id }, { now, store }) => {
    if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    const judged = judgeRetirement(bot, ended);
    if (!judged.ok) return judged;
    const held = ended.filter(({ lease }) => lease !== undefined && lease.holder !== null);
    const change = { retired_at: now, state_reason: "RETIRED", run_id: null, mode: null };
    return ok({
      writes: [
        updateBot(store, bot, change, now),
        ...held.map((one) => released(store, one)),
        ...(allocation === undefined ? [] : releaseWrites(store, allocation, now)),
        ...ended.map(({ instance }) => endRun(store, instance.run_id, "RETIRED", now)),
        feed(store, "bot", bot_id, { bot_id, state: bot.state, retired: true }, now),
      ],
      events: [
        ...held.map(({ instance, lease }) => ({
          action: "lease.released",
          ...resource(instance),
          outcome: "SUCCESS" as const,
          details: { holder: null, previous_holder: lease?.holder ?? null, epoch: instance.epoch },
        })),
        {
          action: "bot.retired",
          ...botResource(bot_id),
          details: {
            generation: bot.generation,
            version: bot.version,
            attested_runs: ended.filter(({ ladder }) => ladder !== undefined).map(({ instance }) => instance.run_id),
            leases: ended.filter(({ lease }) => lease !== undefined).length,
          },
        },
      ],
      outbox: [],
      data: botView({ ...bot, ...change }),
    });
  },
});

/** Its time is over, as the attested stop says; the row keeps its epoch, so that no older word of it is ever taken. */
function released(store: Sql, { instance, lease }: Ended): Write {
  const { bot_id, strategy_id, instance_id, epoch } = instance;
  const key = { bot_id, strategy_id, instance_id, holder: lease?.holder ?? "", epoch: lease?.epoch ?? epoch };
  return { ...releaseLeaseWrite(store, key), expect: "any" };
}

async function readEnded(reader: Reader, sql: Sql, bot_id: string): Promise<readonly Ended[]> {
  const instances = await readInstances(reader, sql, bot_id);
  return Promise.all(
    instances.map(async (instance) => ({
      instance,
      ladder: await readLadder(reader, sql, instance.run_id),
      lease: await readLease(sql, reader, instance),
    })),
  );
}
