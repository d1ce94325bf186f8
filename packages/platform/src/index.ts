/**
 * The platform's capabilities, one folder each. Here now: packs, what is distributed, approved and pinned.
 *
 * `platformDeclarations` are the operations and queries; `platformMigrations` the tables; the reconciler is
 * run by the composition root at start, after commits and every few seconds.
 */
import type { Declaration } from "@rumi/operations";
import type { Migrations } from "@rumi/store";
import type { PackDeps, PackLibrary } from "./packs/library.ts";
import { packDeclarations } from "./packs/operations.ts";
import { FLOW_MIGRATIONS } from "./flows/tables.ts";
import { PACK_MIGRATIONS } from "./packs/tables.ts";

export { packDigest, packEntry, type PackEntry, type PackFile } from "./packs/digest.ts";
export { removeTree } from "./packs/files.ts";
export {
  createPackLibrary,
  type ArtifactFiles,
  type PackDeps,
  type PackLibrary,
  type StrategyReference,
  type VerifiedPack,
  type VerifiedStrategy,
} from "./packs/library.ts";
export { lookAtPack, type Sight } from "./packs/look.ts";
export type { PackFolders } from "./packs/staging.ts";
export { PACK_LIMITS, type PackLimits } from "./packs/limits.ts";
export { parseManifest, MANIFEST_SCHEMA, type PackManifest } from "./packs/manifest.ts";
export { PACK_STATES, type Pack, type PackState } from "./packs/model.ts";
export { packReconciler, pendingSummary, type CandidateCounts, type Reconciler } from "./packs/reconciler.ts";
export { readTree } from "./packs/tree.ts";
export { packFolders, validatePacks, type PackCheck, type ValidatedPack } from "./packs/validation.ts";
export { scaffoldPack, type NewPack } from "./scaffold/scaffold.ts";
export { PACK_TEMPLATES, type PackTemplate } from "./scaffold/templates.ts";
export * from "./flows/index.ts";
export { systemEvent, type EventTrail, type SystemActor } from "./system-events.ts";

export const platformMigrations: readonly Migrations[] = [PACK_MIGRATIONS, FLOW_MIGRATIONS];

export function platformDeclarations(deps: PackDeps, library: PackLibrary): readonly Declaration[] {
  return packDeclarations(deps, library);
}
