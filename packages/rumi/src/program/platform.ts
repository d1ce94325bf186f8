/** Everything that packs bring with them, put together: their library, grants, secrets, flows and what looks after them. */
import { join } from "node:path";
import type { ControlPlane } from "@rumi/control";
import { uuidv7 } from "@rumi/kernel";
import type { Declaration, Metrics } from "@rumi/operations";
import {
  createLibs,
  createPackProbes,
  createPackRoutes,
  dictJournal,
  flowDeclarations,
  packReconciler,
  pipDeclarations,
  platformDeclarations,
  routeDeclarations,
  secretDeclarations,
  type PackRoutes,
  type Reconciler,
} from "@rumi/platform";
import type { Store } from "@rumi/store";
import { openCapabilityCalls } from "./capability-calls.ts";
import { containerSweep, openContainers, openPackContainers } from "./containers.ts";
import { openFlows } from "./flows.ts";
import { probes } from "./health.ts";
import type { HeldHome } from "./open-home.ts";
import { innerCommands, type InnerCommands } from "./inner-commands.ts";
import { openSecrets } from "./open-secrets.ts";
import { openPackLines } from "./pack-lines.ts";
import type { packLibrary } from "./pack-library.ts";
import type { ProgramOptions } from "./parts.ts";
import { openLibraries } from "./pip.ts";
import { openUnits } from "./units.ts";
import { privilegePorts, waitingCandidates } from "./platform-ports.ts";

type World = {
  readonly store: Store;
  readonly held: HeldHome;
  readonly library: ReturnType<typeof packLibrary>;
  readonly control: ControlPlane;
  readonly metrics: Metrics;
  readonly options: ProgramOptions;
};
export type Platform = {
  readonly declarations: readonly Declaration[];
  /** A list for each lane of the ticker. */
  readonly reconcilers: readonly (readonly Reconciler[])[];
  /** What flows and packs may wish is carried out from then on. */
  readonly attach: InnerCommands["attach"];
  readonly routes: PackRoutes;
  readonly close: () => Promise<void>;
};

export async function openPlatform({ store, held, library, control, metrics, options }: World): Promise<Platform> {
  const { clock, installation } = options;
  const { paths, home } = held;
  const secrets = await openSecrets(store, held, options);
  const inner = innerCommands(() => uuidv7(clock.now(), options.random));
  const packContainers = openPackContainers(paths.root, options);
  const { runFlow, importProposal } = inner;
  const of = { store, paths, library: library.library, secrets, metrics, runFlow, importProposal, packContainers };
  const calls = openCapabilityCalls(of, options);
  const packProbes = createPackProbes(clock);
  const lines = openPackLines({ store, paths, metrics, call: calls.call, packProbes }, options);
  const reached = { capability: calls.call, kernel: inner.kernel };
  const libraries = openLibraries(store, paths, library.library, options);
  const units = openUnits(store, paths, library.library, options);
  const { environments } = libraries.deps;
  const flows = openFlows(
    { ...of, sockets: lines.sockets, environments, calls: reached, runDue: inner.runDue },
    options,
  );
  const libs = createLibs({
    store,
    clock,
    random: options.random,
    logger: options.logger.child("libs"),
    blocks: flows.blocks,
    packs: paths.packs,
    recordsPath: join(paths.settings, "lib_execution_records.json"),
  });
  const routes = createPackRoutes({ store, packs: paths.packs });
  const flowOperations = flowDeclarations(flows.deps);
  const summaryPath = join(paths.pending, "summary.json");
  const candidates = waitingCandidates(store, clock);
  return {
    routes,
    declarations: [
      ...platformDeclarations(
        {
          ...library.deps,
          mayApprove: control.supplyCheck,
          handlers: join(paths.user_data, "capabilities/handlers"),
          network: lines.network,
          privileges: privilegePorts(store, {
            version: installation.version,
            environment: home.environment,
            probes: probes({ store, hub: control.hub, home: paths.root }),
            packProbes,
          }),
        },
        library.library,
      ),
      ...flowOperations,
      ...pipDeclarations(libraries.deps),
      ...units.declarations,
      ...openContainers(flows.blocks, packContainers, metrics, options),
      ...routeDeclarations({ routes, library: library.library, sources: flows.deps.sources }, flowOperations),
      ...secretDeclarations(secrets),
    ],
    reconcilers: [
      [packReconciler({ ...library.deps, summaryPath, candidates }, library.library)], // hashes whole trees, which no stop stands behind
      [secrets.reconciler],
      [flows.reconciler],
      [flows.schedules],
      [routes.reconciler],
      [libs.reconciler],
      [containerSweep(packContainers, { store, library: library.library, clock })],
      [dictJournal({ store, path: join(paths.settings, "shared_dict/journal.jsonl") })],
    ],
    attach: inner.attach,
    close: async () => {
      await Promise.all([libs.close(), flows.deps.engine.close()]);
      await calls.close();
      await packContainers.sweep(() => false);
      await Promise.all([libraries.close(), units.close()]);
      await lines.sockets.close();
    },
  };
}
