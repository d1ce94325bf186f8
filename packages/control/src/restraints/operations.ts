/** A person opens or closes the circuit breaker of a bot's instances (M-9.2.2). The wish is kept until a runner took it. */
import { err, failure, ok } from "@rumi/kernel";
import { defineOperation, type Declaration } from "@rumi/operations";
import { botView } from "../bots/operations.ts";
import { readBot } from "../bots/tables.ts";
import { instanceDetails, resource } from "../instances/observe.ts";
import { readInstances, updateInstance } from "../instances/tables.ts";
import { noDanger } from "../shared/fields.ts";
import { BreakerInput, type BreakerWish } from "./model.ts";
import { BreakerAnswer } from "../bots/answers.ts";

export const breakerOperation: Declaration = defineOperation({
  name: "bots.breaker",
  summary: "Open or close the circuit breaker of a bot's instances",
  http: { method: "POST", path: "/api/bots/{bot_id}/breaker" },
  input: BreakerInput,
  output: BreakerAnswer,
  key: "command_id",
  permission: ["operator", "admin"],
  // Closing it lets risk grow again; opening it only shrinks risk.
  risk: ({ action }) => (action === "trip" ? "tighten" : "increase"),
  above_policies: () => true,
  danger: noDanger,
  target: ({ bot_id }) => ({ resource_type: "bot", resource_id: bot_id }),
  gates: [],
  load: async (reader, { bot_id }, { store }) => ({
    bot: await readBot(reader, store, bot_id),
    instances: await readInstances(reader, store, bot_id),
  }),
  decide: ({ bot, instances }, { action, bot_id, instance_id, mode, reason }, { now, store, principal }) => {
    if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    if (action === "trip" && mode === undefined)
      return err(failure("RUMI-VAL-002", { field: "mode", problem: "opening a breaker needs its mode" }));
    if (action === "reset" && mode !== undefined)
      return err(failure("RUMI-VAL-002", { field: "mode", problem: "closing a breaker has no mode" }));
    const chosen = instances.filter(
      (one) => one.desired !== "stopped" && (instance_id === undefined || one.instance_id === instance_id),
    );
    if (chosen.length === 0) return err(failure("RUMI-BOT-024", { bot_id, state: bot.state }));
    const wish: BreakerWish =
      action === "trip" && mode !== undefined
        ? { action, mode, actor: principal.id, reason }
        : { action: "reset", actor: principal.id, reason };
    return ok({
      writes: chosen.map((one) => updateInstance(store, one, { breaker: JSON.stringify(wish) }, now)),
      events: chosen.map((one) => ({
        action: "instance.breaker.asked",
        ...resource(one),
        outcome: "SUCCESS" as const,
        details: { ...instanceDetails(one), asked: action, breaker_mode: mode ?? null },
      })),
      outbox: [],
      data: { ...botView(bot), asked: action, instances: chosen.map((one) => one.instance_id) },
    });
  },
});
