/** Reading and setting the kill switch; what tightens passes every stage that could hold it up. */
import { err, failure, invariant, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { matchesKill, strictestKill, type KillLevel, type KillRule } from "@rumi/runtime";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readBot, readMoving, type BotRow } from "../bots/tables.ts";
import { RISK_PHRASE } from "../challenges/model.ts";
import { spooledWord, type Tightened } from "../emergency/spool.ts";
import { BotIdField, CLOSED, CommandIdField, EVERYONE, ReasonField } from "../shared/fields.ts";
import { feed, type Sql } from "../shared/sql.ts";
import { readVenue } from "../venues/tables.ts";
import { KILL_SET, killTarget } from "./guard.ts";
import {
  isLoosening,
  KILL_LIMITS,
  LevelField,
  ScopeField,
  scopeOf,
  scopeText,
  scopeView,
  type ScopeInput,
} from "./model.ts";
import { putRule, readKillSwitch, ruleView, wireRules, type KillSwitch } from "./tables.ts";
import { KillSetAnswer, KillSwitchAnswer } from "./answers.ts";

/** What a runner last told of the rules, by its id. */
export type Followed = ReadonlyMap<string, { readonly generation: number; readonly instances: number }>;

type KillSwitchDeps = { readonly followed: () => Followed; readonly spool: Tightened };

export function killSwitchDeclarations(deps: KillSwitchDeps): readonly Declaration[] {
  return [showKillSwitch(deps), setKillSwitch];
}

const showKillSwitch = ({ followed, spool }: KillSwitchDeps): Declaration =>
  defineQuery({
    name: "killswitch.show",
    summary: "The kill switch's rules in force, and who follows them",
    http: { method: "GET", path: "/api/killswitch" },
    input: Type.Object({ bot_id: Type.Optional(BotIdField) }, CLOSED),
    output: KillSwitchAnswer,
    permission: EVERYONE,
    read: async (reader, { bot_id }, { store }) => {
      const now = await readKillSwitch(reader, store);
      const rules = spool.rules(wireRules(now));
      const answer = {
        generation: now.generation,
        rules: rules.map((rule) => viewInForce(rule, now, spool)),
        runners: [...followed()].map(([runner_id, told]) => ({
          runner_id,
          follows: told.generation === now.generation,
          ...told,
        })),
      };
      if (bot_id === undefined) return ok(answer);
      const bot = await readBot(reader, store, bot_id);
      if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
      const holds = strictestKill(rules, killTarget(bot));
      return ok({
        ...answer,
        effective: { bot_id, level: holds?.level ?? "ALLOW", scope: holds === null ? null : scopeView(holds) },
      });
    },
  });

/** With `spooled` where a rule is in force that the log could not take yet. */
function viewInForce({ scope, id, level }: KillRule, { rules, generation }: KillSwitch, { waiting }: Tightened) {
  const row = rules.find((one) => one.scope === scope && one.id === id && one.level === level);
  if (row !== undefined) return ruleView(row);
  const entry = waiting.find(({ operation, input }) => {
    if (operation !== "killswitch.set" || input["level"] !== level) return false;
    return scopeText(scopeOf(input["scope"] as ScopeInput)) === scopeText({ scope, id });
  });
  invariant(entry !== undefined, "a rule in force that neither a row nor the spool has");
  const { reason, by, at } = spooledWord(entry);
  return { scope: scopeView({ scope, id }), level, reason, set_by: by, set_at: at, generation, spooled: true };
}

type Facts = {
  readonly now: KillSwitch;
  readonly from: KillLevel;
  readonly known: Result<null, Failure>;
  /** Bots that are not standing still and that the scope is about. */
  readonly bots: readonly Pick<BotRow, "bot_id" | "state">[];
};

