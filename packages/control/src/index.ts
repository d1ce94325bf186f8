/**
 * The control plane: registry, lifecycle, commands, leases, runners, views. One folder per capability.
 *
 * The composition root makes one {@link createControlPlane}, gives its declarations to the pipeline's
 * registry, its migrations to the store, and runs its reconcilers.
 */
import type { StrategyDescriptor } from "@rumi/abi";
import { ok, type Clock, type Failure, type Micros, type Millis, type Random, type Result } from "@rumi/kernel";
import type { Attester } from "@rumi/ledger";
import {
  guards,
  type Declaration,
  type Guards,
  type Logger,
  type Pipeline,
  type Registry,
  type SafetyMode,
} from "@rumi/operations";
import type { Reconciler, StrategyReference, VerifiedStrategy } from "@rumi/platform";
import type { IsolationWish } from "@rumi/runtime";
import type { Migrations, Reader, Store } from "@rumi/store";
import type { FundsLedger } from "@rumi/venues";
import { governed } from "./access/governed.ts";
import { ACCESS_MIGRATIONS } from "./access/tables.ts";
import { keptAdmission, type Admission } from "./admissions/keep.ts";
import { admissionDeclarations } from "./admissions/operations.ts";
import { ADMISSION_MIGRATIONS } from "./admissions/tables.ts";
import { attestationDeclarations } from "./attestation/operations.ts";
import { stopReconciler } from "./attestation/reconciler.ts";
import { LADDER_MIGRATIONS } from "./attestation/tables.ts";
import { auditDeclarations, type ProveEvent } from "./audit/operations.ts";
import { creationDeclarations } from "./bots/create.ts";
import { botDeclarations } from "./bots/operations.ts";
import { breakerOperation } from "./restraints/operations.ts";
import { BOT_MIGRATIONS } from "./bots/tables.ts";
import { judgeReviewed, judgeStrong } from "./break-glass/model.ts";
import { breakGlassDeclarations } from "./break-glass/operations.ts";
import { BREAK_GLASS_MIGRATIONS, readUnreviewed, sessionFence } from "./break-glass/tables.ts";
import { bulkDeclarations } from "./bulk/operations.ts";
import { bulkReconciler, type BulkLane } from "./bulk/reconciler.ts";
import { BULK_MIGRATIONS } from "./bulk/tables.ts";
import { challengeDeclarations } from "./challenges/operations.ts";
import { environmentRules } from "./challenges/model.ts";
import { challengePort, type ChallengeDeps } from "./challenges/port.ts";
import { changeDeclarations } from "./changes/operations.ts";
import { standingReader } from "./changes/standing.ts";
import { challengeReconciler } from "./challenges/reconciler.ts";
import { CHALLENGE_MIGRATIONS } from "./challenges/tables.ts";
import { runbookDeclarations } from "./bot-runbook/operations.ts";
import { changelogDeclarations } from "./changelog/operations.ts";
import { CHANGELOG_MIGRATIONS } from "./changelog/tables.ts";
import { commandDeclarations } from "./commands/operations.ts";
import { COMMAND_MIGRATIONS } from "./commands/tables.ts";
import { contractDeclarations } from "./contracts/operations.ts";
import type { DependencyDeps } from "./dependencies/look.ts";
import { dependencyDeclarations } from "./dependencies/operations.ts";
import { DEPENDENCY_MIGRATIONS } from "./dependencies/tables.ts";
import { inspectDeclarations } from "./inspect/operations.ts";
import { instanceReconciler } from "./instances/reconciler.ts";
import { lineageDeclarations, type LineageDeps } from "./lineage/operations.ts";
import { jobDeclarations } from "./jobs/operations.ts";
import { JOB_MIGRATIONS } from "./jobs/tables.ts";
import { emergencyReconciler } from "./emergency/reconciler.ts";
import { driftDeclarations } from "./drift/operations.ts";
import { driftReconciler, type DriftDeps } from "./drift/reconciler.ts";
import { DRIFT_MIGRATIONS } from "./drift/tables.ts";
import { CONTROL_LIMITS } from "./limits.ts";
import { emergencySpool, type EmergencyFile } from "./emergency/spool.ts";
import { REQUIRED_GATES, requiredGates } from "./gates/guard.ts";
import { gateDeclarations } from "./gates/operations.ts";
import { GATE_MIGRATIONS } from "./gates/tables.ts";
import { guardrailGuard } from "./guardrails/guard.ts";
import { factorsOf } from "./guardrails/model.ts";
import { guardrailDeclarations } from "./guardrails/operations.ts";
import { GUARDRAIL_MIGRATIONS, policyOf, readGuardrails } from "./guardrails/tables.ts";
import { groupDeclarations } from "./groups/operations.ts";
import { GROUP_MIGRATIONS } from "./groups/tables.ts";
import { holdsGuard } from "./holds/guard.ts";
import { holdDeclarations } from "./holds/operations.ts";
import { lockReconciler } from "./holds/reconciler.ts";
import { HOLD_MIGRATIONS } from "./holds/tables.ts";
import { DEFAULT_THRESHOLDS, type Readings, type Thresholds } from "./interlocks/model.ts";
import { interlockDeclarations, type InterlocksNow } from "./interlocks/operations.ts";
import { interlockReconciler, type HostFacts } from "./interlocks/reconciler.ts";
import { INTERLOCK_MIGRATIONS, type OwedLatches } from "./interlocks/tables.ts";
import { killSwitchGuard } from "./kill-switch/guard.ts";
import { killSwitchDeclarations } from "./kill-switch/operations.ts";
import { KILL_SWITCH_MIGRATIONS, readKillSwitch } from "./kill-switch/tables.ts";
import { stopAllBots } from "./lifecycle/stop-all.ts";
import { INSTANCE_MIGRATIONS } from "./instances/tables.ts";
import { isolationFor } from "./isolation.ts";
import { policyKeeper } from "./policies/keeper.ts";
import { policyDeclarations } from "./policies/operations.ts";
import { addedBy, POLICY_MIGRATIONS, readPolicy } from "./policies/tables.ts";
import { policySchema, type ActionNames } from "./policies/schema.ts";
import { overrideDeclarations } from "./overrides/operations.ts";
import { overrideReconciler } from "./overrides/reconciler.ts";
import { OVERRIDE_MIGRATIONS } from "./overrides/tables.ts";
import { preflightDeclarations } from "./preflight/operations.ts";
import { PREFLIGHT_MIGRATIONS } from "./preflight/tables.ts";
import { releaseDeclarations } from "./release/operations.ts";
import { RELEASE_MIGRATIONS } from "./release/tables.ts";
import { retiredGuard } from "./retirement/guard.ts";
import { retirementDeclarations } from "./retirement/operations.ts";
import { stopDeclarations } from "./risk/stop-operations.ts";
import { riskReconciler } from "./risk/reconciler.ts";
import { riskDeclarations } from "./risk/operations.ts";
import { RISK_MIGRATIONS } from "./risk/tables.ts";
import { recoveryDeclarations } from "./recovery/operations.ts";
import { createRunnerHub, type RunnerHub } from "./runners/hub.ts";
import { RUNNER_MIGRATIONS } from "./runners/tables.ts";
import { safetyDeclarations } from "./safety/operations.ts";
import { readSafety, safetyReader, SAFETY_MIGRATIONS } from "./safety/tables.ts";
import { templateDeclarations } from "./templates/operations.ts";
import { TEMPLATE_MIGRATIONS } from "./templates/tables.ts";
import { traceDeclarations } from "./trace/operations.ts";
import { trainingDeclarations } from "./training/operations.ts";
import { trainingKeeper } from "./training/keeper.ts";
import { TRAINING_MIGRATIONS } from "./training/tables.ts";
import { updateDeclarations } from "./updates/operations.ts";
import { twoPeople } from "./two-people/judge.ts";
import { SECOND_PERSON_WAIT_SECONDS } from "./two-people/model.ts";
import { operatorAuthenticator, type OperatorAuthenticator } from "./users/authenticator.ts";
import { permittedTo } from "./users/may.ts";
import { userDeclarations } from "./users/operations.ts";
import { rolesNow, USER_MIGRATIONS } from "./users/tables.ts";
import { VENUE_MIGRATIONS } from "./venues/tables.ts";
import { venueDeclarations, type InspectRecordings } from "./venues/operations.ts";
import { gateRunDeclarations } from "./supply-chain/gate-operations.ts";
import { supplyGuard } from "./supply-chain/guard.ts";
import type { SupplyDeps } from "./supply-chain/look.ts";
import { memorySupplyShelf } from "./supply-chain/shelf.ts";
import { supplyCheck, type SupplyCheck } from "./supply-chain/standing.ts";
import { supplyPolicyDeclarations } from "./supply-chain/policy-operations.ts";
import { rootDeclarations } from "./supply-chain/root-operations.ts";
import { signatureDeclarations } from "./supply-chain/signature-operations.ts";
import { SUPPLY_MIGRATIONS } from "./supply-chain/tables.ts";
import { stuckReconciler } from "./stuck/reconciler.ts";
import { bundleDeclarations } from "./support-bundles/operations.ts";
import { bundleReconciler } from "./support-bundles/reconciler.ts";
import { NO_SOURCES, type BundleSources } from "./support-bundles/shelf.ts";
import { BUNDLE_MIGRATIONS } from "./support-bundles/tables.ts";
import { viewDeclarations } from "./views/operations.ts";
import { stagingDeclarations } from "./staging/operations.ts";
import { stagingReconciler } from "./staging/reconciler.ts";
import { STAGING_MIGRATIONS } from "./staging/tables.ts";
import { VIEW_MIGRATIONS } from "./views/tables.ts";

