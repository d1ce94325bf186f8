/**
 * What the preview of an act on a pack says, put into words: what changes from what to what, and what else it touches. Pure.
 *
 * A preview may gain members at any time: what is not known here is no word, and stands in the whole answer below.
 */
import type { Word } from "../../i18n.ts";

export type Change = { readonly word: Word; readonly before: string | null; readonly after: string | null };
export type Sentence = {
  readonly word: Word;
  readonly values: Readonly<Record<string, string | number>>;
  /** Worth a second look. */
  readonly isGrave: boolean;
};
export type Told = {
  readonly changes: readonly Change[];
  readonly sentences: readonly Sentence[];
  /** What a pack loses, each in a line. */
  readonly lost: readonly string[] | null;
};

type Preview = Readonly<Record<string, unknown>>;

export function toldOf(preview: Preview): Told {
  return { changes: changesIn(preview), sentences: sentencesIn(preview), lost: lostIn(preview["revokes"]) };
}

function changesIn(preview: Preview): readonly Change[] {
  const isRemoval = "revokes" in preview;
  const was = (name: string): string | null =>
    textIn(preview[`approved_${name}`]) ?? textIn(preview[`installed_${name}`]);
  const version: Change = { word: "version", before: was("version"), after: textIn(preview["version"]) };
  const digest: Change = isRemoval
    ? { word: "approved_digest", before: textIn(preview["digest"]), after: null }
    : { word: "bytes_of", before: was("digest"), after: textIn(preview["digest"]) };
  return [version, digest].filter(({ before, after }) => before !== null || after !== null);
}

function sentencesIn(preview: Preview): readonly Sentence[] {
  const { files, bytes, keys, deletes } = preview;
  const said: Sentence[] = [];
  const say = (word: Word, values: Sentence["values"] = {}, isGrave = false): void =>
    void said.push({ word, values, isGrave });
  if (typeof files === "number" && typeof bytes === "number") say("told_size", { files, bytes });
  if (typeof keys === "number" && typeof bytes === "number") say("told_holds", { keys, bytes }, keys > 0);
  if (typeof deletes === "string") say("told_deletes", { what: deletes });
  const named = (member: string, some: Word, none: Word): void => {
    const names = textsIn(preview[member]);
    if (names === null) return;
    if (names.length === 0) say(none);
    else say(some, { count: names.length, names: names.join(", ") }, true);
  };
  named("live_bots", "told_live_bots", "told_no_live_bots");
  named("live_bots_that_need_it", "told_need", "told_no_need");
  named("bots", "told_bots", "told_no_bots");
  named("shared_with", "told_shared", "told_not_shared");
  return said;
}

function lostIn(revokes: unknown): readonly string[] | null {
  if (!Array.isArray(revokes)) return null;
  return revokes.flatMap((one: unknown) => {
    if (typeof one !== "object" || one === null) return [];
    const { resource_type, resource_id, permission } = one as Readonly<Record<string, unknown>>;
    const what = textIn(permission) ?? textIn(resource_type);
    return what === null ? [] : [`${what} · ${textIn(resource_id) ?? "?"}`];
  });
}

const textIn = (value: unknown): string | null => (typeof value === "string" ? value : null);

function textsIn(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((one: unknown) => typeof one === "string") ? value : null;
}
