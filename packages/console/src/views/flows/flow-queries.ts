/** What the pages of flows read; an event about a flow makes all of it stale. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import { flowCalls, type FlowCalls } from "../../api/flows.ts";
import { useConsole } from "../../context.ts";

const EVERY_MS = 5_000;

export function useFlowCalls(): FlowCalls {
  const { api } = useConsole();
  return useMemo(() => flowCalls(api.call), [api]);
}

export function useOfFlows<T>(
  part: readonly string[],
  read: (calls: FlowCalls) => Promise<T>,
  every_ms: number | false = EVERY_MS,
): UseQueryResult<T> {
  const calls = useFlowCalls();
  return useQuery({ queryKey: ["flows", ...part], queryFn: () => read(calls), refetchInterval: every_ms });
}
