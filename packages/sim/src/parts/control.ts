/**
 * One life of the control plane: the production registry, pipeline, hub and reconcilers over the store's file.
 *
 * Its beat is the program's: lanes beside each other, each a round at once, after each nudge, and every second; the emergency
 * spool is looked at first, and bulks that stop and bulks that start have lanes of their own.
 */
import { type Clock, type Digest, millis, ok } from "@rumi/kernel";
import { controlMigrations, createControlPlane, type ControlPlane, type EmergencyFile } from "@rumi/control";
import { attesterFromPem } from "@rumi/ledger";
import {
  causeChain,
  createMetrics,
  createPipeline,
  createRegistry,
  type Answer,
  type Guards,
  type Logger,
  type Pipeline,
  type Principal,
} from "@rumi/operations";
import { platformMigrations, type Reconciler, type VerifiedStrategy } from "@rumi/platform";
import { openSqliteStore, type Store } from "@rumi/store";
import { simulatedFunds } from "@rumi/venues";
import { DESCRIPTOR } from "../strategy.ts";
import { guardedStore, type StoreFaults } from "../world/guarded-store.ts";
import type { SimProcess } from "../world/process.ts";

export const PACK_DIGEST = `sha256:${"5".repeat(64)}` as Digest;
const EVERY_MS = 1_000;
const SETTLE_MS = 5;
/** In place of a day; for so long nobody is a second person to whoever made them. */
const SECOND_PERSON_WAIT_SECONDS = 3;

export type SignerOf = {
  readonly origin: string;
  readonly private_key_pem: string;
  /** Signs stops. */
  readonly attestation_pem: string;
};

export type SimControl = {
  readonly process: SimProcess;
  /** As it is on disk, without latency or faults: for the checkers. */
  readonly real: Store;
  readonly control: ControlPlane;
  readonly pipeline: Pipeline;
  /** Commands are taken. */
  isReady(): boolean;
  command(name: string, fields: Fields, as: Principal): Promise<Answer>;
  query(name: string, fields: Fields, as: Principal): Promise<Answer>;
};
type Fields = Readonly<Record<string, unknown>>;

export async function openStore(file: string, signer: SignerOf, random: SimProcess["random"]): Promise<Store> {
  const opened = await openSqliteStore({
    path: file,
    backup_folder: file.slice(0, file.lastIndexOf("/")),
    migrations: [...controlMigrations, ...platformMigrations],
    signer: { origin: signer.origin, private_key_pem: signer.private_key_pem },
    writer: { kind: "in_process" },
    random,
  });
  if (!opened.ok)
    throw new Error(`the store does not open: ${opened.error.code} ${JSON.stringify(opened.error.params)}`);
  return opened.value;
}

