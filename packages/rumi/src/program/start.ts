/**
 * The composition root: takes a home, opens its store, puts the parts together, and runs them until it is told to stop.
 *
 * Read `startProgram` from top to bottom for the order in which things come to life; `stop` undoes it backwards.
 *
 * Invariants (packages/rumi/test/*.e2e.test.ts)
 * - Unfinished commands are finished before new ones are taken.
 * - After `stop` no process and no socket of ours is left.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  controlMigrations,
  instanceMetrics,
  runbookOf,
  releaseMetrics,
  supplyMetrics,
  thresholdsOf,
  type ControlPlane,
} from "@rumi/control";
import { hmacSha256, millis, ok, type Failure, type Result } from "@rumi/kernel";
import { attesterFromPem, encodeVerifier, logOrigin, signerFromPem, type NoteSigner } from "@rumi/ledger";
import {
  compileSchemas,
  createMetrics,
  createPipeline,
  deriveToken,
  describeRegistry,
  failureLimiter,
  homeAuthenticator,
  scrubbedStore,
  type Metrics,
  type Pipeline,
  type Registry,
} from "@rumi/operations";
import { platformMigrations, restartReconciler, systemEvent, tellsRunOnly } from "@rumi/platform";
import { RUN_MIGRATIONS } from "@rumi/runs";
import { EVENTS_ACTION, createServer, type Server } from "@rumi/server";
import { openSqliteStore, type Store } from "@rumi/store";
import { writeFileDurably } from "../home/files.ts";
import type { HomePaths } from "../home/layout.ts";
import { announceStart } from "./announce.ts";
import { logDiagnostics } from "./diagnostics-log.ts";
import { filesOfLog } from "./files-of-log.ts";
import { healthSource, hostFacts, probes } from "./health.ts";
import { followLog, type LogViews } from "./log-views.ts";
import { openControl } from "./open-control.ts";
import { takeHome, type HeldHome } from "./open-home.ts";
import { packLibrary } from "./pack-library.ts";
import { stopAll, type ProgramOptions, type RunningProgram, type Started } from "./parts.ts";
import { openPlatform, type Platform } from "./platform.ts";
import { openRuns } from "./runs.ts";
import { servedLog } from "./served-log.ts";
import { startRunners } from "./start-runners.ts";
import { startTicker } from "./tick.ts";

/** How long bots get to stop in order, journals and checkpoints included. */
const BOTS_GRACE_MS = 20_000;
const SUMMARY_EVERY_MS = 1_000;
/** Keys that are derived from the home's HMAC key, so that none of them is the token's. */
const FINGERPRINT_PURPOSE = "rumi/fingerprint/v1";

export async function startProgram(options: ProgramOptions): Promise<Result<RunningProgram, Failure>> {
  const began = options.clock.monotonic();
  const started: Started[] = [];
  const composed = await compose(options, started).catch(async (error: unknown) => {
    await stopAll(started, options.logger);
    throw error;
  });
  if (!composed.ok) {
    await stopAll(started, options.logger);
    return composed;
  }
  const { url, token, paths, restartAsked, farewell } = composed.value;
  let stopping: Promise<void> | undefined;
  return ok({
    url,
    token,
    paths,
    restartAsked,
    ready_ms: Math.round(options.clock.monotonic() - began),
    stop: (signal) =>
      (stopping ??= (async () => {
        await farewell(signal, Math.round(options.clock.monotonic() - began));
        await stopAll(started, options.logger);
      })()),
  });
}

type Composed = {
  readonly url: string;
  readonly token: string;
  readonly paths: HomePaths;
  readonly restartAsked: Promise<void>;
  readonly farewell: (signal: string | null, uptime_ms: number) => Promise<void>;
};

