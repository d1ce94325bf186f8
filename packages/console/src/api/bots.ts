/** Bots: what they are and did, and moving them. */
import * as answers from "../answers/answers.ts";
import * as runs from "../answers/runs.ts";
import { of, type Body, type Call, type Wish } from "./call.ts";

/** Pages of 200 fills that a chart reads at most. */
const CHART_PAGES = 5;

export type ConfigMoment = "next_tick" | "next_bar" | "next_checkpoint";

export function botCalls({ get, post }: Call) {
  return {
    bots: () => get(answers.botsPage, "/api/bots?limit=200"),
    bot: (bot_id: string) => get(answers.botDetail, `/api/bots/${of(bot_id)}`),
    instances: () => get(answers.instancesAnswer, "/api/instances"),
    positions: () => get(answers.positionsAnswer, "/api/positions"),
    newestFills: () => get(answers.fillsPage, "/api/fills?limit=40"),
    newestOrders: () => get(answers.ordersPage, "/api/orders?limit=40"),
    newestIntents: () => get(answers.intentsPage, "/api/intents?limit=40"),
    /** Fills of one run, oldest first; `complete` tells whether its first one is among them. */
    fillsOfRun: async (bot_id: string, run_id: string) => {
      const found: answers.Fill[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < CHART_PAGES; page += 1) {
        const after: string = cursor === null ? "" : `&cursor=${of(cursor)}`;
        const path = `/api/fills?bot_id=${of(bot_id)}&run_id=${of(run_id)}&limit=200${after}`;
        const answer: Awaited<ReturnType<typeof answers.fillsPage>> = await get(answers.fillsPage, path);
        found.push(...answer.fills);
        cursor = answer.next_cursor;
        if (cursor === null) break;
      }
      return { fills: found.toReversed(), complete: cursor === null };
    },
    inspect: (bot_id: string) => get(runs.inspectAnswer, `/api/instances/${of(bot_id)}/inspect`),
    stopsOf: (bot_id: string) => get(runs.attestationsAnswer, `/api/attestations?bot_id=${of(bot_id)}&limit=5`),
    admissionsOf: (bot_id: string) => get(runs.admissionsAnswer, `/api/admissions?bot_id=${of(bot_id)}&limit=1`),
    bundlesOf: (bot_id: string) => get(runs.bundlesAnswer, `/api/support_bundles?bot_id=${of(bot_id)}&limit=3`),
    makeBundle: (bot_id: string, { id, reason }: Wish) =>
      post("/api/support_bundles", { command_id: id, bot_id, reason }),
    trace: (id: string) => get(runs.traceAnswer, `/api/trace/${of(id)}`),
    /** Asks a bot to change its state, from the state that the person saw. */
    move: (bot: Pick<answers.Bot, "bot_id" | "state">, to: answers.BotState, wish: Wish) =>
      post("/api/commands", {
        command_id: wish.id,
        target: { bot_id: bot.bot_id },
        requested_transition: { from: bot.state, to },
        reason: wish.reason,
        trace_id: crypto.randomUUID(),
        run_id: crypto.randomUUID(),
        schema_version: 1,
      }),
    applyConfig: (bot_id: string, config: Body, at: ConfigMoment, { id, reason }: Wish) =>
      post(`/api/bots/${of(bot_id)}/config/apply`, { command_id: id, config, at, reason }),
  };
}
