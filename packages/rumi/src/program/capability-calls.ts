/** Calls of capabilities put together: the handlers' own jails, and what the program itself answers. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Random } from "@rumi/kernel";
import type { Metrics } from "@rumi/operations";
import {
  createBlocks,
  createCapabilityCalls,
  createHandlerRegistry,
  createStoreAccess,
  flowRun,
  inboxSend,
  PACK_LIMITS,
  proposalsIn,
  proposePatch,
  secretsGet,
  storeBuiltins,
  type CallCapability,
  type ImportProposal,
  type PackContainers,
  type PackLibrary,
  type RunFlow,
  type Secrets,
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
};
export type CapabilityCalls = { readonly call: CallCapability; readonly close: () => Promise<void> };

export function openCapabilityCalls(
  of: {
    readonly store: Store;
    readonly paths: HomePaths;
    readonly library: PackLibrary;
    readonly secrets: Pick<Secrets, "readSecret">;
    readonly metrics: Metrics;
    readonly runFlow: RunFlow;
    readonly importProposal: ImportProposal;
    readonly packContainers: Pick<PackContainers, "builtins">;
  },
  options: World,
): CapabilityCalls {
  const { store, library, importProposal } = of;
  const inbox = join(of.paths.user_data, "inbox");
  rmSync(proposalsIn(inbox), { recursive: true, force: true });
  const jails = createBlocks({ verify: (pack_id) => library.verify(pack_id), home: () => blockHome(options) });
  const call = createCapabilityCalls({
    store,
    clock: options.clock,
    random: options.random,
    metrics: of.metrics,
    library,
    jails,
    handlers: createHandlerRegistry({
      store,
      folder: join(of.paths.user_data, "capabilities/handlers"),
      limits: PACK_LIMITS,
    }),
    builtins: {
      "secrets.get": secretsGet(of.secrets.readSecret),
      "flow.run": flowRun(of.runFlow),
      "pack.inbox.send": inboxSend({ store, clock: options.clock, random: options.random }),
      "pack.update.propose_patch": proposePatch({ library, limits: PACK_LIMITS, inbox, importProposal }),
      ...of.packContainers.builtins,
      ...storeBuiltins(createStoreAccess({ store, clock: options.clock })),
    },
  });
  return { call, close: () => jails.close() };
}
