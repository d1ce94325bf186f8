/**
 * The public API as this page uses it. The page is an ordinary client: it can do nothing that the API does not
 * offer to everybody with the same token.
 *
 * Three things can go wrong and each is its own error: the server refuses (RefusedError), its answer does not fit
 * (ShapeError), it does not answer (whatever fetch throws, after at most TIMEOUT_MS).
 */
import * as answers from "./answers/answers.ts";
import { record, ShapeError, type Shape } from "./answers/shape.ts";

const TIMEOUT_MS = 10_000;
/** Pages of 200 fills that a chart reads at most. */
const CHART_PAGES = 5;

export class RefusedError extends Error {
  readonly refusal: answers.Refusal;
  constructor(refusal: answers.Refusal) {
    super(refusal.error);
    this.refusal = refusal;
  }
}

/** A person's wish; its id is the idempotency key, so that a repeated click never acts twice. */
export type Wish = { readonly id: string; readonly reason: string };

export type Api = ReturnType<typeof createApi>;

export function createApi(token: string, language: string) {
  const call = async <T>(
    shape: Shape<T>,
    method: "GET" | "POST",
    path: string,
    sent?: { readonly body: Readonly<Record<string, unknown>>; readonly key?: string },
  ): Promise<T> => {
    const response = await fetch(path, {
      method,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        authorization: `Bearer ${token}`,
        "accept-language": language,
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
        ...(sent?.key === undefined ? {} : { "idempotency-key": sent.key }),
      },
      ...(sent === undefined ? {} : { body: JSON.stringify(sent.body) }),
    });
    const answer = record(await json(response, path), path);
    if (!response.ok || answer["success"] !== true) throw new RefusedError(answers.refusal(answer, path));
    return shape(answer["data"], path);
  };
  const get = <T>(shape: Shape<T>, path: string): Promise<T> => call(shape, "GET", path);
  const post = (path: string, body: Readonly<Record<string, unknown>>, key?: string) =>
    call(record, "POST", path, key === undefined ? { body } : { body, key });
  const of = encodeURIComponent;

  return {
    safety: () => get(answers.safetyState, "/api/safety"),
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
    auditTail: () => get(answers.auditPage, "/api/audit/events?limit=50&order=desc"),
    proof: (event_id: string) => get(answers.eventProof, `/api/audit/proof/${of(event_id)}`),
    packs: () => get(answers.packsAnswer, "/api/packs"),
    packStatus: (pack_id: string) => get(answers.packStatus, `/api/packs/${of(pack_id)}/status`),
    venues: () => get(answers.venuesAnswer, "/api/venues"),
    venue: (venue_id: string) => get(answers.venueDetail, `/api/venues/${of(venue_id)}`),
    setSafety: (mode: answers.SafetyMode, { id, reason }: Wish) =>
      post("/api/safety/set", { command_id: id, mode, reason }),
    /** Confirms, with the phrase that the person typed, what they asked for. */
    confirmChallenge: ({ challenge_id, intent_hash }: answers.Challenge, phrase: string, { id, reason }: Wish) =>
      post(`/api/challenges/${of(challenge_id)}/confirm`, { command_id: id, intent_hash, phrase, reason }),
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
    judgePack: (pack_id: string, verdict: "approve" | "reject", { id, reason }: Wish) =>
      post(`/api/packs/${of(pack_id)}/${verdict}`, { reason }, id),
  };
}

async function json(response: Response, path: string): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new ShapeError(path, `JSON with status ${response.status} (${String(cause)})`);
  }
}
