/**
 * One life of the control plane: the production registry, pipeline, hub and reconcilers over the store's file.
 *
 * Its beat is the program's: a round at once, after each nudge, and every second.
 */
import { type Clock, type Digest, millis, ok } from "@rumi/kernel";
import { simulatedFunds } from "@rumi/venues";
import { controlMigrations, createControlPlane, type ControlPlane } from "@rumi/control";
import {
  causeChain,
  createMetrics,
  createPipeline,
  createRegistry,
  type Answer,
  type Logger,
  type Pipeline,
  type Principal,
} from "@rumi/operations";
import { platformMigrations, type VerifiedStrategy } from "@rumi/platform";
import { openSqliteStore, type Store } from "@rumi/store";
import { DESCRIPTOR } from "../strategy.ts";
import { guardedStore, type StoreFaults } from "../world/guarded-store.ts";
import type { SimProcess } from "../world/process.ts";

export const ROOT: Principal = { id: "user:root", roles: ["view_only", "operator", "admin"] };
export const PACK_DIGEST = `sha256:${"5".repeat(64)}` as Digest;
const EVERY_MS = 1_000;
const SETTLE_MS = 5;

export type SignerOf = { readonly origin: string; readonly private_key_pem: string };

export type SimControl = {
  readonly process: SimProcess;
  /** As it is on disk, without latency or faults: for the checkers. */
  readonly real: Store;
  readonly control: ControlPlane;
  readonly pipeline: Pipeline;
  /** Commands are taken. */
  isReady(): boolean;
  command(name: string, body: Readonly<Record<string, unknown>>): Promise<Answer>;
};

export async function openStore(file: string, signer: SignerOf, random: SimProcess["random"]): Promise<Store> {
  const opened = await openSqliteStore({
    path: file,
    backup_folder: file.slice(0, file.lastIndexOf("/")),
    migrations: [...controlMigrations, ...platformMigrations],
    signer,
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
    manifest: {} as VerifiedStrategy["manifest"], // read only where a Compute side is wished for
  };
  const control = createControlPlane({
    store,
    clock,
    random,
    logger,
    environment: "dev",
    funds: simulatedFunds,
    runDir: parts.runDir,
    packs: {
      approvedStrategy: () => Promise.resolve(ok(DESCRIPTOR)),
      verifyStrategy: () => Promise.resolve(ok(strategy)),
      packOf: () => Promise.resolve(undefined), // no bot of the simulator says that it needs one
    },
    inspectRecordings: () => Promise.reject(new Error("the simulator has no recordings")),
    proveEvent: () => Promise.reject(new Error("nobody asks for proofs")),
  });
  const registry = createRegistry(control.declarations);
  control.know(registry);
  const pipeline = createPipeline({
    store,
    registry,
    guards: control.guards,
    clock,
    random,
    metrics: createMetrics(),
    fingerprintKey: new Uint8Array(32).fill(7),
    logger,
  });
  let isReady = false;
  const round = async (): Promise<void> => {
    for (const reconciler of control.reconcilers) {
      try {
        await reconciler.run();
      } catch (error) {
        logger.error("a reconciler failed; it runs again", { reconciler: reconciler.name, error });
      }
    }
  };
  let wake = new AbortController();
  const nudge = (): void => wake.abort();
  const beat = async (): Promise<never> => {
    for (;;) {
      await round();
      await clock.sleep(millis(EVERY_MS), wake.signal);
      if (wake.signal.aborted) await clock.sleep(millis(SETTLE_MS));
      wake = new AbortController();
    }
  };
  store.onAppended(nudge);
  control.hub.onChange(nudge);
  timers.after(1, () => {
    void (async () => {
      const recovery = await pipeline.recover();
      world.note(process.name, `recovers ${JSON.stringify(recovery)}`);
      await round();
      isReady = true;
      world.note(process.name, "is ready");
      await beat();
    })();
  });
  return {
    process,
    real,
    control,
    pipeline,
    isReady: () => isReady && process.alive && !process.isStill,
    command: (name, body) => {
      const operation = registry.operations.get(name);
      if (operation === undefined) throw new Error(`nothing is called ${name}`);
      // A field that the path names travels in the path.
      const { path } = operation.definition.http;
      const [params, others] = [new Map<string, string>(), new Map<string, unknown>()];
      for (const [field, value] of Object.entries(structuredClone(body)))
        if (path.includes(`{${field}}`)) params.set(field, String(value));
        else others.set(field, value);
      return pipeline.execute(operation, {
        raw: { params: Object.fromEntries(params), query: {}, body: Object.fromEntries(others) },
        principal: ROOT,
        idempotencyKey: null,
        trace_id: String(body["trace_id"] ?? body["command_id"]),
        remote: "simulator",
      });
    },
  };
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