async function compose(options: ProgramOptions, started: Started[]): Promise<Result<Composed, Failure>> {
  const { settings, installation, clock, random, logger } = options;
  const interlocks = thresholdsOf(settings.interlocks);
  if (!interlocks.ok) return interlocks;
  const held = takeHome(settings, options);
  if (!held.ok) return held;
  const { paths, home, keys } = held.value;
  started.push({ name: "lock", stop: () => held.value.lock.release() });

  const signer = signerFromPem(logOrigin(home.environment, home.home_id), keys.ledger_pem);
  if (!signer.ok) return signer;
  const store = await openStore(held.value, options);
  if (!store.ok) return store;
  started.push({ name: "store", stop: () => store.value.close() });
  const views = startViews(store.value, paths, signer.value, options);
  started.push({ name: "log views", stop: () => views.close() });

  logDiagnostics(logger.child("diagnostics"), settings, installation);
  const metrics = createMetrics();
  const attester = attesterFromPem(keys.attestation_pem);
  const library = packLibrary(store.value, paths, attester, options);
  const control = openControl(store.value, library.library, held.value, metrics, {
    ...options,
    interlocks: interlocks.value,
  });
  started.push({ name: "control plane", stop: () => control.close() });
  const platform = await openPlatform({ store: store.value, held: held.value, library, control, metrics, options });
  const runs = openRuns(store.value, paths, attester, options);
  const registry = describeRegistry([...control.declarations, ...platform.declarations, ...runs.declarations]);
  control.know(registry, [EVENTS_ACTION]);
  const pipeline = createPipeline({
    store: store.value,
    registry,
    clock,
    random,
    metrics,
    logger: logger.child("operations"),
    scrubber: options.scrubber,
    guards: control.guards,
    fingerprintKey: hmacSha256(keys.hmac, FINGERPRINT_PURPOSE),
  });
  platform.attach(pipeline, registry);
  const wasClean = await announceStart(store.value, held.value, options);
  if (!wasClean.ok) return wasClean;

  let restart = (): void => {};
  const restartAsked = new Promise<void>((resolve) => (restart = resolve));
  const ticker = startTicker(
    [
      [control.emergency(pipeline), control.interlocks(pipeline, hostFacts(paths.root, clock)), ...control.reconcilers],
      ...platform.reconcilers,
      [runs.reconciler],
      [restartReconciler({ store: store.value, clock, restart: () => restart() })],
      [control.bulk(pipeline, ["stops"])],
      [control.drift()],
      [control.bulk(pipeline, ["starts"])], // many commands with their admissions: stops and locks do not wait for them
      [control.bundles],
    ],
    options,
  );
  store.value.onAppended((_first, events) => {
    if (!events.every(tellsRunOnly)) ticker.nudge();
  });
  control.hub.onChange(() => ticker.nudge());
  const recovery = await pipeline.recover();
  logger.info("unfinished commands were looked at", { ...recovery });
  await ticker.round();
  startSummaries(pipeline, started, options);

  const runners = await startRunners(control, store.value, held.value, options);
  if (!runners.ok) return runners;
  started.push(...runners.value);
  started.push({ name: "reconcilers", stop: () => ticker.close() }); // stopped before the runners: nothing is to be started again

  const token = deriveToken(keys.hmac, home.environment, home.home_id);
  const server = serve({
    store: store.value,
    pipeline,
    metrics,
    control,
    platform,
    signer: signer.value,
    token,
    paths,
    options,
  });
  started.push({ name: "server", stop: () => server.close() });
  const listening = await server.listen();
  if (!listening.ok) return listening;
  const { address, port } = listening.value;
  const host = address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const note = join(paths.settings, "running.json");
  writeFileDurably(note, `${JSON.stringify({ url, pid: process.pid })}\n`, 0o600);
  started.push({ name: "runs", stop: () => runs.close() });
  started.push({ name: "platform", stop: () => platform.close() }); // before the server: callers that wait are told
  startCompiling(registry, started, options);
  started.push({ name: "note", stop: () => rmSync(note, { force: true }) });
  const farewell = async (signal: string | null, uptime_ms: number): Promise<void> => {
    const unproven = await control.stopAll(`the program ends: ${signal ?? "asked to"}`, millis(BOTS_GRACE_MS));
    if (unproven.length > 0)
      logger.error("bots could not be proven stopped; their runner is ended now", { bots: unproven });
    const event = systemEvent(
      { clock, random, actor: "system:program" },
      {
        action: "program.stopped",
        resource_type: "program",
        resource_id: home.home_id,
        outcome: "SUCCESS",
        details: { version: installation.version, pid: process.pid, signal, uptime_ms },
      },
    );
    const written = await store.value.commit({ writes: [], events: [event] });
    if (!written.ok) logger.error("the end of the program could not be audited", { problem: written.error.kind });
  };
  return ok({ url, token, paths, restartAsked, farewell });
}

