/**
 * Follows the server's stream for as long as the page is there.
 *
 * The first event is on the page at once. However many follow, rows are drawn ten times a second at most, and what
 * every fill touches is read again once a second at most.
 */
import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Api } from "../api.ts";
import { QUERY_KEYS, queriesTouchedBy, type QueryKey } from "../queries.ts";
import { feedRow, fillWords, intentWords, mergeRows, orderWords, type FeedRow } from "./feed-rows.ts";
import { botOf, refreshBots } from "./fleet.ts";
import { paced } from "./paced.ts";
import type { LiveEvent } from "./sse.ts";
import { followEvents, type LiveState } from "./stream.ts";

const ROWS_EVERY_MS = 100;
const QUERIES_EVERY_MS = 150;
/** What every fill touches, and what costs more to read. */
const OFTEN: ReadonlySet<QueryKey> = new Set(["positions", "fills", "orders", "instances", "audit", "log", "inspect"]);
const OFTEN_EVERY_MS = 1_000;

export function useLiveFeed(of: {
  readonly token: string;
  readonly api: Api;
  readonly queries: QueryClient;
  /** Is handed every event as it comes. */
  readonly tell: (event: LiveEvent) => void;
}): {
  readonly live: LiveState;
  readonly rows: readonly FeedRow[];
  /** Why what happened before the page was opened is missing. */
  readonly problem: Error | null;
} {
  const { token, api, queries, tell } = of;
  const [live, setLive] = useState<LiveState>("connecting");
  const [rows, setRows] = useState<readonly FeedRow[]>([]);
  const [problem, setProblem] = useState<Error | null>(null);
  useEffect(() => {
    let fresh: FeedRow[] = [];
    const changed = new Set<string>();
    const rowsSoon = paced(() => {
      const batch = fresh.toReversed();
      fresh = [];
      setRows((before) => mergeRows(before, batch));
    }, ROWS_EVERY_MS);
    const read = (key: QueryKey): void => {
      if (key !== "bots") return void queries.invalidateQueries({ queryKey: [key] });
      const ids = new Set(changed);
      changed.clear();
      void refreshBots(queries, api, ids);
    };
    const soon = new Map(
      QUERY_KEYS.map((key) => [key, paced(() => read(key), OFTEN.has(key) ? OFTEN_EVERY_MS : QUERIES_EVERY_MS)]),
    );
    const stop = followEvents({
      token,
      onState: setLive,
      onGap: () => {
        for (const key of QUERY_KEYS) soon.get(key)?.ask();
      },
      onEvent: (event) => {
        tell(event);
        const row = feedRow(event, Date.now());
        if (row !== null) {
          fresh.push(row);
          rowsSoon.ask();
        }
        const bot = botOf(event);
        if (bot !== null) changed.add(bot);
        for (const key of queriesTouchedBy(event.kind)) soon.get(key)?.ask();
      },
    });
    return () => {
      for (const one of [rowsSoon, ...soon.values()]) one.stop();
      stop();
    };
  }, [token, api, queries, tell]);
  useEffect(() => {
    let isCurrent = true;
    readPast(api).then(
      (past) => {
        if (!isCurrent) return;
        setRows((before) => mergeRows(before, past));
        setProblem(null);
      },
      (cause: unknown) => {
        if (isCurrent) setProblem(cause instanceof Error ? cause : new Error(String(cause)));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [api]);
  return { live, rows, problem };
}

async function readPast(api: Api): Promise<readonly FeedRow[]> {
  const [{ fills }, { orders }, { intents }] = await Promise.all([
    api.newestFills(),
    api.newestOrders(),
    api.newestIntents(),
  ]);
  const row = (
    kind: FeedRow["kind"],
    { run_id, seq, bot_id, at_us }: (typeof orders)[number] | (typeof fills)[number] | (typeof intents)[number],
    words: Pick<FeedRow, "words" | "tone">,
  ): FeedRow => ({ key: `${run_id}/${seq}`, kind, bot_id, at_ms: at_us / 1_000, ...words });
  return [
    ...fills.map((one) => row("fill", one, fillWords(one.fill))),
    ...orders.map((one) => row("order", one, orderWords(one.report))),
    ...intents.map((one) => row("intent", one, intentWords(one.intent, one.verdict, one.reason_code))),
  ];
}
