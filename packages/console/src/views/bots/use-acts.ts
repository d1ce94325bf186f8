/** Which acts somebody is offered for a bot: its state allows them, one may ask for them, and its venue can take them. */
import { useMemo } from "react";
import type { Bot, Venue } from "../../answers/answers.ts";
import { useMay } from "../../may.ts";
import { ACTS, type Act } from "./states.ts";

export function useActs(venues: readonly Venue[] | undefined): {
  readonly actsOf: (bot: Bot) => readonly Act[];
  readonly mayBulk: boolean;
} {
  const may = useMay();
  const [ask, tighten] = [may.ask("commands.submit"), may.tighten("commands.submit")];
  const [dangerous, mayBulk] = [may.dangerous("commands.submit"), may.tighten("bulk.start")];
  return useMemo(() => {
    const outside = new Set((venues ?? []).filter(({ kind }) => kind === "venue_sim").map(({ venue_id }) => venue_id));
    const known = new Map<string, readonly Act[]>();
    const actsOf = (bot: Bot): readonly Act[] => {
      const isOutside = outside.has(bot.spec.venue);
      const key = `${bot.state} ${String(isOutside)}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const acts = ACTS[bot.state].filter(({ to, isDangerous }) => {
        if (!(isDangerous ? dangerous : to.startsWith("RUNNING") ? ask : tighten)) return false;
        return to === "RUNNING_LIVE" ? isOutside : to !== "RUNNING_PAPER" || !isOutside;
      });
      known.set(key, acts);
      return acts;
    };
    return { actsOf, mayBulk };
  }, [venues, ask, tighten, dangerous, mayBulk]);
}
