/**
 * Advisories by package, and what they say about components. Pure.
 *
 * Invariants (match.test.ts)
 * - A withdrawn advisory finds nothing; of two records with one id the newer counts.
 * - Advisories that are aliases of each other count once for a component, with the worst severity among them.
 * - What cannot be compared is found, as `undecidable`.
 */
import { keyOf, type Component } from "../locks/component.ts";
import type { Finding } from "./finding.ts";
import type { Advisory, Affected } from "./osv.ts";
import { ratingOf, RANK } from "./severity.ts";
import { holds, isListed, laterVersions } from "./versions.ts";

type Entry = { readonly advisory: Advisory; readonly affected: Affected };

export type Shelf = {
  readonly count: number;
  readonly withdrawn: number;
  readonly git_ranges: number;
  readonly newest: string | null;
  readonly match: (components: readonly Component[]) => readonly Finding[];
};

export class ShelfMaker {
  readonly #advisories = new Map<string, Advisory>();

  /** Keeps the newer of two records with one id; of equally new ones the first. */
  add(advisory: Advisory): void {
    const known = this.#advisories.get(advisory.id);
    if (known === undefined || known.modified < advisory.modified) this.#advisories.set(advisory.id, advisory);
  }

  get size(): number {
    return this.#advisories.size;
  }

  make(): Shelf {
    const byPackage = new Map<string, Entry[]>();
    let withdrawn = 0;
    let git_ranges = 0;
    let newest: string | null = null;
    for (const advisory of this.#advisories.values()) {
      git_ranges += advisory.git_ranges;
      if (newest === null || advisory.modified > newest) newest = advisory.modified;
      if (advisory.withdrawn) {
        withdrawn += 1;
        continue;
      }
      for (const affected of advisory.affected) {
        const key = `${affected.ecosystem}:${affected.name}`;
        const entries = byPackage.get(key);
        if (entries === undefined) byPackage.set(key, [{ advisory, affected }]);
        else entries.push({ advisory, affected });
      }
    }
    return { count: this.#advisories.size, withdrawn, git_ranges, newest, match: (of) => matchAll(byPackage, of) };
  }
}

function matchAll(byPackage: ReadonlyMap<string, readonly Entry[]>, of: readonly Component[]): readonly Finding[] {
  return of
    .filter(({ origin }) => origin !== "local")
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .flatMap((component) => {
      const entries = byPackage.get(`${component.ecosystem}:${component.name}`) ?? [];
      const found = entries.flatMap((entry) => findingOf(component, entry) ?? []);
      return folded(found).toSorted((a, b) => (a.advisory_id < b.advisory_id ? -1 : 1));
    });
}

function findingOf(component: Component, { advisory, affected }: Entry): Finding | undefined {
  const applies_by = appliesBy(component, affected);
  if (applies_by === undefined) return undefined;
  const fixes = affected.ranges.flatMap(({ events }) =>
    events.flatMap(({ kind, version }) => (kind === "fixed" ? [version] : [])),
  );
  return {
    advisory_id: advisory.id,
    aliases: advisory.aliases,
    component,
    ...ratingOf(advisory.id, affected.vectors, affected.words),
    fixed_in: laterVersions(component.ecosystem, component.version, fixes),
    withdrawn: false,
    applies_by,
  };
}

function appliesBy({ ecosystem, version }: Component, affected: Affected): Finding["applies_by"] | undefined {
  if (affected.git_only) return undefined;
  if (isListed(ecosystem, version, affected.versions)) return "version";
  const held = affected.ranges.map((range) => holds(ecosystem, version, range));
  if (held.includes("held")) return "range";
  const saysNothing = held.length === 0 && affected.versions.length === 0;
  return saysNothing || held.includes("undecidable") ? "undecidable" : undefined;
}

/** One finding for each group of advisories that name each other, the worst one speaking for it. */
function folded(findings: readonly Finding[]): readonly Finding[] {
  const groups: { readonly names: Set<string>; readonly members: Finding[] }[] = [];
  for (const finding of findings) {
    const names = [finding.advisory_id, ...finding.aliases];
    const near = groups.filter((group) => names.some((name) => group.names.has(name)));
    const [first] = near;
    if (first === undefined) {
      groups.push({ names: new Set(names), members: [finding] });
      continue;
    }
    for (const other of near.slice(1)) {
      for (const name of other.names) first.names.add(name);
      first.members.push(...other.members);
      groups.splice(groups.indexOf(other), 1);
    }
    for (const name of names) first.names.add(name);
    first.members.push(finding);
  }
  return groups.flatMap(({ names, members }) => {
    const [worst] = members.toSorted(
      (a, b) => RANK[a.severity] - RANK[b.severity] || (a.advisory_id < b.advisory_id ? -1 : 1),
    );
    if (worst === undefined) return [];
    const { component } = worst;
    const scores = members.flatMap(({ score }) => score ?? []);
    const decided = members.find(({ applies_by }) => applies_by !== "undecidable") ?? worst;
    const fixes = members.flatMap(({ fixed_in }) => fixed_in);
    return [
      {
        ...worst,
        aliases: [...names].filter((name) => name !== worst.advisory_id).toSorted(),
        score: scores.length === 0 ? null : Math.max(...scores),
        fixed_in: laterVersions(component.ecosystem, component.version, fixes),
        applies_by: decided.applies_by,
      },
    ];
  });
}
