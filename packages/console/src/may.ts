/**
 * Who one is here and what one may ask for: what one may not is not shown (the server refuses it as well).
 *
 * Where that cannot be found out, nothing is offered but the two tightenings that no policy can forbid.
 */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { Me } from "./answers/people.ts";
import { useConsole } from "./context.ts";

const ME_MS = 15_000;
const ALWAYS: readonly string[] = ["safety.set", "killswitch.set"];

export type May = {
  /** Operations and queries by their names in the API. */
  readonly ask: (operation: string) => boolean;
  /** Stopping, restraining, taking back: no policy keeps anybody from it whose role allows it. */
  readonly tighten: (operation: string) => boolean;
  /** What is dangerous (live, loosening, release) is an administrator's. */
  readonly dangerous: (operation: string) => boolean;
};

export function useMe(): UseQueryResult<Me> {
  const { api } = useConsole();
  return useQuery({ queryKey: ["me"], queryFn: api.me, refetchInterval: ME_MS });
}

export function useMay(): May {
  const { data: me, isError } = useMe();
  const tightened = me?.may_tighten ?? (isError ? ALWAYS : []);
  const ask = (operation: string): boolean => me?.may.includes(operation) === true;
  return {
    ask,
    tighten: (operation) => ask(operation) || tightened.includes(operation),
    dangerous: (operation) => ask(operation) && me?.roles.includes("admin") === true,
  };
}
