/**
 * Whether a changelog says something (L-12). Pure.
 *
 * How to think: a version of a bot bears the reason for which it was made; that is its changelog, unless a fuller one was
 * written down for it. A machine cannot judge whether it is true, but it sees when nothing is said: no words, only words
 * that fit every change, only a version, a link or a name, the very text of the version before. Tricks of writing (signs
 * without a shape, wide or look-alike letters, marks) are taken away before anything is compared.
 *
 * Invariants (changelog.test.ts)
 * - A text of nothing but empty words is refused, in whatever letters and spaces it is written.
 * - Whoever names what is changed in a short sentence is not refused, in a language with or without spaces.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { EMPTY_PHRASES, EMPTY_WORDS, LOOK_ALIKES } from "./words.ts";

export const CHANGELOG_LIMITS = {
  /** Words that say something, each counted once. */
  min_words: 3,
  /** Of a script without spaces: so many different letters are one word. */
  letters_per_word: 2,
  max_characters: 4_096,
} as const;

export type ChangelogText = {
  readonly text: string;
  /** Of the version before; undefined for the first one. */
  readonly previous: string | undefined;
  /** Names that say nothing of a change: the bot's, its strategy's, its pack's. */
  readonly names: readonly string[];
};

export type ChangelogProblem =
  | "it is empty"
  | "it only says that something changed, not what"
  | "it is the one of the version before";

export function judgeChangelog(bot_id: string, changelog: ChangelogText): Result<null, Failure> {
  const problem = problemOf(changelog);
  return problem === undefined
    ? ok(null)
    : err(failure("RUMI-BOT-086", { bot_id, problem }, { reasonCode: "L.CHANGELOG.REFUSED" }));
}

export function problemOf({ text, previous, names }: ChangelogText): ChangelogProblem | undefined {
  const plain = plainOf(text);
  if (!/[\p{L}\p{N}]/u.test(plain)) return "it is empty";
  const without = names.map(plainOf).reduce((rest, name) => (name === "" ? rest : rest.replaceAll(name, " ")), plain);
  if (wordsIn(without) < CHANGELOG_LIMITS.min_words) return "it only says that something changed, not what";
  return previous !== undefined && comparable(previous) === comparable(text)
    ? "it is the one of the version before"
    : undefined;
}

/** Lower case, one form of each letter, without marks and without signs that have no shape. */
function plainOf(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u115F\u1160\u3164\uFFA0]/gu, (sign) => (/\s/u.test(sign) ? " " : ""))
    .normalize("NFC")
    .toLowerCase();
}

/** Links, versions, tickets and hashes name a change and do not say it. */
const NAMES_OF_CHANGES =
  /\b(?:https?|ftp):\/\/\S+|\bv?\d+(?:\.\d+)+(?:[-+][\w.-]+)?\b|\bv\d+\b|\b[a-z]{2,}-\d+\b|#\d+|\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b/gu;

const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/** How many words say something; all numbers together are one. */
function wordsIn(plain: string): number {
  const said = plain.replace(NAMES_OF_CHANGES, " ");
  // The phrases are compared in the form that marks were taken from.
  const rest = EMPTY_PHRASES.map(plainOf).reduce((left, phrase) => left.replaceAll(phrase, " "), said);
  const letters = new Set(rest.match(UNSPACED) ?? []);
  const words = new Set(rest.replace(UNSPACED, " ").match(/\p{L}+/gu) ?? []);
  const telling = [...words].filter(tells).length;
  const number = /(?<!\p{L})\d+(?!\p{L})/u.test(said) ? 1 : 0;
  return telling + number + Math.floor(letters.size / CHANGELOG_LIMITS.letters_per_word);
}

function tells(word: string): boolean {
  const letters = Array.from(word);
  if (letters.length < 2 || new Set(letters).size === 1) return false;
  const isLatin = letters.filter((letter) => /\p{Script=Latin}/u.test(letter)).length;
  // Letters of two alphabets in one word are a disguise.
  if (isLatin > 0 && isLatin < letters.length) return false;
  return (
    !EMPTY_WORDS.has(word) && !EMPTY_WORDS.has(letters.map((letter) => LOOK_ALIKES.get(letter) ?? letter).join(""))
  );
}

/** What two changelogs are compared by: their letters and numbers, without the names of the changes. */
function comparable(text: string): string {
  return plainOf(text)
    .replace(NAMES_OF_CHANGES, " ")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