export async function startControl(parts: {
  readonly process: SimProcess;
  /** The process's own, but for what is planted. */
  readonly clock: Clock;
  readonly file: string;
  readonly signer: SignerOf;
  readonly store: StoreFaults;
  readonly runDir: (bot_id: string, run_id: string) => string;
  readonly environment: string;
  /** On the machine's disk: it outlives this life. */
  readonly emergency_file: EmergencyFile;
  /** For seeded bugs. */
  readonly bug: {
    readonly guards?: (guards: Guards) => Guards;
    readonly emergency?: (pipeline: Pipeline) => Pipeline;
  };
}): Promise<SimControl> {
  const { process, clock } = parts;
  const { random, world, timers } = process;
  const real = await openStore(parts.file, parts.signer, random.stream("salts"));
  const store = guardedStore(real, process, parts.store);
  const logger = loggerOf(process);
  const strategy: VerifiedStrategy = {
    descriptor: DESCRIPTOR,
    pack_id: "sim_pack",
    digest: PACK_DIGEST,
    directory: "/sim",
    entries: [],
    manifest: {} as VerifiedStrategy["manifest"], // read only where a Compute side is wished for
  };
  const control = createControlPlane({
    store,
    clock,
    random,
    logger,
    environment: parts.environment,
    second_person_wait_seconds: SECOND_PERSON_WAIT_SECONDS,
    funds: simulatedFunds,
    runDir: parts.runDir,
    emergency_file: parts.emergency_file,
    attester: attesterFromPem(parts.signer.attestation_pem),
    packs: {
      approvedStrategy: () => Promise.resolve(ok(DESCRIPTOR)),
      verifyStrategy: () => Promise.resolve(ok(strategy)),
      packOf: () => Promise.resolve(undefined), // no bot of the simulator says that it needs one
      keptProvenance: () => Promise.resolve(undefined),
      filesOf: () => Promise.reject(new Error("nobody runs the supply-chain gate")),
    },
    inspectRecordings: () => Promise.reject(new Error("the simulator has no recordings")),
    proveEvent: () => Promise.reject(new Error("nobody asks for proofs")),
  });
  const registry = createRegistry(control.declarations);
  control.know(registry);
  const pipeline = createPipeline({
    store,
    registry,
    guards: parts.bug.guards?.(control.guards) ?? control.guards,
    clock,
    random,
    metrics: createMetrics(),
    fingerprintKey: new Uint8Array(32).fill(7),
    logger,
  });
  let isReady = false;
  const round = async (reconcilers: readonly Reconciler[]): Promise<void> => {
    for (const reconciler of reconcilers) {
      try {
        await reconciler.run();
      } catch (error) {
        logger.error("a reconciler failed; it runs again", { reconciler: reconciler.name, error });
      }
    }
  };
  const lanes = [
    [control.emergency(parts.bug.emergency?.(pipeline) ?? pipeline), ...control.reconcilers],
    [control.bulk(pipeline, ["stops"])],
    [control.bulk(pipeline, ["starts"])],
  ];
  const wakes = lanes.map(() => new AbortController());
  const nudge = (): void => {
    for (const wake of wakes) wake.abort();
  };
  const beat = async (lane: number): Promise<never> => {
    for (;;) {
      await round(lanes[lane] ?? []);
      const { signal } = wakes[lane] ?? new AbortController();
      await clock.sleep(millis(EVERY_MS), signal);
      if (signal.aborted) await clock.sleep(millis(SETTLE_MS));
      wakes[lane] = new AbortController();
    }
  };
  store.onAppended(nudge);
  control.hub.onChange(nudge);
  timers.after(1, () => {
    void (async () => {
      const recovery = await pipeline.recover();
      world.note(process.name, `recovers ${JSON.stringify(recovery)}`);
      for (const lane of lanes) await round(lane);
      isReady = true;
      world.note(process.name, "is ready");
      lanes.forEach((_, lane) => void beat(lane));
    })();
  });
  return {
    process,
    real,
    control,
    pipeline,
    isReady: () => isReady && process.alive && !process.isStill,
    command: (name, fields, principal) => {
      const operation = registry.operations.get(name);
      if (operation === undefined) throw new Error(`nothing is called ${name}`);
      const { params, others } = byPath(operation.definition.http.path, fields);
      return pipeline.execute(operation, {
        raw: { params, query: {}, body: others },
        principal,
        idempotencyKey: null,
        trace_id: String(fields["trace_id"] ?? fields["command_id"]),
        remote: "simulator",
      });
    },
    query: (name, fields, principal) => {
      const query = registry.queries.get(name);
      if (query === undefined) throw new Error(`nothing is called ${name}`);
      const { params, others } = byPath(query.definition.http.path, fields);
      const texts = Object.fromEntries(Object.entries(others).map(([field, value]) => [field, String(value)]));
      return pipeline.query(query, {
        raw: { params, query: texts, body: undefined },
        principal,
        trace_id: "simulator",
      });
    },
  };
}

/** A field that the path names travels in the path. */
function byPath(path: string, fields: Fields): { readonly params: Record<string, string>; readonly others: Fields } {
  const [params, others] = [new Map<string, string>(), new Map<string, unknown>()];
  for (const [field, value] of Object.entries(structuredClone(fields)))
    if (path.includes(`{${field}}`)) params.set(field, String(value));
    else others.set(field, value);
  return { params: Object.fromEntries(params), others: Object.fromEntries(others) };
}

function loggerOf(process: SimProcess): Logger {
  const tell =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const { error, ...others } = fields;
      const causes = error === undefined ? "" : ` ${causeChain(error).join(" ← ")}`;
      process.world.note(process.name, `${level} ${message} ${JSON.stringify(others)}${causes}`);
    };
  const logger: Logger = {
    log: () => undefined,
    debug: () => undefined,
    info: () => undefined,
    warning: tell("warning"),
    error: tell("ERROR"),
    critical: tell("CRITICAL"),
    child: () => logger,
  };
  return logger;
}
