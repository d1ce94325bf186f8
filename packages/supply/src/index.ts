/**
 * The supply chain of an artifact: lock files → components → SBOM; a directory of advisories; signatures; one judgement.
 *
 * Pure but for reading the directory of advisories. Nothing here fetches anything.
 */
export { ADVISORY_LIMITS, openAdvisories, type AdvisoryLimits } from "./advisories/directory.ts";
export * from "./advisories/finding.ts";
export * from "./facts.ts";
export { CLOCK_SKEW_SECONDS } from "./items.ts";
export * from "./judge.ts";
export * from "./locks/component.ts";
export * from "./signatures.ts";
export { componentsOf, LOCK_LIMITS } from "./locks/lock.ts";
export * from "./sbom.ts";
