/** Flows put together: where their files lie, what their steps call, what looks after their schedules. */
import { join } from "node:path";
import type { Clock, Random } from "@rumi/kernel";
import type { Logger, Metrics } from "@rumi/operations";
import {
  createBlocks,
  createDeprecations,
  createFlowEngine,
  createModifierAudit,
  createScripts,
  createStepCalls,
  flowReconciler,
  flowSources,
  scheduleReconciler,
  type Blocks,
  type Boxes,
  type FlowDeps,
  type PipEnvironments,
  type PackLibrary,
  type PackSockets,
  type Reconciler,
  type RunDue,
  type StepCallDeps,
} from "@rumi/platform";
import type { Store } from "@rumi/store";
import type { HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";
import { blockHome } from "./block-home.ts";
import type { Installation } from "./installation.ts";

type World = {
  readonly settings: Settings;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};
type Parts = {
  readonly store: Store;
  readonly paths: HomePaths;
  readonly library: PackLibrary;
  readonly metrics: Metrics;
  readonly sockets: PackSockets;
  readonly environments: PipEnvironments;
  readonly calls: Pick<StepCallDeps, "capability" | "kernel">;
  readonly runDue: RunDue;
};
export type Flows = {
  readonly deps: FlowDeps;
  readonly reconciler: Reconciler;
  readonly schedules: Reconciler;
  /** Closed with the engine. */
  readonly blocks: Blocks & Boxes;
};

export function openFlows(
  { store, paths, library, metrics, sockets, environments, calls, runDue }: Parts,
  options: World,
): Flows {
  const { settings, clock, random } = options;
  const logger = options.logger.child("flows");
  const registered = metrics.gauge("flows.registered", "Flows that can be run.");
  const audit = createModifierAudit({ store, clock, random });
  const sources = flowSources({
    local_pack: settings.local_pack_mode,
    deprecations: createDeprecations(settings.deprecation_level, logger),
    store,
    clock,
    logger,
    folders: {
      flows: paths.flows,
      shared: join(paths.user_data, "shared/flows"),
      legacy: [join(paths.root, "flow"), join(paths.ecosystem, "flows")],
      packs: paths.packs,
    },
    onLoaded: async ({ entries, modifiers }) => {
      registered.set(entries.size);
      await audit(modifiers);
    },
  });
  const blocks = createBlocks({
    verify: (pack_id) => library.verify(pack_id),
    home: () => blockHome(options),
    sockets: (by) => sockets.of(by),
    environments,
  });
  const scripts = createScripts({
    worker_url: options.installation.script_worker,
    clock,
    verify: (pack_id) => library.verify(pack_id),
  });
  const callStep = createStepCalls({ store, clock, blocks, scripts, library, ...calls });
  const engine = createFlowEngine({
    store,
    clock,
    random,
    logger,
    metrics,
    blocks: { close: async () => void (await Promise.all([blocks.close(), scripts.close()])) },
    callStep,
    max_concurrent: settings.max_concurrent_flows,
    max_response_bytes: settings.max_response_bytes,
  });
  return {
    deps: { sources, engine, library, max_concurrent: settings.max_concurrent_flows },
    reconciler: flowReconciler(sources, engine),
    blocks,
    schedules: scheduleReconciler({
      store,
      clock,
      logger,
      sources,
      engine,
      max_concurrent: settings.max_concurrent_flows,
      run: runDue,
    }),
  };
}
