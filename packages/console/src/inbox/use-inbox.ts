/** Reads everything that may need a person, as far as one may read it, and keeps it current. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useConsole } from "../context.ts";
import { useChallenges, useCodeRuns, useGates, useHolds, useSessions, useStaged } from "../control-queries.ts";
import { useMay } from "../may.ts";
import { useBots } from "../queries.ts";
import {
  botItems,
  challengeItems,
  changeItems,
  controlItems,
  driftItems,
  flowItems,
  inOrder,
  packItems,
  requestItems,
  runItems,
  stagedItems,
  stopItems,
  supplyItems,
  type Item,
} from "./items.ts";

const EVERY_MS = 10_000;

export type Inbox = {
  readonly items: readonly Item[];
  /** Something was not read yet, so that nothing waiting is no promise. */
  readonly isWhole: boolean;
  readonly problem: Error | null;
};

/** An event about what `key` names makes it stale. */
type Source = {
  readonly query: string;
  readonly key: readonly string[];
  readonly read: () => Promise<readonly Item[]>;
};

export function useInbox(): Inbox {
  const { api } = useConsole();
  const may = useMay();
  const sources: readonly Source[] = [
    {
      query: "changes.list",
      key: ["changes"],
      read: async () => changeItems((await api.openChanges()).changes),
    },
    { query: "drift.list", key: ["drift"], read: async () => driftItems((await api.openDrift()).drift) },
    {
      query: "attestations.list",
      key: ["stops"],
      read: async () => stopItems((await api.unprovenStops()).attestations, Date.now()),
    },
    {
      query: "supply_chain.reports",
      key: ["packs", "supply"],
      read: async () => supplyItems((await api.supplyReports()).reports),
    },
    {
      query: "flows.approvals",
      key: ["flows", "approvals"],
      read: async () => flowItems((await api.openFlowApprovals()).approvals),
    },
    {
      query: "capability.requests",
      key: ["packs", "capability"],
      read: async () => requestItems((await api.capabilityRequests()).requests, "inbox_capability"),
    },
    {
      query: "pip.requests",
      key: ["packs", "pip"],
      read: async () => requestItems((await api.pipRequests()).requests, "inbox_pip"),
    },
  ];
  const packs = useQuery({
    queryKey: ["packs", "inbox"],
    queryFn: async () => packItems((await api.packs()).packs),
    enabled: may.ask("packs.list"),
    refetchInterval: EVERY_MS,
  });
  const read = useQueries({
    queries: sources.map(({ query, key, read }) => ({
      queryKey: [...key, "inbox"],
      queryFn: read,
      enabled: may.ask(query),
      refetchInterval: EVERY_MS,
      retry: false,
    })),
  });
  const [bots, challenges, staged, runs] = [useBots(), useChallenges(), useStaged(), useCodeRuns()];
  const [gates, holds, sessions] = [useGates(), useHolds(), useSessions()];
  const all = [packs, ...read, bots, challenges, staged, gates, holds, sessions];
  const items = [
    ...challengeItems(challenges.data ?? []),
    ...stagedItems(staged.data ?? []),
    ...botItems(bots.data ?? []),
    ...runItems(runs.data ?? []),
    ...controlItems({ gates: gates.data ?? [], holds: holds.data ?? [], sessions: sessions.data ?? [] }),
    ...(packs.data ?? []),
    ...read.flatMap(({ data }) => data ?? []),
  ];
  return {
    items: inOrder(items),
    isWhole: all.every(({ isLoading }) => !isLoading),
    problem: all.find(({ error }) => error !== null)?.error ?? null,
  };
}