const setKillSwitch: Declaration = defineOperation({
  name: KILL_SET,
  summary: "Pull the kill switch for a scope; strengthening is always possible, loosening takes a confirmation",
  http: { method: "POST", path: "/api/killswitch/set" },
  input: Type.Object({ command_id: CommandIdField, scope: ScopeField, level: LevelField, reason: ReasonField }, CLOSED),
  output: KillSetAnswer,
  key: "command_id",
  emergency: true,
  permission: ["operator", "admin"],
  // Loosening takes a confirmed challenge instead; SAFE must not lock the switch in.
  safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
  risk: ({ level }, { from }: Facts) => (isLoosening(from, level) ? "increase" : "tighten"),
  danger: ({ level, scope }, { from, now }) =>
    isLoosening(from, level)
      ? {
          kind: "confirm",
          requires: ["phrase"],
          phrase: RISK_PHRASE,
          base: { scope: scopeText(scopeOf(scope)), level: from, generation: now.generation },
        }
      : { kind: "none" },
  target: ({ scope }) => ({ resource_type: "kill_switch", resource_id: scopeText(scopeOf(scope)) }),
  bot: ({ scope }) => scope.bot_id ?? null,
  gates: [],
  load: async (reader, { scope }, { store }): Promise<Facts> => {
    const of = scopeOf(scope);
    const now = await readKillSwitch(reader, store);
    return {
      now,
      from: now.rules.find((rule) => rule.scope === of.scope && rule.id === of.id)?.level ?? "ALLOW",
      known: await isKnown(reader, store, scope),
      bots: (await readMoving(reader, store)).filter((bot) => matchesKill(of, killTarget(bot))),
    };
  },
  diff: ({ from }, { scope, level }) => [{ field: scopeText(scopeOf(scope)), before: from, after: level }],
  preview: ({ from, bots }, { scope, level }) => ({ scope, from, to: level, ...matched(bots) }),
  decide: ({ now, from, known, bots }, { scope, level, reason }, context) => {
    if (!known.ok) return known;
    const of = scopeOf(scope);
    const { store, principal } = context;
    if (level === from)
      return ok({ writes: [], events: [], outbox: [], data: { changed: false, ...view(now), ...matched(bots) } });
    invariant(!isLoosening(from, level) || context.approval_id !== null, "a kill switch was loosened unconfirmed");
    if (from === "ALLOW" && of.scope !== "all" && now.rules.length >= KILL_LIMITS.rules)
      return err(failure("RUMI-CMD-026", { limit: KILL_LIMITS.rules }, { reasonCode: "G.KILLSWITCH.FULL" }));
    const generation = now.generation + 1;
    return ok({
      writes: [
        ...putRule(store, now, { ...of, level, reason, set_by: principal.id, set_at: context.now }),
        feed(store, "killswitch", scopeText(of), { scope, level, generation }, context.now),
      ],
      events: [
        {
          action: "execution.killswitch.set",
          resource_type: "kill_switch",
          resource_id: scopeText(of),
          outcome: "SUCCESS",
          details: { from, to: level, scope, generation },
        },
      ],
      outbox: [],
      data: { changed: true, scope, from, level, generation, ...matched(bots) },
    });
  },
});

const view = ({ generation, rules }: KillSwitch) => ({ generation, rules: rules.map(ruleView) });

function matched(bots: Facts["bots"]) {
  return { bots_matched: bots.length, bots: bots.slice(0, 100).map(({ bot_id, state }) => ({ bot_id, state })) };
}

/**
 * A mistyped bot or venue would restrain nobody, in silence. Groups and strategies are words that bots bear and nobody
 * registers, so any is taken: there `bots_matched` in the answer says whom it meets.
 */
export async function isKnown(reader: Reader, sql: Sql, { bot_id, venue }: ScopeInput): Promise<Result<null, Failure>> {
  if (bot_id !== undefined && (await readBot(reader, sql, bot_id)) === undefined)
    return err(failure("RUMI-BOT-001", { bot_id }));
  if (venue !== undefined && (await readVenue(reader, sql, venue)) === undefined)
    return err(failure("RUMI-BOT-006", { venue_id: venue }));
  return ok(null);
}
