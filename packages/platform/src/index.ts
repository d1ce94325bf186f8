/**
 * The platform's capabilities, one folder each. Here now: packs, what is distributed, approved and pinned; network, what a
 * pack may reach; candidates and capabilities, the handlers that packs bring; grants, who may use which; privileges, acts on
 * the host; secrets, values that nobody gets to see.
 *
 * `platformDeclarations` are the operations and queries; `platformMigrations` the tables; the reconciler is
 * run by the composition root at start, after commits and every few seconds.
 */
import { invariant } from "@rumi/kernel";
import type { Declaration, OperationDefinition } from "@rumi/operations";
import type { Migrations } from "@rumi/store";
import { CANDIDATE_MIGRATIONS } from "./candidates/tables.ts";
import { capabilityDeclarations, type CapabilityDeps } from "./capabilities/operations.ts";
import { grantDeclarations } from "./grants/operations.ts";
import { GRANT_MIGRATIONS } from "./grants/tables.ts";
import { networkDeclarations, UNASKED_NETWORK, type NetworkPorts } from "./network/operations.ts";
import { NETWORK_MIGRATIONS } from "./network/tables.ts";
import type { PackLibrary } from "./packs/library.ts";
import { packDeclarations } from "./packs/operations.ts";
import { libDeclarations } from "./libs/operations.ts";
import { LIB_MIGRATIONS } from "./libs/tables.ts";
import { TARGET_MIGRATIONS } from "./flows/steps/targets.ts";
import { FLOW_MIGRATIONS } from "./flows/migrations.ts";
import { PACK_MIGRATIONS } from "./packs/tables.ts";
import { privilegeDeclarations, UNASKED_PRIVILEGES, type PrivilegePorts } from "./privileges/operations.ts";
import { PRIVILEGE_MIGRATIONS } from "./privileges/tables.ts";
import { SECRET_MIGRATIONS } from "./secrets/tables.ts";
import { sharedDictDeclarations } from "./shared-dict/operations.ts";
import { UNIT_MIGRATIONS } from "./units/tables.ts";
import { SHARED_DICT_MIGRATIONS } from "./shared-dict/tables.ts";
import { storeDeclarations } from "./stores/operations.ts";
import { STORE_MIGRATIONS } from "./stores/tables.ts";

