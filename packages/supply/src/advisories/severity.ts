/**
 * How bad an advisory says it is: the highest base score of its CVSS vectors, else its database's word, else `unknown`.
 *
 * How to think: a vector that cannot be read says nothing, rather than zero. Malicious packages (`MAL-…`) carry no vector
 * and are critical by what they are.
 */
import cvss from "ae-cvss-calculator";
import type { Severity } from "./finding.ts";

export type Rating = { readonly severity: Severity; readonly score: number | null };

const WORDS: Readonly<Record<string, Severity>> = {
  critical: "critical",
  high: "high",
  important: "high",
  moderate: "medium",
  medium: "medium",
  low: "low",
};

/** Worst first. */
export const RANK: Readonly<Record<Severity, number>> = { critical: 0, high: 1, medium: 2, low: 3, unknown: 4 };

export function ratingOf(id: string, vectors: readonly string[], words: readonly string[]): Rating {
  const scores = vectors.flatMap((vector) => baseScore(vector) ?? []);
  const score = scores.length === 0 ? null : Math.max(...scores);
  if (id.startsWith("MAL-")) return { severity: "critical", score };
  if (score !== null) return { severity: bandOf(score), score };
  const named = words
    .flatMap((word) => (Object.hasOwn(WORDS, word.toLowerCase()) ? [WORDS[word.toLowerCase()] ?? "unknown"] : []))
    .toSorted((a, b) => RANK[a] - RANK[b]);
  return { severity: named[0] ?? "unknown", score };
}

/** CVSS 3 and 4's own bands; 0.0 counts as low, and version 2's scores are read by the same bands. */
function bandOf(score: number): Severity {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  return score >= 4 ? "medium" : "low";
}

const FORM = /^(?:CVSS:(?:3\.[01]|4\.0)\/)?[A-Za-z]{1,3}:[A-Za-z]{1,6}(?:\/[A-Za-z]{1,3}:[A-Za-z]{1,6}){4,40}$/;

/** Without threat and environment metrics: those are of somebody else's place and time. */
export function baseScore(vector: string): number | undefined {
  if (!FORM.test(vector)) return undefined;
  const read = cvss.fromVector(vector);
  if (read === null || !read.isBaseFullyDefined()) return undefined;
  const scores: { readonly base?: number | undefined; readonly baseMetricsOnly?: number | undefined } =
    read.calculateScores();
  const score = scores.baseMetricsOnly ?? scores.base;
  return score !== undefined && score >= 0 && score <= 10 ? score : undefined;
}
