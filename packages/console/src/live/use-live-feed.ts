/**
 * Follows the server's stream for as long as the page is there.
 *
 * However many events come, the page is told four times a second at most, and each query is read again once a
 * second at most.
 */
import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Api } from "../api.ts";
import { QUERY_KEYS, queriesTouchedBy, type QueryKey } from "../queries.ts";
import { feedRow, fillWords, intentWords, mergeRows, orderWords, type FeedRow } from "./feed-rows.ts";
import { followEvents, type LiveState } from "./stream.ts";

const ROWS_EVERY_MS = 250;
const QUERIES_EVERY_MS = 1_000;

export function useLiveFeed(of: { readonly token: string; readonly api: Api; readonly queries: QueryClient }): {
  readonly live: LiveState;
  readonly rows: readonly FeedRow[];
  /** Why what happened before the page was opened is missing. */
  readonly problem: Error | null;
} {
  const { token, api, queries } = of;
  const [live, setLive] = useState<LiveState>("connecting");
  const [rows, setRows] = useState<readonly FeedRow[]>([]);
  const [problem, setProblem] = useState<Error | null>(null);
  useEffect(() => {
    let fresh: FeedRow[] = [];
    const touched = new Set<QueryKey>();
    const rowsTimer = setInterval(() => {
      if (fresh.length === 0) return;
      const batch = fresh.toReversed();
      fresh = [];
      setRows((before) => mergeRows(before, batch));
    }, ROWS_EVERY_MS);
    const queriesTimer = setInterval(() => {
      for (const key of touched) void queries.invalidateQueries({ queryKey: [key] });
      touched.clear();
    }, QUERIES_EVERY_MS);
    const stop = followEvents({
      token,
      onState: setLive,
      onGap: () => {
        for (const key of QUERY_KEYS) touched.add(key);
      },
      onEvent: (event) => {
        const row = feedRow(event, Date.now());
        if (row !== null) fresh.push(row);
        for (const key of queriesTouchedBy(event.kind)) touched.add(key);
      },
    });
    return () => {
      clearInterval(rowsTimer);
      clearInterval(queriesTimer);
      stop();
    };
  }, [token, queries]);
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
