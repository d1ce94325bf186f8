/**
 * Takes an instance's own configuration out of what its strategy said when it broke: the journal is kept and shown, and
 * a traceback likes to quote the values it was given (M-14.2).
 *
 * Pure, and the same when it is done twice, because a replay is given what was recorded.
 */
import type { Json, JsonObject } from "@rumi/kernel";

/** Shorter texts and plain numbers are words of the trade, not secrets, and would take sense out of a message. */
const CHARACTERS_MIN = 8;

export function struckOut(text: string, config: JsonObject): string {
  let clean = text;
  for (const [name, value] of textsOf(config, "").toSorted((a, b) => b[1].length - a[1].length))
    clean = clean.replaceAll(value, `[config ${name}]`);
  return clean;
}

function textsOf(value: Json, name: string): readonly (readonly [string, string])[] {
  if (typeof value === "string")
    return value.length >= CHARACTERS_MIN && !/^[\d.-]+$/.test(value) ? [[name, value]] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => textsOf(item, name === "" ? key : `${name}.${key}`));
}
