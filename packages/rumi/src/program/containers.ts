/** Boxes of packs as an operator sees them: the engine's socket, and the isolation in force on this machine. */
import { ok } from "@rumi/kernel";
import type { Declaration, Metrics } from "@rumi/operations";
import { containerDeclarations, pingEngine, type ContainerDeps } from "@rumi/platform";
import { DOCKER_SOCKET, engineSocket, JAIL_LEVELS } from "@rumi/sandbox";
import type { Settings } from "../home/settings.ts";
import { blockHome } from "./block-home.ts";
import type { Installation } from "./installation.ts";

export function openContainers(
  boxes: ContainerDeps["boxes"],
  metrics: Metrics,
  options: { readonly settings: Settings; readonly installation: Installation },
): readonly Declaration[] {
  const { security_mode, container_engine } = options.settings;
  const socket = engineSocket(container_engine) ?? DOCKER_SOCKET;
  return containerDeclarations({
    boxes,
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
