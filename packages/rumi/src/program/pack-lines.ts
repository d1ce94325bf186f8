/** What packs may send and ask, put together: the proxy to the network, and the two sockets of each pack. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Random } from "@rumi/kernel";
import type { Logger, Metrics } from "@rumi/operations";
import {
  createEgressProxy,
  createPackSockets,
  createSlidingWindow,
  systemDial,
  type CallCapability,
  type NetworkPorts,
  type PackProbes,
  type PackSockets,
  type SocketFolder,
} from "@rumi/platform";
import type { Store } from "@rumi/store";
import type { HomePaths } from "../home/layout.ts";
import { SETTINGS, type Settings } from "../home/settings.ts";
import { healthReport, hostProbes, type HealthReport } from "./health.ts";
import { networkPorts } from "./platform-ports.ts";

const WINDOW_MS = 60_000;

type World = { readonly settings: Settings; readonly clock: Clock; readonly random: Random; readonly logger: Logger };
export type PackLinesParts = { readonly sockets: PackSockets; readonly network: NetworkPorts };

export function openPackLines(
  of: {
    readonly store: Store;
    readonly paths: HomePaths;
    readonly metrics: Metrics;
    readonly call: CallCapability;
    readonly packProbes: PackProbes;
  },
  { settings, clock, random, logger }: World,
): PackLinesParts {
  const { store, metrics, call } = of;
  const requests = createSlidingWindow(clock, WINDOW_MS);
  const network = networkPorts(clock, requests);
  const { resolve } = network;
  const { max_response_bytes } = settings;
  const deps = { store, clock, random, logger: logger.child("packs") };
  const proxy = createEgressProxy({ ...deps, metrics, resolve, dial: systemDial, requests, max_response_bytes });
  const run = join(of.paths.user_data, "run");
  const egress: SocketFolder = {
    folder: usable("egress_sock_dir", settings, join(run, "egress"), deps.logger),
    gid: settings.egress_socket_gid,
    mode: settings.egress_socket_mode,
    variable: "RUMI_EGRESS_SOCK_DIR, RUMI_EGRESS_SOCKET_GID or RUMI_EGRESS_SOCKET_MODE",
  };
  const capability: SocketFolder = {
    folder: usable("capability_sock_dir", settings, join(run, "capability"), deps.logger),
    gid: settings.capability_socket_gid,
    mode: settings.capability_socket_mode,
    variable: "RUMI_CAPABILITY_SOCK_DIR, RUMI_CAPABILITY_SOCKET_GID or RUMI_CAPABILITY_SOCKET_MODE",
  };
  for (const { folder, mode } of [egress, capability])
    if ((mode & 0o006) !== 0)
      deps.logger.warning("every user of this machine may use the packs' sockets", { folder, mode: mode.toString(8) });
  const hostHealth = async (): Promise<HealthReport["probes"]> =>
    (await healthReport(hostProbes(of.paths.root))).probes;
  const runtime = { metrics, packProbes: of.packProbes, hostHealth };
  return { network, sockets: createPackSockets({ ...deps, egress, capability, proxy, call, runtime }) };
}

/** What is configured counts as it is; only the default has another place, because an ordinary user has no /run. */
function usable(
  key: "egress_sock_dir" | "capability_sock_dir",
  settings: Settings,
  instead: string,
  logger: Logger,
): string {
  const folder = settings[key];
  if (folder !== SETTINGS[key].default) return folder;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    logger.warning("the packs' sockets are not in their usual folder", { folder, instead, problem });
    return instead;
  }
}