export { botsUsingPack, countLiveBots, liveBotsUsingPack } from "./bots/tables.ts";
export type { ProveEvent } from "./audit/operations.ts";
export { readEvents, type AuditEvent, type EventFilter } from "./audit/events.ts";
export { isolationFor } from "./isolation.ts";
export {
  BOT_STATES,
  CAUSES_IN_FORCE,
  mayMove,
  TRANSITIONS,
  TRANSITION_CAUSES,
  type BotState,
  type TransitionCause,
} from "./lifecycle/states.ts";
export type { AdmitRequest } from "./preflight/gather.ts";
export { runbookOf, RUNBOOKS } from "./runbooks.ts";
export { EMERGENCY_LIMITS, type EmergencyFile } from "./emergency/spool.ts";
export { CONTROL_LIMITS } from "./limits.ts";
export { bundleOf, BUNDLE_POLICY, type Bundle, type BundleManifest } from "./support-bundles/model.ts";
export { RELEASE_LIMITS } from "./release/limits.ts";
export { releaseMetrics } from "./release/metrics.ts";
export { verifyCertificate } from "./release/verify.ts";
export { supplyMetrics } from "./supply-chain/metrics.ts";
export type { SupplyShelf } from "./supply-chain/shelf.ts";
export { supplyCheck, type SupplyCheck } from "./supply-chain/standing.ts";
export { trustedKeys } from "./supply-chain/trust-roots.ts";
export { artifactStatement } from "./supply-chain/statement.ts";
export { statisticsOf } from "./support-bundles/facts.ts";
export { environmentSecrets, redactor, textsWithin, withheld, type Redactor } from "./support-bundles/redactor.ts";
export type { BundleShelf, BundleSources } from "./support-bundles/shelf.ts";
export { INTERLOCKS, thresholdsOf, type Thresholds } from "./interlocks/model.ts";
export type { HostFacts } from "./interlocks/reconciler.ts";
export { SECOND_PERSON_WAIT_SECONDS } from "./two-people/model.ts";
export { verifyStop, type ProvenStop } from "./attestation/verify.ts";
export { instanceMetrics } from "./metrics.ts";
export type { RunnerConnection, RunnerHello } from "./runners/connection.ts";
export { createRunnerHub, type RunnerHub } from "./runners/hub.ts";
export { listenForRunners, type RunnerSocketServer, type SocketServerDeps } from "./runners/socket-server.ts";
export { runnerSocketPath } from "./runners/socket-path.ts";
export {
  createRunnerSupervisor,
  type RunnerProcess,
  type RunnerSupervisor,
  type SupervisorDeps,
} from "./runners/supervisor.ts";
export { readRunners, type RunnerRow } from "./runners/tables.ts";
export { restored, type RestoredFrom } from "./recovery/restored.ts";
export { readSafety, safetyReader } from "./safety/tables.ts";
export type { InspectRecordings } from "./venues/operations.ts";

