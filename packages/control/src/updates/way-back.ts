/**
 * An update whose new version cannot begin goes back by itself: the former version takes up its own state again. Pure.
 *
 * How to think: where an update is decided, the way back is written down with it: a run of the former version that
 * begins where the former run handed over. It stays on the instance's row until the new version has run once. A runner
 * that refuses the new version's start thereby starts that run, and the bot keeps its state. There is one way back: if the former version is refused too, the bot is in
 * ERROR like any other that cannot begin.
 *
 * Invariants (packages/control/test/updates.test.ts "[M-1.1.1] a version that its runner refuses goes back")
 * - Versions are never rewritten: going back is another generation with the former specification.
 * - A version that has run once does not go back by itself, however it fails later.
 */
import type { EventDraft } from "@rumi/operations";
import { botResource } from "../bots/operations.ts";
import type { BotRow } from "../bots/tables.ts";
import { runRowOf } from "../instances/begin.ts";
import { instanceDetails, resource, type Facts, type Observation } from "../instances/observe.ts";
import { isShadow } from "../instances/shards.ts";
import type { StartSpec, WayBack } from "../instances/tables.ts";
import type { FailureNote } from "../shared/fields.ts";
import { jsonOf } from "../shared/sql.ts";

/** Why the new version's run is over, and why the former one runs again. */
export const UPDATE_REFUSED = "UPDATE_REFUSED";

/** `undefined` where there is no way back: no update, or one that ran already. */
export function observeWayBack(facts: Facts, failure: FailureNote, now: number): Observation | undefined {
  const { bot, instance } = facts;
  if (instance.back === null || instance.desired === "stopped") return undefined;
  const { spec, bot: former, command_id } = jsonOf<WayBack>(instance.back);
  const refused = jsonOf<StartSpec>(instance.spec);
  const own = former !== null && !isShadow(instance) && bot.generation === refused.generation;
  const generation = own ? bot.generation + 1 : refused.generation;
  const again: StartSpec = { ...spec, generation };
  const move: Partial<BotRow> | null = own
    ? { ...former, generation, observed_generation: generation, run_id: again.run_id, state_reason: UPDATE_REFUSED }
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
    begun: runRowOf(again, { command_id, report_id: command_id, now }),
    ...(move === null ? {} : { version: { ...bot, ...move }, version_reason: UPDATE_REFUSED }),
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
