/**
 * One record in the OSV format (https://ossf.github.io/osv-schema/), as far as it concerns npm, PyPI and crates.io.
 *
 * How to think: the format is open, so fields that are not read are let be; but what is read has the form that the format
 * gives it, or the record is refused: half of a warning is none.
 */
import { isRecord, type JsonRecord, type JsonValue } from "../json.ts";
import type { Ecosystem } from "../locks/component.ts";
import { pypiName } from "../locks/purl.ts";
import type { Range, RangeEvent } from "./versions.ts";

export type Affected = {
  readonly ecosystem: Ecosystem;
  /** As lock files are read: PyPI's normalised. */
  readonly name: string;
  readonly versions: readonly string[];
  readonly ranges: readonly Range[];
  /** Ranges over git commits were all it had. */
  readonly git_only: boolean;
  readonly vectors: readonly string[];
  readonly words: readonly string[];
};

export type Advisory = {
  readonly id: string;
  readonly aliases: readonly string[];
  /** RFC 3339, UTC, to the microsecond. */
  readonly modified: string;
  readonly withdrawn: boolean;
  readonly affected: readonly Affected[];
  readonly git_ranges: number;
};

const ECOSYSTEMS: Readonly<Record<string, Ecosystem>> = { npm: "npm", PyPI: "PyPI", "crates.io": "crates.io" };
const ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/;

class Wrong extends Error {}

/** The advisory, or what is wrong with the record. */
export function readAdvisory(value: JsonValue): Advisory | string {
  try {
    return advisoryOf(value);
  } catch (cause) {
    if (cause instanceof Wrong) return cause.message;
    throw cause;
  }
}

function advisoryOf(value: JsonValue): Advisory {
  if (!isRecord(value)) throw new Wrong("it is no object");
  const id = value["id"];
  if (typeof id !== "string" || !ID.test(id)) throw new Wrong("it has no id");
  const modified = timeOf(value["modified"]);
  if (modified === undefined) throw new Wrong("modified is no time");
  const withdrawn = value["withdrawn"] ?? null;
  if (withdrawn !== null && timeOf(withdrawn) === undefined) throw new Wrong("withdrawn is no time");
  const own = { vectors: vectorsOf(value), words: wordsOf(value) };
  let git_ranges = 0;
  const affected = listOf(value, "affected").flatMap((entry) => {
    if (!isRecord(entry)) throw new Wrong("affected holds no object");
    const read = affectedOf(entry, own);
    git_ranges += read.git_ranges;
    return read.affected ?? [];
  });
  return {
    id: kept(id),
    aliases: textsOf(value, "aliases"),
    modified,
    withdrawn: withdrawn !== null,
    affected,
    git_ranges,
  };
}

type Rated = Pick<Affected, "vectors" | "words">;

function affectedOf(
  entry: JsonRecord,
  above: Rated,
): { readonly affected: Affected | undefined; readonly git_ranges: number } {
  const all = listOf(entry, "ranges").map((range) => {
    if (!isRecord(range)) throw new Wrong("ranges holds no object");
    return range;
  });
  const other = all.filter((range) => range["type"] !== "GIT");
  const git_ranges = all.length - other.length;
  const named = entry["package"] ?? null;
  if (named === null) return { affected: undefined, git_ranges };
  if (!isRecord(named)) throw new Wrong("package is no object");
  const { name, ecosystem } = named;
  if (typeof name !== "string" || typeof ecosystem !== "string") throw new Wrong("package has no name or ecosystem");
  const bare = ecosystem.split(":")[0] ?? "";
  const known = Object.hasOwn(ECOSYSTEMS, bare) ? ECOSYSTEMS[bare] : undefined;
  if (known === undefined) return { affected: undefined, git_ranges };
  const versions = textsOf(entry, "versions");
  const affected: Affected = {
    ecosystem: known,
    name: kept(known === "PyPI" ? pypiName(name) : name),
    versions,
    ranges: other.map(rangeOf),
    git_only: other.length === 0 && versions.length === 0 && git_ranges > 0,
    vectors: [...vectorsOf(entry), ...above.vectors],
    words: [...wordsOf(entry), ...above.words],
  };
  return { affected, git_ranges };
}

const KINDS = ["introduced", "fixed", "last_affected", "limit"] as const;

/** A type of range that is not known has no events that could be read, so it cannot be decided. */
function rangeOf(range: JsonRecord): Range {
  const type = range["type"];
  if (typeof type !== "string") throw new Wrong("a range has no type");
  const events = listOf(range, "events").flatMap((event): readonly RangeEvent[] => {
    if (!isRecord(event)) throw new Wrong("events holds no object");
    const found = KINDS.flatMap((kind) => {
      const version = event[kind];
      if (version === undefined) return [];
      if (typeof version !== "string") throw new Wrong(`${kind} is no text`);
      return [{ kind, version: kept(version) }];
    });
    if (found.length === 0) throw new Wrong("an event says nothing that is known");
    return found;
  });
  return { events: type === "SEMVER" || type === "ECOSYSTEM" ? events : [] };
}

/** In one form, so that times compare as texts. Databases write year 1 for "never", which is before what we count in. */
function timeOf(value: JsonValue | undefined): string | undefined {
  if (typeof value !== "string") return undefined;
  const [, seconds, fraction = ""] = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/.exec(value) ?? [];
  if (seconds === undefined) return undefined;
  const at_ms = Date.parse(`${seconds}Z`);
  // Date.parse rolls 30 February over into March.
  if (Number.isNaN(at_ms) || !new Date(at_ms).toISOString().startsWith(seconds)) return undefined;
  return `${seconds}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}

/** A copy: a piece of a text keeps the whole text alive, prose and all. */
const kept = (text: string): string => ` ${text}`.slice(1);

function listOf(of: JsonRecord, field: string): readonly JsonValue[] {
  const value = of[field] ?? [];
  if (!Array.isArray(value)) throw new Wrong(`${field} is no list`);
  return value as readonly JsonValue[];
}

function textsOf(of: JsonRecord, field: string): readonly string[] {
  return listOf(of, field).map((text) => {
    if (typeof text !== "string") throw new Wrong(`${field} holds something that is no text`);
    return kept(text);
  });
}

function vectorsOf(of: JsonRecord): readonly string[] {
  return listOf(of, "severity").flatMap((rating) => {
    const score = isRecord(rating) ? rating["score"] : undefined;
    return typeof score === "string" ? [kept(score)] : [];
  });
}

/** The word that databases put beside the format's own fields. */
function wordsOf(of: JsonRecord): readonly string[] {
  return ["database_specific", "ecosystem_specific"].flatMap((field) => {
    const more = of[field];
    const word = isRecord(more) ? more["severity"] : undefined;
    return typeof word === "string" ? [kept(word)] : [];
  });
}

/** The time that a directory's own index.json states: `{"fetched_at": "…"}`. */
export function readIndex(value: JsonValue): { readonly fetched_at: string } | string {
  const fetched_at = isRecord(value) && Object.keys(value).length === 1 ? timeOf(value["fetched_at"]) : undefined;
  return fetched_at === undefined ? 'it is not {"fetched_at": "<time>"}' : { fetched_at };
}
