/** The declarations without a program: what the command line and the documents are made from. */
import { createControlPlane } from "@rumi/control";
import { millis, micros, NO_SECRETS, seededRandom, type Clock } from "@rumi/kernel";
import {
  cliCommands,
  createLogger,
  createMetrics,
  describeRegistry,
  type CliCommand,
  type Registry,
} from "@rumi/operations";
import {
  containerDeclarations,
  createPackLibrary,
  createPackRoutes,
  createSecrets,
  flowDeclarations,
  platformDeclarations,
  PACK_LIMITS,
  pipDeclarations,
  routeDeclarations,
  secretDeclarations,
  unitDeclarations,
  type PackDeps,
} from "@rumi/platform";
import { packDeclarations, runDeclarations } from "@rumi/runs";
import type { Store } from "@rumi/store";
import { simulatedFunds } from "@rumi/venues";

/** Every operation and query as a verb of the command line. */
export function describedCommands(): readonly CliCommand[] {
  return cliCommands(describedOperations());
}

export function describedOperations(): Registry {
  const nothing = (): never => {
    throw new Error("a description reads and writes nothing");
  };
  const store: Store = {
    dialect: "sqlite",
    rows: nothing,
    builder: nothing,
    snapshot: nothing,
    commit: nothing,
    onAppended: () => () => {},
    close: nothing,
  };
  const clock: Clock = { now: () => micros(0), monotonic: () => millis(0), sleep: nothing };
  const random = seededRandom("description");
  const deps: PackDeps = {
    store,
    clock,
    random,
    limits: PACK_LIMITS,
    folders: { ecosystem: "", staging: "", store: "", backups: "", uploads: "" },
    importRoots: "any",
    botsUsing: nothing,
  };
  const library = createPackLibrary(deps);
  const logger = createLogger({ level: "CRITICAL", format: "text", clock, sink: () => {} });
  const control = createControlPlane({
    store,
    clock,
    random,
    logger,
    environment: "dev",
    funds: simulatedFunds,
    runDir: nothing,
    packs: library,
    inspectRecordings: nothing,
    proveEvent: nothing,
  });
  control.close();
  const flows = {
    library,
    max_concurrent: 1,
    sources: { current: nothing, refresh: nothing, recent: nothing },
    engine: {
      resume: nothing,
      carry: nothing,
      compute: nothing,
      told: nothing,
      halt: nothing,
      trace: nothing,
      isOpen: nothing,
      close: nothing,
    },
  };
  const secrets = createSecrets({
    store,
    clock,
    random,
    scrubber: NO_SECRETS,
    folder: "",
    key: { kind: "none", plain_text: "refused", problem: "" },
    reads_per_minute: 1,
    liveBotsUsing: nothing,
  });
  const flowOperations = flowDeclarations(flows);
  return describeRegistry([
    ...control.declarations,
    ...platformDeclarations({ ...deps, handlers: "" }, library),
    ...flowOperations,
    ...containerDeclarations({
      boxes: { standing: nothing, start: nothing, end: nothing },
      packContainers: { standing: nothing, sweep: nothing },
      engine: nothing,
      engine_socket: "",
      isolation: nothing,
      security_mode: "",
      container_engine: "",
      metrics: createMetrics(),
    }),
    ...unitDeclarations({
      store,
      clock,
      random,
      library,
      folder: "",
      ecosystem: "",
      limits: PACK_LIMITS,
      jails: { callHandler: nothing },
      rate: { recent: nothing, count: nothing },
    }),
    ...pipDeclarations({
      store,
      clock,
      random,
      library,
      environments: { of: nothing, verify: nothing, broken: nothing },
      install: {
        folder: "",
        tools: nothing,
        run: nothing,
        index: { resolve: nothing, hosts: [] },
        ca_file: null,
        jails: { callHandler: nothing },
        builder: "",
      },
    }),
    ...routeDeclarations(
      { routes: createPackRoutes({ store, packs: "" }), library, sources: flows.sources },
      flowOperations,
    ),
    ...secretDeclarations(secrets),
    ...runDeclarations({
      git: nothing,
      root: "",
      roots: "any",
      mechanism: nothing,
      stop: nothing,
      scrubber: NO_SECRETS,
      files: { log: nothing, stream: nothing, proof: nothing, attestation: nothing },
    }),
    ...packDeclarations({
      git: nothing,
      root: "",
      attester: { keyid: "", public_pem: "", sign: nothing },
      write: nothing,
    }),
  ]);
}
