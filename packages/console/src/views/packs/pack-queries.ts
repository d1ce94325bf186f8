/** What the pages of packs read; an event about a pack or its permissions makes all of it stale. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Grant, PackRow } from "../../answers/packs.ts";
import { packCalls, type PackCalls } from "../../api/packs.ts";
import { useConsole } from "../../context.ts";

const EVERY_MS = 10_000;

export function usePackCalls(): PackCalls {
  const { api } = useConsole();
  return useMemo(() => packCalls(api.call), [api]);
}

/** One part of the pages, under its own name below `packs`. */
export function useOfPacks<T>(
  part: readonly (string | number | null)[],
  read: (calls: PackCalls) => Promise<T>,
  over: { readonly enabled?: boolean; readonly every_ms?: number | false } = {},
): UseQueryResult<T> {
  const calls = usePackCalls();
  return useQuery({
    queryKey: ["packs", ...part],
    queryFn: () => read(calls),
    refetchInterval: over.every_ms ?? EVERY_MS,
    enabled: over.enabled ?? true,
  });
}

/** The principals of a pack: itself, and whatever it runs as `parent__child`. */
export function isOfPack({ principal_id }: Pick<Grant, "principal_id">, pack_id: string): boolean {
  return principal_id === pack_id || principal_id.startsWith(`${pack_id}__`);
}

export const isWaiting = ({ state }: Pick<PackRow, "state">): boolean => state === "pending" || state === "modified";

/** Those that wait for a person first. */
export function waitingFirst(a: PackRow, b: PackRow): number {
  return Number(isWaiting(b)) - Number(isWaiting(a)) || a.pack_id.localeCompare(b.pack_id);
}
