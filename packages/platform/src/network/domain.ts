/**
 * Names of hosts as grants and requests write them, brought to one form: lower case, no dot at the end, ASCII (IDNA).
 *
 * How to think: a name that could mean this machine or its own network is refused before anything else is asked, whichever
 * way it is written; an address is never a name. What is left is compared letter by letter.
 *
 * Invariants (domain.test.ts): two spellings of one host have one form; no address, however written, is a name.
 */
import { domainToASCII } from "node:url";
import { err, ok, type Result } from "@rumi/kernel";

export type DomainProblem = {
  /** `internal`: it means this machine, its network, or an address; `malformed`: it is no name of a host. */
  readonly kind: "internal" | "malformed";
  readonly problem: string;
};

/** RFC 1035: characters of a whole name. */
export const DOMAIN_CHARACTERS_MAX = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const WRITTEN = /^[\p{L}\p{M}\p{N}._-]+$/u;
const NUMBER = /^(\d+|0x[0-9a-f]*)$/;
/** Names that lead to this machine or stay inside a network; everything below them too. */
const INTERNAL_ZONES: readonly string[] = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "intranet",
  "private",
  "lan",
  "home",
  "corp",
  "home.arpa",
  "in-addr.arpa",
  "ip6.arpa",
];

/** The one form of a host's name, without a wildcard. */
export function hostForm(written: string): Result<string, DomainProblem> {
  if (/[:[\]]/.test(written)) return internal("an address, or a name with a port, is not a name");
  if (!WRITTEN.test(written)) return malformed("it holds a character that no name of a host has");
  const name = domainToASCII(written).toLowerCase().replace(/\.$/, "");
  if (name === "") return malformed("it is no name that can be looked up");
  if (name.length > DOMAIN_CHARACTERS_MAX) return malformed(`it is longer than ${DOMAIN_CHARACTERS_MAX} characters`);
  const labels = name.split(".");
  if (!labels.every((label) => LABEL.test(label))) return malformed("a part of it is empty, too long or not plain");
  if (NUMBER.test(labels.at(-1) ?? "")) return internal("an address is not a name");
  if (INTERNAL_ZONES.some((zone) => name === zone || name.endsWith(`.${zone}`)))
    return internal("it stays inside this machine or its network");
  if (labels.length < 2) return internal("a name without a dot is one of the own network");
  return ok(name);
}

/** The one form of an entry of a grant: a name, or `*.` and a name of at least two parts. */
export function patternForm(written: string): Result<string, DomainProblem> {
  if (!written.startsWith("*")) return hostForm(written);
  if (!written.startsWith("*.")) return malformed("a wildcard stands alone before the first dot");
  const below = hostForm(written.slice(2));
  return below.ok ? ok(`*.${below.value}`) : below;
}

/** Whether an entry covers a name; both in their one form. `*.d` covers `d` and all below it. */
export function covers(pattern: string, name: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === name;
  const below = pattern.slice(2);
  return name === below || name.endsWith(`.${below}`);
}

function internal(problem: string): Result<never, DomainProblem> {
  return err({ kind: "internal", problem });
}

function malformed(problem: string): Result<never, DomainProblem> {
  return err({ kind: "malformed", problem });
}
