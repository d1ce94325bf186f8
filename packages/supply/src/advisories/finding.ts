/** What an advisory directory says about a list of components. Types only; directory.ts makes them. */
import type { Component } from "../locks/component.ts";

export const SEVERITIES = ["critical", "high", "medium", "low", "unknown"] as const;
/** `unknown` is what nobody rated: never taken for low. */
export type Severity = (typeof SEVERITIES)[number];

export type Finding = {
  readonly advisory_id: string;
  /** Other names of the same weakness, those of other advisories that were folded into this one among them. */
  readonly aliases: readonly string[];
  readonly component: Component;
  readonly severity: Severity;
  /** The highest CVSS base score that its vectors give; null without a vector. */
  readonly score: number | null;
  /** Versions later than the component's that mend it, lowest first. */
  readonly fixed_in: readonly string[];
  readonly withdrawn: false;
  /** `undecidable`: a version of the advisory or of the component cannot be compared, so it is taken to apply. */
  readonly applies_by: "range" | "version" | "undecidable";
};

export interface Advisories {
  /** `sha256:…` over the names and bytes of the files that were read. */
  readonly digest: string;
  /** RFC 3339, UTC: the newest `modified` of any record; null without records. */
  readonly newest_modified: string | null;
  /** RFC 3339, UTC: when the directory's own index.json says it was last brought up to date; null without one. */
  readonly fetched_at: string | null;
  /** Records, withdrawn ones included. */
  readonly count: number;
  readonly withdrawn: number;
  /** Ranges over git commits: a lock file names none, so they are not evaluated. */
  readonly git_ranges_ignored: number;
  /** Names of files in the directory that are no advisories. */
  readonly files_ignored: readonly string[];
  /** Sorted by component, then by advisory. Advisories that are aliases of each other count once for a component. */
  match(components: readonly Component[]): readonly Finding[];
}
