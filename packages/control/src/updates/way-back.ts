/**
 * An update whose new version cannot begin goes back by itself: the former version takes up its own state again. Pure.
 *
 * How to think: where an update is decided, the way back is written down with it: a run of the former version that
 * begins where the former run handed over. It stays on the instance's row until the new version has run once. A runner
 * that refuses the new version's start thereby starts that run, and the bot keeps its state. Shards go back together
 * (siblings.ts). There is one way back: if the former version is refused too, the bot is in ERROR like any other that
 * cannot begin.
 *
 * A version that ran once and then fails leaves its bot in ERROR, and that is meant: it has changed the state and perhaps
 * sent orders, and ERROR is never left by the system (G-2.1b). The way back is a person's: an update to the former version,
 * which takes up the state that is there, and a start.
 *
 * Invariants (packages/control/test/updates.test.ts "[M-1.1.1] a version that its runner refuses goes back")
 * - Versions are never rewritten: going back is another generation with the former specification.
 * - A version that has run once does not go back by itself, however it fails later and whoever starts it again
 *   (packages/control/test/shard-way-back.test.ts).
 */
import type { EventDraft } from "@rumi/operations";
import { botResource } from "../bots/operations.ts";
import type { BotRow } from "../bots/tables.ts";
import { runRowOf } from "../instances/begin.ts";
import { instanceDetails, resource, type Facts, type Observation } from "../instances/observe.ts";
import { isShadow } from "../instances/shards.ts";
import { siblingsBack } from "./siblings.ts";
import type { StartSpec, WayBack } from "../instances/tables.ts";
import type { FailureNote } from "../shared/fields.ts";
import { jsonOf } from "../shared/sql.ts";

/** Why the new version's run is over, and why the former one runs again. */
export const UPDATE_REFUSED = "UPDATE_REFUSED";

/** `undefined` where there is no way back: no update, or one that ran already. */
export function observeWayBack(facts: Facts, failure: FailureNote, now: number): Observation | undefined {
  const { bot, instance } = facts;
  // One that ran is beyond it, though its shards' way back is kept until the next update.
  const isBegun = instance.phase !== "none" && instance.phase !== "starting";
  if (instance.back === null || isBegun || instance.desired === "stopped") return undefined;
  const { spec, bot: former, command_id, ran, report_id = command_id } = jsonOf<WayBack>(instance.back);
  if (ran === true) return undefined;
  const refused = jsonOf<StartSpec>(instance.spec);
  const own = former !== null && !isShadow(instance) && bot.generation === refused.generation;
  const generation = own ? bot.generation + 1 : bot.spec === former?.spec ? bot.generation : refused.generation;
  const again: StartSpec = { ...spec, generation };
  const run = bot.run_id === instance.run_id ? { run_id: again.run_id } : {};
  const move: Partial<BotRow> | null = own
    ? { ...former, ...run, generation, observed_generation: generation, state_reason: UPDATE_REFUSED }
    : Object.keys(run).length > 0
      ? run
      : null;
  return {
    bot: move,
    instance: {
      run_id: again.run_id,
      spec: JSON.stringify(again),
      generation,
      next: null,
      back: null,
      holder: null,
      starts: 0,
      phase: "none",
      health_state: null,
      failure: null,
    },
    conditions: [],
    events: wentBack(facts, { again, refused, failure }),
    ended: UPDATE_REFUSED,
    begun: runRowOf(again, { command_id, report_id, now }),
    ...(own ? { version: { ...bot, ...move }, version_reason: UPDATE_REFUSED } : {}),
    ...(own ? { siblings: siblingsBack(facts.others, { refused: refused.generation, generation }) } : {}),
  };
}

function wentBack(
  { bot, instance }: Facts,
  of: {
    readonly again: StartSpec;
    readonly refused: StartSpec;
    readonly failure: FailureNote;
  },
): readonly EventDraft[] {
  const { again, refused, failure } = of;
  const reason_code = failure.reason_code ?? failure.error_code;
  return [
    {
      action: "instance.failed",
      ...resource(instance),
      outcome: "FAILURE",
      details: { ...instanceDetails(instance), reason_code, error_code: failure.error_code, error: failure.error },
    },
    {
      action: "bot.update.rolled_back",
      ...botResource(bot.bot_id),
      details: {
        instance_id: instance.instance_id,
        generation: again.generation,
        reason_code: failure.reason_code ?? failure.error_code,
        from_version: refused.strategy_version,
        from_digest: refused.pack_digest,
        from_run_id: refused.run_id,
        to_version: again.strategy_version,
        digest: again.pack_digest,
        to_run_id: again.run_id,
      },
    },
  ];
}