export const controlMigrations: readonly Migrations[] = [
  SAFETY_MIGRATIONS,
  VENUE_MIGRATIONS,
  BOT_MIGRATIONS,
  INSTANCE_MIGRATIONS,
  COMMAND_MIGRATIONS,
  PREFLIGHT_MIGRATIONS,
  ADMISSION_MIGRATIONS,
  RUNNER_MIGRATIONS,
  VIEW_MIGRATIONS,
  CHALLENGE_MIGRATIONS,
  USER_MIGRATIONS,
  POLICY_MIGRATIONS,
  STAGING_MIGRATIONS,
  BREAK_GLASS_MIGRATIONS,
  KILL_SWITCH_MIGRATIONS,
  GATE_MIGRATIONS,
  INTERLOCK_MIGRATIONS,
  HOLD_MIGRATIONS,
  LADDER_MIGRATIONS,
  BULK_MIGRATIONS,
  GROUP_MIGRATIONS,
  JOB_MIGRATIONS,
  BUNDLE_MIGRATIONS,
  DEPENDENCY_MIGRATIONS,
  OVERRIDE_MIGRATIONS,
  TEMPLATE_MIGRATIONS,
  RISK_MIGRATIONS,
  ACCESS_MIGRATIONS,
  DRIFT_MIGRATIONS,
  SUPPLY_MIGRATIONS,
  GUARDRAIL_MIGRATIONS,
  TRAINING_MIGRATIONS,
  CHANGELOG_MIGRATIONS,
  RELEASE_MIGRATIONS,
];

