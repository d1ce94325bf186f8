/**
 * What a wish for many bots begins with: the list, resolved once and frozen with each bot's generation, and what it would do.
 *
 * The same beginning serves a bulk by selector, a command to a group and a job; who carries it out is one (reconciler.ts).
 */
import { canonicalJson, digestOf, err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readBot, specOf, type BotLabelRow, type BotRow, type BotTables } from "../bots/tables.ts";
import { botsOfGroup } from "../groups/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { BotIdField, CLOSED, VenueIdField } from "../shared/fields.ts";
import { jsonOf, type Sql } from "../shared/sql.ts";
import type { Bulk } from "./model.ts";
import type { Why } from "./progress.ts";
import type { BulkRow } from "./tables.ts";

/** Never live: what is dangerous is confirmed for one bot at a time. */
const FROM = ["IDLE", "RUNNING_PAPER", "RUNNING_SHADOW", "RUNNING_LIVE", "PAUSED", "ERROR"] as const;
const TO = ["RUNNING_PAPER", "RUNNING_SHADOW", "PAUSED", "STOPPING", "QUARANTINED"] as const;
export const BulkTransitionField = Type.Object(
  {
    from: Type.Union(FROM.map((state) => Type.Literal(state))),
    to: Type.Union(TO.map((state) => Type.Literal(state))),
  },
  CLOSED,
);
export const SelectorField = Type.Object(
  {
    bot_ids: Type.Optional(
      Type.Array(BotIdField, { minItems: 1, maxItems: CONTROL_LIMITS.bulk_targets, uniqueItems: true }),
    ),
    group_id: Type.Optional(BotIdField),
    venue: Type.Optional(VenueIdField),
    label: Type.Optional(Type.String({ pattern: "^[a-z0-9][a-z0-9_.-]{0,62}=.{0,128}$", description: "name=value" })),
  },
  { ...CLOSED, minProperties: 1, maxProperties: 1, description: "Exactly one of its fields." },
);
export type Selector = {
  readonly bot_ids?: readonly string[];
  readonly group_id?: string;
  readonly venue?: string;
  readonly label?: string;
};
export const MaxErrorsField = Type.Integer({ minimum: 1, maximum: CONTROL_LIMITS.bulk_targets });

export const bulkOf = (row: Pick<BulkRow, "bulk">): Bulk => ({
  paused: false,
  first_wave: 1,
  ...jsonOf<Omit<Bulk, "paused" | "first_wave"> & Partial<Bulk>>(row.bulk),
});
export const failuresOf = (row: Pick<BulkRow, "failures">): Readonly<Record<string, Why>> =>
  jsonOf<Readonly<Record<string, Why>>>(row.failures);
export const isStartTo = (to: string): boolean => to.startsWith("RUNNING");

export type Resolved = {
  readonly bots: readonly BotRow[];
  /** Named by id, and there is no such bot. */
  readonly unknown: readonly string[];
};

/** Once: whoever is made later is not in it. */
export async function resolveBots(reader: Reader, sql: Sql, selector: Selector): Promise<Resolved> {
  const db = sql.builder<BotTables>();
  if (selector.bot_ids !== undefined) {
    const found = await Promise.all(selector.bot_ids.map((bot_id) => readBot(reader, sql, bot_id)));
    const bots = found.filter((bot) => bot !== undefined);
    return { bots, unknown: selector.bot_ids.filter((_, at) => found[at] === undefined) };
  }
  if (selector.label !== undefined) {
    const at = selector.label.indexOf("=");
    const labelled = await reader.rows<BotLabelRow>(
      db
        .selectFrom("bot_label")
        .selectAll()
        .where("name", "=", selector.label.slice(0, at))
        .where("value", "=", selector.label.slice(at + 1))
        .orderBy("bot_id"),
    );
    return resolveBots(reader, sql, { bot_ids: labelled.map(({ bot_id }) => bot_id) });
  }
  if (selector.group_id !== undefined) return { bots: await botsOfGroup(reader, sql, selector.group_id), unknown: [] };
  const all = await reader.rows<BotRow>(db.selectFrom("bot").selectAll().orderBy("bot_id"));
  return { bots: all.filter((bot) => specOf(bot).venue === selector.venue), unknown: [] };
}

export const leftOut = (
  bots: readonly BotRow[],
  from: string,
): readonly { readonly bot_id: string; readonly state: string }[] =>
  bots
    .filter((bot) => !isMeant(bot, from))
    .map(({ bot_id, state, retired_at }) => ({ bot_id, state: retired_at === null ? state : "RETIRED" }));

/** In the state that the wish is made for, and not ended for good. */
export const isMeant = ({ state, retired_at }: Pick<BotRow, "state" | "retired_at">, from: string): boolean =>
  state === from && retired_at === null;

/** Those that the wish is for, or why it is for none, for too many, or for somebody who does not exist. */
export function judgeTargets({ bots, unknown }: Resolved, from: string): Result<readonly BotRow[], Failure> {
  if (unknown.length > 0)
    return err(
      failure(
        "RUMI-BOT-001",
        { bot_id: unknown.join(", ") },
        { reasonCode: "G.BULK.UNKNOWN_BOT", details: { bot_ids: unknown } },
      ),
    );
  const targets = bots.filter((bot) => isMeant(bot, from));
  const limit = CONTROL_LIMITS.bulk_targets;
  if (targets.length === 0)
    return err(failure("RUMI-VAL-002", { field: "$.selector", problem: `no bot that it names is ${from}` }));
  if (targets.length > limit) return err(failure("RUMI-CMD-029", { limit }, { reasonCode: "G.BULK.FULL" }));
  return ok(targets);
}

/** For a dry run and for whoever looks before they begin. */
export function impactOf(
  bots: readonly BotRow[],
  { from, to }: { readonly from: string; readonly to: string },
  max_errors: number,
  first_wave: number,
) {
  const meant = bots.filter((bot) => isMeant(bot, from));
  return {
    targets: meant.map(({ bot_id }) => bot_id),
    left_out: leftOut(bots, from),
    from,
    to,
    max_errors,
    waves: first_wave > 1 ? 1 : Math.ceil(Math.log2(meant.length + 1)),
    capital: meant.map((bot) => ({ bot_id: bot.bot_id, capital: specOf(bot).capital })),
    dependencies: [...new Set(meant.flatMap((bot) => specOf(bot).dependencies ?? []))],
  };
}

export type Beginning = {
  readonly bulk_id: string;
  readonly actor: string;
  readonly reason: string;
  readonly trace_id: string;
  readonly now: number;
  readonly from: string;
  readonly to: string;
  readonly bulk: Bulk;
  readonly targets: readonly BotRow[];
  readonly group: { readonly group_id: string; readonly generation: number } | null;
};

/** Who it is for, each as it is now; what a change of it stands on. */
export const listDigest = (bots: readonly BotRow[]): string =>
  digestOf(canonicalJson(bots.map(({ bot_id, generation }) => ({ bot_id, generation }))));

export function bulkRow({ bulk, targets, group, from, to, now, ...rest }: Beginning): BulkRow {
  const frozen = targets.map(({ bot_id, generation }) => ({ bot_id, generation }));
  return {
    ...rest,
    from_state: from,
    to_state: to,
    digest: listDigest(targets),
    generations: JSON.stringify(Object.fromEntries(frozen.map(({ bot_id, generation }) => [bot_id, generation]))),
    group_id: group?.group_id ?? null,
    group_generation: group?.generation ?? null,
    bulk: JSON.stringify(bulk),
    tries: 1,
    failures: "{}",
    state: "running",
    created_at: now,
    row_version: 1,
  };
}
