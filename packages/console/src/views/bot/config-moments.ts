/** When a configuration takes effect in what runs, and what that means. */
import type { ConfigMoment } from "../../api/bots.ts";
import type { Word } from "../../i18n.ts";

export const MOMENTS: Readonly<Record<ConfigMoment, { readonly word: Word; readonly means: Word }>> = {
  next_tick: { word: "at_next_tick", means: "means_next_tick" },
  next_bar: { word: "at_next_bar", means: "means_next_bar" },
  next_checkpoint: { word: "at_next_checkpoint", means: "means_next_checkpoint" },
};

/** Null for what is none. */
export function momentOf(value: unknown): ConfigMoment | null {
  return (Object.keys(MOMENTS) as ConfigMoment[]).find((one) => one === value) ?? null;
}
