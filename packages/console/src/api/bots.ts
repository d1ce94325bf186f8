/** Bots: what they are and did, and moving them. */
import * as answers from "../answers/answers.ts";
import * as page from "../answers/bot-page.ts";
import * as runs from "../answers/runs.ts";
import { of, type Body, type Call, type Wish } from "./call.ts";

/** Pages of 200 fills that a chart reads at most. */
const CHART_PAGES = 5;
/** Pages of 200 orders that it draws at most; older ones are on the command line. */
const ORDER_PAGES = 2;
/** So many more bots are worth drawing the page again while the others are still read. */
const SOME = 2_500;

export type ConfigMoment = "next_tick" | "next_bar" | "next_checkpoint";

export function botCalls({ get, post }: Call) {
  return {
    /** Every page of them; `onSome` is told what there is so far, after the first and then now and then. */
    allBots: async (onSome: (some: readonly answers.Bot[]) => void): Promise<readonly answers.Bot[]> => {
      const found: answers.Bot[] = [];
      let cursor: string | null = null;
      let next = 1;
      do {
        const after: string = cursor === null ? "" : `&cursor=${of(cursor)}`;
        const page: Awaited<ReturnType<typeof answers.botsPage>> = await get(
          answers.botsPage,
          `/api/bots?limit=200${after}`,
        );
        found.push(...page.bots);
        cursor = page.next_cursor;
        if (cursor !== null && found.length >= next) {
          onSome([...found]);
          next += SOME;
        }
      } while (cursor !== null);
      return found;
    },
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
    /** Orders of one run, by the newest word about each; `complete` tells whether there are no older ones. */
    ordersOfRun: async (bot_id: string, run_id: string) => {
      const found: page.BotOrder[] = [];
      let cursor: string | null = null;
      for (let at = 0; at < ORDER_PAGES; at += 1) {
        const after: string = cursor === null ? "" : `&cursor=${of(cursor)}`;
        const path = `/api/bots/${of(bot_id)}/orders?run_id=${of(run_id)}&limit=200${after}`;
        const answer: Awaited<ReturnType<typeof page.botOrdersPage>> = await get(page.botOrdersPage, path);
        found.push(...answer.unanswered, ...answer.orders);
        cursor = answer.next_cursor;
        if (cursor === null) break;
      }
      return { orders: found, complete: cursor === null };
    },
    intentsOf: (bot_id: string, limit: number) =>
      get(page.botIntentsPage, `/api/intents?bot_id=${of(bot_id)}&limit=${limit}`),
    leasesOf: (bot_id: string) => get(page.leasesAnswer, `/api/leases?bot_id=${of(bot_id)}`),
    inspect: (bot_id: string) => get(runs.inspectAnswer, `/api/instances/${of(bot_id)}/inspect`),
    stopsOf: (bot_id: string) => get(runs.attestationsAnswer, `/api/attestations?bot_id=${of(bot_id)}&limit=5`),
    admissionsOf: (bot_id: string) => get(runs.admissionsAnswer, `/api/admissions?bot_id=${of(bot_id)}&limit=1`),
    lineage: (bot_id: string) => get(runs.lineageAnswer, `/api/bots/${of(bot_id)}/lineage`),
    trace: (id: string) => get(runs.traceAnswer, `/api/trace/${of(id)}`),
    /** Asks a bot to change its state, from the state that the person saw. */
    move: (bot: Pick<answers.Bot, "bot_id" | "state">, to: answers.BotState, wish: Wish) =>
      post("/api/commands", transition(bot, to, wish)),
    tryMove: async (bot: Pick<answers.Bot, "bot_id" | "state">, to: answers.BotState, wish: Wish) =>
      answers.dryRun(await post("/api/commands", { ...transition(bot, to, wish), dry_run: true }), "/api/commands"),
    applyConfig: (bot_id: string, config: Body, at: ConfigMoment, { id, reason }: Wish) =>
      post(`/api/bots/${of(bot_id)}/config/apply`, { command_id: id, config, at, reason }),
    tryConfig: async (bot_id: string, config: Body, at: ConfigMoment, { id, reason }: Wish) => {
      const path = `/api/bots/${of(bot_id)}/config/apply`;
      return answers.dryRun(await post(path, { command_id: id, config, at, reason, dry_run: true }), path);
    },
  };
}

function transition(bot: Pick<answers.Bot, "bot_id" | "state">, to: answers.BotState, wish: Wish): Body {
  return {
    command_id: wish.id,
    target: { bot_id: bot.bot_id },
    requested_transition: { from: bot.state, to },
    reason: wish.reason,
    // The same wish has to be the same request when it is sent again.
    trace_id: wish.id,
    run_id: wish.id,
    schema_version: 1,
  };
}