export type ControlDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Pick<Logger, "warning" | "error" | "info">;
  readonly environment: string;
  /** The least isolation that a bot of this home may have; `strict` refuses bots that ask for less. */
  readonly isolation_floor?: "any" | "strict";
  /** `disabled` refuses every dangerous operation; nothing can then go live. */
  readonly dangerous_operations?: "enabled" | "disabled";
  /** Folder of one run's checkpoints and journal. */
  readonly runDir: (bot_id: string, run_id: string) => string;
  /** The pack library of the platform. */
  readonly packs: {
    readonly approvedStrategy: (
      reader: Reader,
      reference: StrategyReference,
    ) => Promise<Result<StrategyDescriptor, Failure>>;
    readonly verifyStrategy: (reference: StrategyReference) => Promise<Result<VerifiedStrategy, Failure>>;
    readonly packOf: DependencyDeps["packOf"];
    readonly keptProvenance: LineageDeps["keptProvenance"];
    readonly filesOf: SupplyDeps["filesOf"];
  };
  /** Where bills of materials lie, and what is known against packages; absent: in memory, and nothing is known. */
  readonly supply?: Omit<SupplyDeps, "filesOf">;
  readonly inspectRecordings: InspectRecordings;
  readonly proveEvent: ProveEvent;
  /** What accounts hold, from whoever keeps the books. */
  readonly funds: FundsLedger;
  /** The runtime's admission; passes where it is not given. */
  readonly admit?: Admission;
  /** Where tightenings outlive the process that the log could not take; absent: they are kept in memory. */
  readonly emergency_file?: EmergencyFile;
  /** Where support bundles lie and what the program tells for them; absent: they are kept in memory. */
  readonly bundles?: BundleSources;
  /** Signs stop records; without one no stop is attested. */
  readonly attester?: Attester;
  /** How long what the home's own principal made is in its hand; a day where nothing is said. */
  readonly second_person_wait_seconds?: number;
  /** Of the interlocks, where this home's are stricter (`thresholdsOf`). */
  readonly interlocks?: Thresholds;
  readonly lease_ttl?: Millis;
  readonly adoption_window?: Millis;
};

export interface ControlPlane {
  readonly declarations: readonly Declaration[];
  readonly migrations: readonly Migrations[];
  /** What the pipeline asks of this part. */
  readonly guards: Guards;
  /** Who a token of an operator belongs to; the home's own token is not among them. */
  readonly operators: OperatorAuthenticator;
  /** Every operation and query of the program, so that policies can name those of other parts too, and what has a name only. */
  know(registry: Pick<Registry, "operations" | "queries">, more?: readonly string[]): void;
  readonly hub: RunnerHub;
  /** Whether the supply chain lets these bytes be used now; for whoever approves or certifies them. */
  readonly supplyCheck: (reader: Reader, artifact_id: string, now: Micros) => Promise<SupplyCheck>;
  /** Carries out what was tightened while the log could not be written; to be run among the others. */
  emergency(pipeline: Pipeline): Reconciler;
  /** Watches what is observed and tightens by itself; to be run among the others. */
  interlocks(pipeline: Pipeline, host: HostFacts): Reconciler;
  /** Carries bulks out, command by command; to be run beside the others, which do not wait for it. */
  bulk(pipeline: Pipeline, lanes?: readonly BulkLane[]): Reconciler;
  /** Makes support bundles; has time of its own too. */
  readonly bundles: Reconciler;
  /** Finds what differs from what was decided, and repairs or ends it by rule; to be run beside the others. */
  drift(times?: Pick<DriftDeps, "look_every_ms" | "stands_for_ms" | "read_packs_every_ms">): Reconciler;
  /** Run once before commands are taken, then after commits, after the hub's changes and every second. */
  readonly reconcilers: readonly Reconciler[];
  /** Orderly end: every bot that runs or stands still is stopped; ids of those not proven stopped in time. */
  stopAll(reason: string, grace: Millis): Promise<readonly string[]>;
  close(): void;
}

