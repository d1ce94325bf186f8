/**
 * The composition root: takes a home, opens its store, puts the parts together, and runs them until it is told to stop.
 *
 * Read `startProgram` from top to bottom for the order in which things come to life; `stop` undoes it backwards.
 *
 * Invariants (packages/rumi/test/*.e2e.test.ts)
 * - Unfinished commands are finished before new ones are taken.
 * - After `stop` no process and no socket of ours is left.
 */
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createControlPlane,
  createRunnerSupervisor,
  controlMigrations,
  listenForRunners,
  instanceMetrics,
  readRunners,
  runbookOf,
  runnerSocketPath,
  supplyMetrics,
  thresholdsOf,
  type ControlPlane,
  type RunnerSocketServer,
  type RunnerSupervisor,
  type Thresholds,
} from "@rumi/control";
import {
  hmacSha256,
  millis,
  ok,
  uuidv7,
  type Clock,
  type Failure,
  type Random,
  type Result,
  type Scrubber,
} from "@rumi/kernel";
import { attesterFromPem, encodeVerifier, logOrigin, proveEvent, signerFromPem, type NoteSigner } from "@rumi/ledger";
import {
  createMetrics,
  createPipeline,
  createRegistry,
  deriveToken,
  failureLimiter,
  homeAuthenticator,
  scrubbedStore,
  type Logger,
  type Metrics,
  type Pipeline,
} from "@rumi/operations";
import {
  createSlidingWindow,
  flowDeclarations,
  secretDeclarations,
  packReconciler,
  platformDeclarations,
  platformMigrations,
  restartReconciler,
  systemEvent,
  type PackLibrary,
} from "@rumi/platform";
import { createServer, EVENTS_ACTION, type Server } from "@rumi/server";
import { openSqliteStore, storedLog, type Store } from "@rumi/store";
import { declaredFunds, loadRecordings } from "@rumi/venues";
import { emergencyFile } from "../home/emergency-file.ts";
import { writeFileDurably } from "../home/files.ts";
import type { HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";
import { admissionProcess } from "./admission.ts";
import { announceStart } from "./announce.ts";
import { bundleSources } from "./bundle-sources.ts";
import { filesOfLog } from "./files-of-log.ts";
import { openFlows } from "./flows.ts";
import { healthSource, hostFacts, probes } from "./health.ts";
import type { Installation } from "./installation.ts";
import { followLog, type LogViews } from "./log-views.ts";
import { takeHome, type HeldHome } from "./open-home.ts";
import { openSecrets } from "./open-secrets.ts";
import { packLibrary } from "./pack-library.ts";
import { networkPorts, privilegePorts, waitingCandidates } from "./platform-ports.ts";
import { runnerProcess } from "./runner-process.ts";
import { servedLog } from "./served-log.ts";
import { supplySources } from "./supply-sources.ts";
import { startTicker } from "./tick.ts";

/** How long a runner of an earlier program is given to dial before a new one is started. */
const SURVIVOR_WAIT_MS = 3_000;
/** How long runners get to stop in order. */
const RUNNER_GRACE_MS = 10_000;
/** How long bots get to stop in order, journals and checkpoints included. */
const BOTS_GRACE_MS = 20_000;
const SUMMARY_EVERY_MS = 1_000;
/** Keys that are derived from the home's HMAC key, so that none of them is the token's. */
const FINGERPRINT_PURPOSE = "rumi/fingerprint/v1";

export type ProgramOptions = {
  readonly settings: Settings;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Taken through by the logger's sink too. */
  readonly scrubber: Scrubber;
  /** Without a console: its files are not served. */
  readonly headless: boolean;
};

export interface RunningProgram {
  readonly url: string;
  readonly token: string;
  readonly paths: HomePaths;
  readonly ready_ms: number;
  /** Resolves when a command asked for a restart: whoever started the program stops it and starts it again. */
  readonly restartAsked: Promise<void>;
  /** Orderly end: nothing new is taken, runners stop, the store closes, the lock goes. Idempotent. */
  readonly stop: (signal: string | null) => Promise<void>;
}

/** Parts in the order in which they were started; `stop` walks it backwards. */
type Started = { readonly name: string; readonly stop: () => Promise<void> | void };

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

  const metrics = createMetrics();
  const library = packLibrary(store.value, paths, options);
  const secrets = await openSecrets(store.value, held.value, options);
  const control = controlPlane(store.value, library.library, held.value, metrics, {
    ...options,
    interlocks: interlocks.value,
  });
  started.push({ name: "control plane", stop: () => control.close() });
  const flows = openFlows(store.value, paths, library.library, metrics, options);
  const registry = createRegistry([
    ...control.declarations,
    ...platformDeclarations(
      {
        ...library.deps,
        mayApprove: control.supplyCheck,
        handlers: join(paths.user_data, "capabilities/handlers"),
        network: networkPorts(clock, createSlidingWindow(clock, 60_000)),
        privileges: privilegePorts(store.value, {
          version: installation.version,
          environment: home.environment,
          probes: probes({ store: store.value, hub: control.hub, home: paths.root }),
        }),
      },
      library.library,
    ),
    ...flowDeclarations(flows.deps),
    ...secretDeclarations(secrets),
  ]);
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
  const wasClean = await announceStart(store.value, held.value, options);
  if (!wasClean.ok) return wasClean;

  const summaryPath = join(paths.pending, "summary.json");
  const candidates = waitingCandidates(store.value, clock);
  let restart = (): void => {};
  const restartAsked = new Promise<void>((resolve) => (restart = resolve));
  const ticker = startTicker(
    [
      [control.emergency(pipeline), control.interlocks(pipeline, hostFacts(paths.root, clock)), ...control.reconcilers],
      // Hashes whole trees, which no stop stands behind.
      [packReconciler({ ...library.deps, summaryPath, candidates }, library.library)],
      [restartReconciler({ store: store.value, clock, restart: () => restart() })],
      [secrets.reconciler],
      [control.bulk(pipeline, ["stops"])],
      [control.drift()],
      [control.bulk(pipeline, ["starts"])], // many commands with their admissions: stops and locks do not wait for them
      [control.bundles],
      [flows.reconciler],
    ],
    options,
  );
  store.value.onAppended(() => ticker.nudge());
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
  const server = serve({ store: store.value, pipeline, metrics, control, signer: signer.value, token, paths, options });
  started.push({ name: "server", stop: () => server.close() });
  const listening = await server.listen();
  if (!listening.ok) return listening;
  const { address, port } = listening.value;
  const host = address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const note = join(paths.settings, "running.json");
  writeFileDurably(note, `${JSON.stringify({ url, pid: process.pid })}\n`, 0o600);
  started.push({ name: "flows", stop: () => flows.deps.engine.close() }); // before the server: callers that wait are told
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
    migrations: [...controlMigrations, ...platformMigrations],
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

function controlPlane(
  store: Store,
  packs: PackLibrary,
  { paths, home, keys }: HeldHome,
  metrics: Metrics,
  {
    settings,
    installation,
    clock,
    random,
    logger,
    scrubber,
    interlocks,
  }: ProgramOptions & { readonly interlocks: Thresholds },
): ControlPlane {
  return createControlPlane({
    store,
    clock,
    random,
    packs,
    logger: logger.child("control"),
    environment: home.environment,
    dangerous_operations: settings.dangerous_operations,
    second_person_wait_seconds: settings.second_person_wait_seconds,
    interlocks,
    isolation_floor: settings.security_mode === "strict" ? "strict" : "any",
    attester: attesterFromPem(keys.attestation_pem),
    bundles: bundleSources({ paths, settings, installation, metrics, environment: process.env, scrubber }),
    supply: supplySources(paths, settings),
    emergency_file: emergencyFile(join(paths.user_data, "emergency.spool")),
    runDir: (bot_id, run_id) => join(paths.runs, bot_id, run_id),
    funds: declaredFunds(join(paths.settings, "funds.json")),
    admit: admissionProcess(installation, settings.container_engine),
    inspectRecordings: async (files) => {
      const loaded = await loadRecordings(files, { cache_dir: paths.cache });
      return loaded.ok ? ok(loaded.value.report) : loaded;
    },
    proveEvent: async (reader, _event_id, log_index) => {
      const log = storedLog(store, reader);
      const [opened] = await log.payloads(log_index, log_index + 1);
      return proveEvent(log, log_index, opened);
    },
  });
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

async function startRunners(
  control: ControlPlane,
  store: Store,
  held: HeldHome,
  options: ProgramOptions,
): Promise<Result<readonly Started[], Failure>> {
  const { installation, clock, random, logger } = options;
  const { paths, home, runner_key_file } = held;
  const path = runnerSocketPath(join(paths.runners, "control.sock"), tmpdir());
  if (!path.ok) return path;
  const key = new Uint8Array(Buffer.from(readFileSync(runner_key_file, "utf8").trim(), "hex"));
  const listening = await listenForRunners({
    path: path.value,
    key,
    home_id: home.home_id,
    clock,
    random,
    logger: logger.child("runners"),
    onConnection: (connection) => control.hub.attach(connection),
  });
  if (!listening.ok) return listening;
  const socket: RunnerSocketServer = listening.value;
  const known = await readRunners(store, store);
  const supervisor: RunnerSupervisor = createRunnerSupervisor({
    hub: control.hub,
    clock,
    logger: logger.child("runners"),
    survivors: { expected: known.some((runner) => runner.state === "connected"), wait: millis(SURVIVOR_WAIT_MS) },
    endProcess: (pid) => {
      try {
        process.kill(pid, "SIGKILL");
      } catch (problem) {
        logger.info("a runner's process had ended by itself", { pid, problem: String(problem) });
      }
    },
    spawn: () => {
      const runner_id = `local-${uuidv7(clock.now(), random).slice(-12)}`;
      return runnerProcess({
        runner_id,
        entry: installation.runner,
        log_folder: paths.runners,
        arguments: [
          "--socket",
          socket.path,
          "--key-file",
          runner_key_file,
          "--runner-id",
          runner_id,
          "--lane-url",
          installation.lane_worker.href,
          "--sdk-dir",
          installation.python_sdk,
          "--runner-dir",
          installation.jail_scripts,
          "--container-engine",
          options.settings.container_engine,
        ],
      });
    },
  });
  const stopped = new AbortController();
  const running = supervisor.run(stopped.signal);
  return ok([
    { name: "runner socket", stop: () => socket.close() },
    {
      name: "runners",
      stop: async () => {
        await supervisor.shutdown(millis(RUNNER_GRACE_MS));
        stopped.abort();
        await running;
      },
    },
  ]);
}

type Served = {
  readonly store: Store;
  readonly pipeline: Pipeline;
  readonly metrics: Metrics;
  readonly control: ControlPlane;
  readonly signer: NoteSigner;
  readonly token: string;
  readonly paths: HomePaths;
  readonly options: ProgramOptions;
};

function serve({ store, pipeline, metrics, control, signer, token, paths, options }: Served): Server {
  const { settings, installation, clock, random, logger } = options;
  const [instances, supply] = [instanceMetrics(store, metrics), supplyMetrics(store, metrics)];
  return createServer({
    pipeline,
    metrics,
    beforeScrape: async () => {
      await instances();
      await supply();
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

async function stopAll(started: Started[], logger: Logger): Promise<void> {
  for (let part = started.pop(); part !== undefined; part = started.pop()) {
    const began = performance.now();
    try {
      await part.stop();
      logger.debug("a part stopped", { part: part.name, after_ms: Math.round(performance.now() - began) });
    } catch (error) {
      logger.error("a part could not be stopped in order", {
        part: part.name,
        problem: error instanceof Error ? error.message : String(error),
      });
    }
  }
}
