/**
 * What the page keeps reading, and which change of the feed makes which of it stale.
 *
 * The feed only says that something changed; what is shown is always read from the API, so that a lost event costs
 * a moment and never a wrong number.
 */
import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import type { Bot, Instance, Position, SafetyState, Venue } from "./answers/answers.ts";
import { useConsole } from "./context.ts";
import { keepingSame } from "./live/fleet.ts";
import type { LogVerdict } from "./verify/log-verifier.ts";

export const QUERY_KEYS = [
  "safety",
  "bots",
  "bot",
  "instances",
  "positions",
  "fills",
  "orders",
  "intents",
  "leases",
  "audit",
  "packs",
  "venues",
  "log",
  "me",
  "killswitch",
  "gates",
  "holds",
  "sessions",
  "challenges",
  "staged",
  "bulks",
  "users",
  "stops",
  "inspect",
  "bundles",
  "runs",
  "flows",
  "changes",
  "drift",
] as const;
export type QueryKey = (typeof QUERY_KEYS)[number];

/** Without any event everything is read again after this, so that a silent feed cannot freeze the page. */
const SLOW_MS = 5_000;
const SAFETY_MS = 2_000;
/** A large fleet is read as a whole less often; its changes are read one by one as they are told. */
const SLOW_MS_PER_BOT = 6;

export function queriesTouchedBy(kind: string): readonly QueryKey[] {
  if (kind.includes(".")) return [...auditTouches(kind), "audit", "log"];
  switch (kind) {
    case "fill":
      return ["positions", "fills", "orders", "instances"];
    case "order":
      return ["orders"];
    case "position":
      return ["positions"];
    case "bot":
      return ["bots", "bot", "instances"];
    case "health":
    case "run":
      return ["instances", "bot"];
    case "safety":
      return ["safety"];
    case "killswitch":
      return ["killswitch"];
    case "gate":
      return ["gates"];
    case "hold":
      return ["holds"];
    case "intent":
      return ["staged"];
    case "support_bundle":
      return ["bundles"];
    case "code_run":
      return ["runs"];
    default:
      return [];
  }
}

/** Audit events carry their action as kind: `pack.approved`, `bot.created`, `venue.registered`. */
const TOUCHED: Readonly<Record<string, readonly QueryKey[]>> = {
  pack: ["packs"],
  bot: ["bots", "bot"],
  venue: ["venues"],
  safety: ["safety"],
  execution: ["killswitch"],
  gate: ["gates"],
  freeze: ["holds"],
  incident: ["holds"],
  lock: ["holds"],
  dangerous_op: ["challenges"],
  break_glass: ["sessions"],
  bulk: ["bulks"],
  operator: ["users", "me"],
  token: ["users"],
  policy: ["me"],
  instance: ["stops", "instances", "leases"],
  lease: ["leases"],
  intent: ["staged"],
  support_bundle: ["bundles"],
  audit: ["safety", "killswitch"],
  run: ["runs"],
  candidate: ["packs"],
  permission: ["packs"],
  capability: ["packs"],
  secret: ["packs"],
  lib: ["packs"],
  network: ["packs"],
  privilege: ["packs"],
  supply_chain: ["packs"],
  override: ["packs"],
  store: ["packs"],
  unit: ["packs"],
  shared_dict: ["packs"],
  flow: ["flows"],
  python_file_call: ["flows"],
  modifier: ["flows"],
  change: ["changes"],
  drift: ["drift"],
};

function auditTouches(action: string): readonly QueryKey[] {
  return TOUCHED[action.split(".")[0] ?? ""] ?? [];
}

export function useSafety(): UseQueryResult<SafetyState> {
  const { api } = useConsole();
  return useQuery({
    queryKey: ["safety"],
    queryFn: api.safety,
    refetchInterval: SAFETY_MS,
    refetchIntervalInBackground: true,
    retry: false,
  });
}

/** All of them, by id. The first pages are shown while the others are still read. */
export function useBots(): UseQueryResult<readonly Bot[]> {
  const { api } = useConsole();
  const queries = useQueryClient();
  return useQuery({
    queryKey: ["bots"],
    queryFn: () => {
      const isFirst = queries.getQueryData(["bots"]) === undefined;
      return api.allBots((some) => {
        if (isFirst) queries.setQueryData(["bots"], some);
      });
    },
    structuralSharing: (before, now) => keepingSame(before as readonly Bot[] | undefined, now as readonly Bot[]),
    refetchInterval: ({ state }) => Math.max(SLOW_MS, (state.data?.length ?? 0) * SLOW_MS_PER_BOT),
  });
}

export function useInstances(): UseQueryResult<readonly Instance[]> {
  const { api } = useConsole();
  return useQuery({
    queryKey: ["instances"],
    queryFn: async () => (await api.instances()).instances,
    refetchInterval: SAFETY_MS,
  });
}

export function usePositions(): UseQueryResult<readonly Position[]> {
  const { api } = useConsole();
  return useQuery({
    queryKey: ["positions"],
    queryFn: async () => (await api.positions()).positions,
    refetchInterval: SLOW_MS,
  });
}

export function useVenues(): UseQueryResult<readonly Venue[]> {
  const { api } = useConsole();
  return useQuery({
    queryKey: ["venues"],
    queryFn: async () => (await api.venues()).venues,
    refetchInterval: 2 * SLOW_MS,
  });
}

export function useLogVerdict(): UseQueryResult<LogVerdict> {
  const { log } = useConsole();
  return useQuery({ queryKey: ["log"], queryFn: () => log.verify(), refetchInterval: SLOW_MS });
}

/** The environment is part of the log's name, and the log's name is signed. */
export function environmentOf(verdict: LogVerdict | undefined): string | null {
  return verdict?.kind === "verified" ? (verdict.origin.split("/").at(-2) ?? null) : null;
}