export function createControlPlane(deps: ControlDeps): ControlPlane {
  const { store } = deps;
  const spool = emergencySpool(deps.emergency_file);
  const hub = createRunnerHub({ ...deps, tightened: spool });
  const reconciler = instanceReconciler({ ...deps, hub });
  const { funds } = deps;
  const preflight = {
    funds,
    verifyStrategy: deps.packs.verifyStrategy,
    packOf: deps.packs.packOf,
    admit:
      deps.admit === undefined
        ? () => Promise.resolve(ok(null))
        : keptAdmission({ ...deps, recorder: hub.recorder }, deps.admit),
    isolationFor: (bot_id: string, descriptor: StrategyDescriptor, wish: IsolationWish) =>
      Promise.resolve(isolationFor(hub.isolation(), bot_id, descriptor, wish)),
    runnerReady: () => hub.ready().length > 0,
    modeNow: (row: SafetyMode) => spool.mode(row),
  };
  const sources = deps.bundles ?? NO_SOURCES();
  const creation = {
    funds,
    approvedStrategy: deps.packs.approvedStrategy,
    verifyStrategy: deps.packs.verifyStrategy,
    isolation_floor: deps.isolation_floor ?? "any",
  } as const;
  const operators = operatorAuthenticator(store, deps);
  const two = twoPeople(store, deps.second_person_wait_seconds ?? SECOND_PERSON_WAIT_SECONDS);
  const asking: ChallengeDeps = {
    environment: deps.environment,
    mayAsk: async (reader, principal_id, now, training) =>
      judgeReviewed(await readUnreviewed(reader, store, training), principal_id, now),
    twoPeople: two,
    rolesNow: (reader, subject_id) => rolesNow(reader, store, subject_id),
    rules: async (reader) => {
      const added = addedBy(await readPolicy(reader, store));
      const fixed = environmentRules(deps.environment);
      const guardrails = policyOf(await readGuardrails(reader, store));
      return (operation) => [...fixed(operation), ...added(operation), ...factorsOf(guardrails, operation)];
    },
  };
  let readings: Readings | null = null;
  const owed: OwedLatches = new Map();
  const interlocks: InterlocksNow = {
    thresholds: deps.interlocks ?? DEFAULT_THRESHOLDS,
    readings: () => readings,
  };
  let names: ActionNames = { operations: [], queries: [] };
  let registry: Pick<Registry, "operations" | "queries"> = { operations: new Map(), queries: new Map() };
  const schema = () => policySchema(deps.environment, names);
  const policy = policyKeeper(store, { schema, logger: deps.logger });
  const tellKillSwitch = (): void =>
    void readKillSwitch(store, store).then(
      (now) => hub.tellKillSwitch(now),
      (error: unknown) => deps.logger.error("the kill switch could not be told to the runners", { error }),
    );
  const tellSafety = (): void =>
    void readSafety(store, store).then(
      (row) => hub.tellSafety(row.mode as SafetyMode, row.generation),
      (error: unknown) => deps.logger.error("the safety mode could not be told to the runners", { error }),
    );
  const training = trainingKeeper(store);
  const stopListening = store.onAppended((_first, events) => {
    if (events.some(({ action }) => action === "execution.killswitch.set")) tellKillSwitch();
    if (events.some(({ action }) => action === "safety.transition")) tellSafety();
  });
  spool.onChange(() => {
    tellKillSwitch();
    tellSafety();
  });
  const supply = deps.supply ?? { shelf: memorySupplyShelf(), advisories: () => Promise.resolve(null) };
  return {
    hub,
    operators,
    supplyCheck: (reader, artifact_id, now) => supplyCheck(reader, store, artifact_id, now),
    guards: guards({
      safety: safetyReader(store, spool),
      locks: [retiredGuard(store), holdsGuard(store), killSwitchGuard(store, spool), supplyGuard(store)],
      gates: new Map([[REQUIRED_GATES, requiredGates(store)]]),
      guardrails: [guardrailGuard(store)],
      training,
      policy,
      emergency: spool,
      breakGlass: {
        name: "break_glass",
        check: async (reader, { principal, operation, now, fence, training }) => {
          const session = await readUnreviewed(reader, store, training);
          if (session !== undefined) fence(sessionFence(store, session));
          return judgeStrong(session, principal.id, operation, now);
        },
      },
      challenge: deps.dangerous_operations === "disabled" ? null : challengePort(store, asking),
      changes: challengePort(store, asking),
      standing: standingReader(store),
    }),
    know: (all, more = []) => {
      registry = all;
      names = { operations: [...all.operations.keys()], queries: [...all.queries.keys(), ...more] };
    },
    migrations: controlMigrations,
    bulk: (pipeline, lanes) =>
      bulkReconciler(
        { store, clock: deps.clock, recorder: hub.recorder, pipeline, runnerReady: preflight.runnerReady },
        lanes,
      ),
    interlocks: (pipeline, host) =>
      interlockReconciler(
        { ...deps, hub, owed, modeNow: preflight.modeNow, now: interlocks, tell: (now) => void (readings = now) },
        host,
        pipeline,
      ),
    drift: (times = {}) =>
      driftReconciler({
        ...deps,
        hub,
        adoption_window_ms: deps.adoption_window ?? CONTROL_LIMITS.adoption_window_ms,
        ...times,
      }),
    emergency: (pipeline) =>
      emergencyReconciler({ ...deps, spool, recorder: hub.recorder, now: () => deps.clock.now() }, pipeline),
    reconcilers: [
      lockReconciler({ ...deps, hub }),
      reconciler,
      stagingReconciler({ ...deps, hub }),
      riskReconciler({ ...deps, hub }),
      stopReconciler({ ...deps, hub }),
      stuckReconciler({ ...deps, hub }),
      challengeReconciler(deps),
      overrideReconciler({ ...deps, hub }),
    ],
    bundles: bundleReconciler({ ...deps, sources, recorder: hub.recorder }),
    declarations: [
      ...safetyDeclarations(spool, owed),
      ...killSwitchDeclarations({ followed: () => hub.followed(), spool }),
      ...interlockDeclarations(interlocks),
      ...gateDeclarations(),
      ...recoveryDeclarations(),
      ...holdDeclarations(),
      ...bulkDeclarations(),
      ...groupDeclarations(),
      ...jobDeclarations(),
      ...driftDeclarations(),
      ...attestationDeclarations(deps),
      ...venueDeclarations(deps.inspectRecordings),
      breakerOperation,
      ...creationDeclarations(creation),
      ...templateDeclarations(creation),
      ...botDeclarations(creation),
      ...dependencyDeclarations(deps.packs),
      ...lineageDeclarations(deps.packs),
      ...runbookDeclarations,
      ...changelogDeclarations,
      ...preflightDeclarations,
      ...overrideDeclarations(),
      ...rootDeclarations(),
      ...signatureDeclarations(),
      ...supplyPolicyDeclarations(),
      ...gateRunDeclarations({ ...supply, filesOf: deps.packs.filesOf }),
      ...releaseDeclarations({
        ...preflight,
        environment: deps.environment,
        ...(deps.attester === undefined ? {} : { attester: deps.attester }),
      }),
      ...retirementDeclarations(),
      ...riskDeclarations({ funds }),
      ...stopDeclarations(),
      ...admissionDeclarations,
      ...challengeDeclarations({ twoPeople: two }),
      ...changeDeclarations({ ...asking, dangerous_operations: deps.dangerous_operations ?? "enabled" }),
      ...commandDeclarations({ ...preflight, environment: deps.environment, runDir: deps.runDir }),
      ...updateDeclarations({ ...preflight, environment: deps.environment, runDir: deps.runDir }),
      ...viewDeclarations(deps),
      ...stagingDeclarations(),
      ...inspectDeclarations({ hub: () => hub, clock: deps.clock }),
      ...bundleDeclarations(sources.shelf),
      ...contractDeclarations(),
      ...auditDeclarations(deps.proveEvent),
      ...traceDeclarations(),
      ...userDeclarations({ ...deps, may: (principal) => permittedTo(principal, registry, policy) }),
      ...breakGlassDeclarations({ environment: deps.environment, operations: () => names.operations, twoPeople: two }),
      ...trainingDeclarations(),
      ...guardrailDeclarations({ operations: () => registry.operations }),
      ...policyDeclarations({ environment: deps.environment, schema }),
    ].map(governed),
    stopAll: (reason, grace) => stopAllBots({ ...deps, hub, reconciler }, reason, grace),
    close: () => {
      stopListening();
      for (const part of [operators, policy, training, hub]) part.close();
    },
  };
}