async function openStore(
  { paths, keys, home }: HeldHome,
  { installation, random, scrubber }: ProgramOptions,
): Promise<Result<Store, Failure>> {
  const opened = await openSqliteStore({
    path: join(paths.store, "rumi.sqlite"),
    backup_folder: paths.backups,
    migrations: [...controlMigrations, ...platformMigrations, RUN_MIGRATIONS],
    signer: { origin: logOrigin(home.environment, home.home_id), private_key_pem: keys.ledger_pem },
    writer: { kind: "worker", worker_url: installation.writer_worker },
    random,
  });
  return opened.ok ? ok(scrubbedStore(opened.value, scrubber)) : opened;
}

function startViews(store: Store, paths: HomePaths, signer: NoteSigner, { clock, logger }: ProgramOptions): LogViews {
  const views = followLog({ update: filesOfLog(store, paths, signer), clock, logger: logger.child("log") });
  store.onAppended(() => views.nudge());
  return views;
}

function startSummaries(pipeline: Pipeline, started: Started[], { clock }: ProgramOptions): void {
  const stopped = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await clock.sleep(millis(SUMMARY_EVERY_MS), stopped.signal);
      await pipeline.flushSummaries("due");
    }
    await pipeline.flushSummaries("all");
  };
  const running = loop();
  started.push({
    name: "summaries",
    stop: async () => {
      stopped.abort();
      await running;
    },
  });
}

/** Beside the first requests, which compile what they need themselves: nobody waits for schemas that nobody uses yet. */
function startCompiling(registry: Registry, started: Started[], { clock, logger }: ProgramOptions): void {
  const stopped = new AbortController();
  const compiling = compileSchemas(registry, async () => {
    await clock.sleep(millis(0), stopped.signal);
    stopped.signal.throwIfAborted();
  }).catch((error: unknown) => {
    if (!stopped.signal.aborted) logger.error("a declared schema cannot be compiled", { error });
  });
  started.push({
    name: "schemas",
    stop: async () => {
      stopped.abort();
      await compiling;
    },
  });
}

type Served = {
  readonly store: Store;
  readonly pipeline: Pipeline;
  readonly metrics: Metrics;
  readonly control: ControlPlane;
  readonly platform: Platform;
  readonly signer: NoteSigner;
  readonly token: string;
  readonly paths: HomePaths;
  readonly options: ProgramOptions;
};

function serve({ store, pipeline, metrics, control, platform, signer, token, paths, options }: Served): Server {
  const { settings, installation, clock, random, logger } = options;
  const [instances, supply, release] = [
    instanceMetrics(store, metrics),
    supplyMetrics(store, metrics),
    releaseMetrics(store, metrics),
  ];
  return createServer({
    pipeline,
    packRoutes: platform.routes,
    metrics,
    beforeScrape: async () => {
      await instances();
      await supply();
      await release();
    },
    clock,
    random,
    authenticator: homeAuthenticator(token, control.operators),
    limiter: failureLimiter(clock),
    health: healthSource(probes({ store, hub: control.hub, home: paths.root })),
    log: servedLog(store, encodeVerifier(signer)),
    logger: logger.child("server"),
    scrubber: options.scrubber,
    bind_address: settings.api_bind_address,
    port: settings.api_port,
    cors_origins: settings.cors_origins,
    body_limit_bytes: settings.max_request_body_bytes,
    console_folder: options.headless ? null : installation.console,
    runbookOf,
    version: installation.version,
  });
}
