/** Boxes of packs as an operator sees them: the engine's socket, and the isolation in force on this machine. */
import { ok, sha256Hex, type Clock, type Random } from "@rumi/kernel";
import type { Declaration, Metrics } from "@rumi/operations";
import {
  containerDeclarations,
  createPackContainers,
  dockerEngine,
  pingEngine,
  type ContainerDeps,
  type PackContainers,
  type PackLibrary,
  type Reconciler,
} from "@rumi/platform";
import { DOCKER_SOCKET, engineSocket, JAIL_LEVELS } from "@rumi/sandbox";
import type { Settings } from "../home/settings.ts";
import { blockHome } from "./block-home.ts";
import type { Store } from "@rumi/store";
import type { Installation } from "./installation.ts";

const SWEEP_EVERY_MS = 15_000;

/** Containers that packs run for themselves, behind the same engine that boxes would stand in. */
export function openPackContainers(
  home: string,
  { settings, clock, random }: { readonly settings: Settings; readonly clock: Clock; readonly random: Random },
): PackContainers {
  const socket = engineSocket(settings.container_engine) ?? DOCKER_SOCKET;
  return createPackContainers({
    engine: dockerEngine(socket),
    socket,
    home: sha256Hex(home).slice(0, 32),
    clock,
    random,
  });
}

/** A pack that may no longer act has nothing running. */
export function containerSweep(
  containers: Pick<PackContainers, "sweep">,
  {
    store,
    library,
    clock,
  }: { readonly store: Store; readonly library: Pick<PackLibrary, "packOf">; readonly clock: Clock },
): Reconciler {
  let next = 0;
  return {
    name: "pack containers",
    run: async () => {
      if (clock.monotonic() < next) return;
      next = clock.monotonic() + SWEEP_EVERY_MS;
      await containers.sweep(async (pack_id) => (await library.packOf(store, pack_id))?.state === "approved");
    },
  };
}

export function openContainers(
  boxes: ContainerDeps["boxes"],
  packContainers: ContainerDeps["packContainers"],
  metrics: Metrics,
  options: { readonly settings: Settings; readonly installation: Installation },
): readonly Declaration[] {
  const { security_mode, container_engine } = options.settings;
  const socket = engineSocket(container_engine) ?? DOCKER_SOCKET;
  return containerDeclarations({
    boxes,
    packContainers,
    metrics,
    security_mode,
    container_engine,
    engine_socket: socket,
    engine: () => pingEngine(socket),
    isolation: async () => {
      const home = await blockHome(options);
      if (!home.ok) return home;
      const { mechanism } = home.value;
      return ok({ mechanism, level: JAIL_LEVELS[mechanism] });
    },
  });
}
