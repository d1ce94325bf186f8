/**
 * The order of versions in each ecosystem, and whether an OSV range holds one.
 *
 * How to think: a range is a line of events; each one switches "affected" on or off from its version on. What cannot be
 * compared is not decided, and whoever asks takes it to apply: an unreadable version is never a reason to pass.
 *
 * Invariants (versions.test.ts)
 * - npm and crates.io compare as SemVer 2.0.0, PyPI as PEP 440; a local version counts with and without its label.
 * - Events at the same version count in the order in which they are written.
 */
import { compare as comparePep440, parse as parsePep440 } from "@renovatebot/pep440";
import { compare as compareSemver, parse as parseSemver } from "semver";
import type { Ecosystem } from "../locks/component.ts";

export type RangeEvent = {
  readonly kind: "introduced" | "fixed" | "last_affected" | "limit";
  readonly version: string;
};
export type Range = { readonly events: readonly RangeEvent[] };

type Order = {
  /** The version as `compare` takes it; undefined where the ecosystem knows no such version. */
  readonly read: (text: string) => string | undefined;
  readonly compare: (a: string, b: string) => number;
  /** All the versions that one text stands for. */
  readonly forms: (text: string) => readonly string[];
};

const semver: Order = {
  read: (text) => parseSemver(padded(text), { loose: true })?.format(),
  compare: (a, b) => compareSemver(a, b),
  forms: (text) => [text],
};
const pep440: Order = {
  read: (text) => (parsePep440(text) === null ? undefined : text.trim()),
  compare: comparePep440,
  // 2.1.0+cu118 is 2.1.0 built elsewhere: it has what 2.1.0 has.
  forms: (text) => (text.includes("+") ? [text, text.slice(0, text.indexOf("+"))] : [text]),
};
const ORDERS: Readonly<Record<Ecosystem, Order>> = { npm: semver, "crates.io": semver, PyPI: pep440 };

/** Advisories write `4.17` and `1` for 4.17.0 and 1.0.0. */
function padded(text: string): string {
  const [, numbers = "", rest = ""] = /^v?(\d+(?:\.\d+)?)([-+].*)?$/.exec(text) ?? [];
  return numbers === "" ? text : `${numbers}${numbers.includes(".") ? ".0" : ".0.0"}${rest}`;
}

/** Whether one of the listed versions is this one, however it is written. */
export function isListed(ecosystem: Ecosystem, version: string, listed: readonly string[]): boolean {
  if (listed.includes(version)) return true;
  const order = ORDERS[ecosystem];
  const own = order.forms(version).flatMap((form) => order.read(form) ?? []);
  return listed.some((text) => {
    const other = order.read(text);
    return other !== undefined && own.some((form) => order.compare(form, other) === 0);
  });
}

export type Held = "held" | "free" | "undecidable";

export function holds(ecosystem: Ecosystem, version: string, { events }: Range): Held {
  const order = ORDERS[ecosystem];
  const read = events.map(({ kind, version: text }) => ({ kind, at: readEvent(order, kind, text) }));
  const own = order.forms(version).map((form) => order.read(form));
  const isKnown = read.every(({ at }) => at !== undefined) && own.every((form) => form !== undefined);
  if (!isKnown || !events.some(({ kind }) => kind === "introduced")) return "undecidable";
  const line = read.flatMap(({ kind, at }) => (at === undefined ? [] : [{ kind, at }]));
  return own.some((form) => form !== undefined && isHeld(order, form, line)) ? "held" : "free";
}

const LOWEST = "before every version";
const HIGHEST = "after every version";
/** A version, or one of the two ends, which no ecosystem takes for a version. */
type Point = { readonly kind: RangeEvent["kind"]; readonly at: string };

function readEvent(order: Order, kind: RangeEvent["kind"], text: string): Point["at"] | undefined {
  if (kind === "introduced" && text === "0") return LOWEST;
  if (kind === "limit" && text === "*") return HIGHEST;
  return order.read(text);
}

function comparePoints(order: Order, a: Point["at"], b: Point["at"]): number {
  if (a === b) return 0;
  if (a === LOWEST || b === HIGHEST) return -1;
  if (b === LOWEST || a === HIGHEST) return 1;
  return order.compare(a, b);
}

function isHeld(order: Order, version: string, line: readonly Point[]): boolean {
  const limits = line.filter(({ kind }) => kind === "limit");
  if (limits.length > 0 && !limits.some(({ at }) => comparePoints(order, version, at) < 0)) return false;
  let held = false;
  for (const { kind, at } of line.toSorted((a, b) => comparePoints(order, a.at, b.at))) {
    const order_to_event = comparePoints(order, version, at);
    if (kind === "introduced" && order_to_event >= 0) held = true;
    else if (kind === "fixed" && order_to_event >= 0) held = false;
    else if (kind === "last_affected" && order_to_event > 0) held = false;
  }
  return held;
}

/** Of the versions that mend something, those that are later than this one, lowest first. */
export function laterVersions(ecosystem: Ecosystem, version: string, fixes: readonly string[]): readonly string[] {
  const order = ORDERS[ecosystem];
  const own = order.read(version);
  const known = [...new Set(fixes)].filter((text) => {
    const at = order.read(text);
    return at !== undefined && (own === undefined || order.compare(at, own) > 0);
  });
  return known.toSorted((a, b) => order.compare(order.read(a) ?? a, order.read(b) ?? b));
}
