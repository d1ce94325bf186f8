/**
 * What restrains bots and what waits for a person, kept current like everything else (queries.ts).
 *
 * A restraint that cannot be observed is unknown, never the last one that was seen: `seen` is undefined then.
 */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { ChallengeNote, Staged } from "./answers/approvals.ts";
import type { ChangeNote } from "./answers/changes.ts";
import type { CodeRun } from "./answers/code-runs.ts";
import { KILL_LEVELS, type Gate, type Hold, type KillSwitch, type Session } from "./answers/controls.ts";
import type { Bulk } from "./answers/people.ts";
import { useConsole } from "./context.ts";
import type { QueryKey } from "./queries.ts";

const RESTRAINTS_MS = 3_000;
const WAITING_MS = 5_000;

function useKept<T>(key: QueryKey, read: () => Promise<T>, every_ms: number): UseQueryResult<T> {
  return useQuery({
    queryKey: [key],
    queryFn: read,
    refetchInterval: every_ms,
    refetchIntervalInBackground: true,
    retry: false,
  });
}

export function useKillSwitch(): UseQueryResult<KillSwitch> {
  const { api } = useConsole();
  return useKept("killswitch", api.killSwitch, RESTRAINTS_MS);
}

export function useGates(): UseQueryResult<readonly Gate[]> {
  const { api } = useConsole();
  return useKept("gates", async () => (await api.gates()).gates, RESTRAINTS_MS);
}

export function useHolds(): UseQueryResult<readonly Hold[]> {
  const { api } = useConsole();
  return useKept("holds", async () => (await api.holds()).holds, RESTRAINTS_MS);
}

export function useSessions(): UseQueryResult<readonly Session[]> {
  const { api } = useConsole();
  return useKept("sessions", async () => (await api.sessions()).sessions, RESTRAINTS_MS);
}

export function useChallenges(): UseQueryResult<readonly ChallengeNote[]> {
  const { api } = useConsole();
  return useKept("challenges", async () => (await api.challenges()).challenges, WAITING_MS);
}

export function useChanges(): UseQueryResult<readonly ChangeNote[]> {
  const { api } = useConsole();
  return useKept("changes", async () => (await api.changes()).changes, WAITING_MS);
}

export function useStaged(): UseQueryResult<readonly Staged[]> {
  const { api } = useConsole();
  return useKept("staged", async () => (await api.staged()).intents, WAITING_MS);
}

export function useBulks(): UseQueryResult<readonly Bulk[]> {
  const { api } = useConsole();
  return useKept("bulks", async () => (await api.bulks()).bulks, WAITING_MS);
}

/** What can be observed now. */
export function useSeen<T>(query: UseQueryResult<T>): T | undefined {
  const { live } = useConsole();
  return query.isError || live === "lost" ? undefined : query.data;
}

/** The strictest rule first; empty where everything is allowed. */
export function strictestFirst({ rules }: KillSwitch): KillSwitch["rules"] {
  return rules.toSorted((a, b) => KILL_LEVELS.indexOf(b.level) - KILL_LEVELS.indexOf(a.level));
}

export const isWaiting = ({ state }: Pick<ChallengeNote, "state">): boolean =>
  state === "AWAITING_APPROVAL" || state === "AWAITING_CONFIRMATION";

export function useCodeRuns(): UseQueryResult<readonly CodeRun[]> {
  const { api } = useConsole();
  return useKept("runs", async () => (await api.codeRuns()).runs, WAITING_MS);
}
