/** The `rumi` line that does what a page does, quoted for a POSIX shell, so that it can be copied and run as it stands. */

import { quoted } from "./rumi-line.ts";

export type Flags = Readonly<Record<string, string | readonly string[] | null | undefined>>;

/** `rumi packs reject my_pack --reason 'not needed'`; a flag without a value is left out. */
export function commandText(verb: string, names: readonly string[] = [], flags: Flags = {}): string {
  const options = Object.entries(flags).flatMap(([name, value]) => {
    if (value === null || value === undefined || (typeof value !== "string" && value.length === 0)) return [];
    const values = typeof value === "string" ? [value] : value;
    return [`--${name.replaceAll("_", "-")}`, ...values.map(quoted)];
  });
  return ["rumi", verb, ...names.map(quoted), ...options].join(" ");
}