export { candidateCounts } from "./candidates/tables.ts";
export {
  argsOf,
  flowRun,
  named,
  secretsGet,
  type Builtin,
  type Builtins,
  type BuiltinUse,
  type RunFlow,
} from "./capabilities/builtins.ts";
export {
  CALL_LIMITS,
  CAPABILITY_ERROR_TYPES,
  createCapabilityCalls,
  type CallCapability,
  type CapabilityAnswer,
  type CapabilityAsk,
  type CapabilityErrorType,
} from "./capabilities/call.ts";
export { overriddenEvent } from "./capabilities/overridden.ts";
export { createHandlerRegistry, type HandlerRegistry, type TrustedHandler } from "./capabilities/registry.ts";
export type { PrivilegePorts } from "./privileges/operations.ts";
export { restartReconciler } from "./privileges/reconciler.ts";
export { boundOf, effectiveGrant, listAllows, type CapabilityGrant, type Effective } from "./grants/model.ts";
export { permit } from "./grants/permit.ts";
export { BUILTIN_PERMISSIONS, type GrantConfig } from "./grants/permissions.ts";
export type { EgressAnswer, EgressErrorType } from "./egress/answer.ts";
export { systemDial, type Dial } from "./egress/exchange.ts";
export { EGRESS_LIMITS, EGRESS_METHODS } from "./egress/limits.ts";
export { createEgressProxy, type EgressDeps, type EgressProxy, type EgressReply } from "./egress/proxy.ts";
export { LINE_LIMITS } from "./sockets/frames.ts";
export { CLAIMS_LOGGED_PER_MINUTE } from "./sockets/lines.ts";
export type { LineOwner, PackLines } from "./sockets/pack-lines.ts";
export { SOCKET_PATH_BYTES } from "./sockets/listen.ts";
export {
  createPackSockets,
  PACK_SOCKETS_MAX,
  type PackSocketDeps,
  type PackSockets,
  type SocketFolder,
} from "./sockets/pack-sockets.ts";
export {
  createPackProbes,
  PROBE_STATES,
  RUNTIME_LIMITS,
  SHOWN_METRICS,
  type PackProbes,
  type ProbeState,
  type RuntimeDeps,
} from "./runtime/lines.ts";
export { createDeprecations, DEPRECATION_LEVELS, type DeprecationLevel, type Deprecations } from "./deprecation.ts";
export { decideEgress, NETWORK_LIMITS, standingOf, type EgressDecision, type EgressRequest } from "./network/model.ts";
export type { NetworkPorts } from "./network/operations.ts";
export { systemResolver } from "./network/resolver.ts";
export { createSlidingWindow, type SlidingWindow } from "./sliding-window.ts";
export { createLibs, type Libs } from "./libs/reconciler.ts";
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
export { PACK_LIMITS, UPLOAD_LIMITS, type PackLimits, type UploadLimits } from "./packs/limits.ts";
export { parseManifest, MANIFEST_SCHEMA, type PackManifest } from "./packs/manifest.ts";
export { PACK_STATES, type Pack, type PackState } from "./packs/model.ts";
export { packReconciler, pendingSummary, type CandidateCounts, type Reconciler } from "./packs/reconciler.ts";
export { parseFernetKey } from "./secrets/fernet.ts";
export { SECRET_LIMITS } from "./secrets/limits.ts";
export { secretDeclarations } from "./secrets/operations.ts";
export { createSecrets, type ReadSecret, type SecretDeps, type Secrets } from "./secrets/secrets.ts";
export { PLAIN_TEXT, storedValues, type SecretsKey, type StoredValues } from "./secrets/vault.ts";
export { readArchive, writeArchive } from "./packs/archive.ts";
export { provenanceView } from "./packs/decisions.ts";
export { readManifest, seenOf } from "./packs/look.ts";
export * from "./packs/provenance.ts";
export { readTree } from "./packs/tree.ts";
export { packFolders, validatePacks, type PackCheck, type ValidatedPack } from "./packs/validation.ts";
export { scaffoldPack, type NewPack } from "./scaffold/scaffold.ts";
export { PACK_TEMPLATES, type PackTemplate } from "./scaffold/templates.ts";
export { pipEnvironments, type PackEnvironment, type PipEnvironments } from "./pip/environments.ts";
export { environmentsFolder, type InstallDeps, type PipTools } from "./pip/install.ts";
export { pipDeclarations, type PipDeps } from "./pip/operations.ts";
export { matchRoute, type PackRoute, type RouteMatch } from "./routes/model.ts";
export { routeDeclarations, type RouteDeps } from "./routes/operations.ts";
export { checkRoutes, createPackRoutes, type PackRoutes } from "./routes/table.ts";
export { unitDeclarations, type UnitDeps } from "./units/operations.ts";
export { UNIT_LIMITS } from "./units/model.ts";
export { HANDLER_LIMITS } from "./capabilities/handler.ts";
export { pingEngine, type EngineAnswer } from "./containers/engine.ts";
export { containerDeclarations, type ContainerDeps } from "./containers/operations.ts";
export { dockerEngine } from "./containers/docker-api.ts";
export { CONTAINER_LIMITS, createPackContainers, type PackContainers } from "./containers/pack-containers.ts";
export { dictJournal } from "./shared-dict/journal.ts";
export { SHARED_DICT_LIMITS } from "./shared-dict/model.ts";
export {
  createStoreAccess,
  storeBuiltins,
  type CallStore,
  type StoreCall,
  type StorePermission,
} from "./stores/access.ts";
export { STORE_LIMITS } from "./stores/limits.ts";
export { INBOX_LIMITS, inboxSend } from "./stores/inbox.ts";
export { PROPOSAL_LIMITS, proposalsIn, proposePatch, type ImportProposal } from "./packs/propose.ts";
export * from "./flows/index.ts";
export { systemEvent, type EventTrail, type SystemActor } from "./system-events.ts";

export const platformMigrations: readonly Migrations[] = [
  PACK_MIGRATIONS,
  NETWORK_MIGRATIONS,
  CANDIDATE_MIGRATIONS,
  GRANT_MIGRATIONS,
  PRIVILEGE_MIGRATIONS,
  FLOW_MIGRATIONS,
  TARGET_MIGRATIONS,
  LIB_MIGRATIONS,
  SECRET_MIGRATIONS,
  STORE_MIGRATIONS,
  SHARED_DICT_MIGRATIONS,
  UNIT_MIGRATIONS,
];

/** Packs, and what the composition root hands to the other capabilities. */
export type PlatformDeps = CapabilityDeps & {
  /** Where nothing is given no name is looked up and no pack has sent anything. */
  readonly network?: NetworkPorts;
  readonly privileges?: PrivilegePorts;
};

export function platformDeclarations(deps: PlatformDeps, library: PackLibrary): readonly Declaration[] {
  const liveBotsUsing = deps.liveBotsUsing ?? (() => Promise.resolve([]));
  const packs = packDeclarations(deps, library);
  const apply = packs.find(({ name }) => name === "packs.apply");
  invariant(apply?.kind === "operation", "packs.apply is an operation");
  return [
    ...packs,
    ...networkDeclarations(deps.network ?? UNASKED_NETWORK, liveBotsUsing),
    ...capabilityDeclarations(deps, library),
    ...grantDeclarations(liveBotsUsing),
    ...libDeclarations(),
    ...storeDeclarations(),
    ...sharedDictDeclarations(),
    ...privilegeDeclarations(deps.privileges ?? UNASKED_PRIVILEGES, apply as OperationDefinition),
  ];
}
