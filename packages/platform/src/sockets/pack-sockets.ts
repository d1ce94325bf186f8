/**
 * The sockets of packs: one to the network for each pack, one to what the program does for each principal of it.
 *
 * How to think: a socket is a principal. Whatever comes over it is the one's whose name it bears. They are made when such code
 * first runs, and stay; what may be done over them is decided at each message, so an idle socket allows nothing.
 *
 * Invariant (sockets.test.ts): no pack's socket is ever another's; where one cannot be served the pack's code runs without.
 */
import { join } from "node:path";
import { err, failure, ID_PATTERNS, sha256Hex, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import type { Store } from "@rumi/store";
import type { CallCapability } from "../capabilities/call.ts";
import type { EgressProxy } from "../egress/proxy.ts";
import { runtimeLine, type RuntimeDeps } from "../runtime/lines.ts";
import { capabilityLine, egressLine } from "./lines.ts";
import type { LineOwner, PackLines } from "./pack-lines.ts";
import { serveSocket, type Serve, type ServedSocket, type SocketPlace } from "./listen.ts";

/** Of one folder. */
export const PACK_SOCKETS_MAX = 1_000;

const PLAIN = new RegExp(ID_PATTERNS.pack);

export type SocketFolder = Omit<SocketPlace, "path"> & { readonly folder: string };
export type PackSocketDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly egress: SocketFolder;
  readonly capability: SocketFolder;
  readonly proxy: EgressProxy;
  readonly call: CallCapability;
  readonly runtime: RuntimeDeps;
};

export interface PackSockets {
  /** Both, served. What is in the way of one is told in the program's log, and asked for anew the next time. */
  of(by: LineOwner): Promise<PackLines>;
  close(): Promise<void>;
}

export function createPackSockets(deps: PackSocketDeps): PackSockets {
  const { egress, capability } = deps;
  const groups = [...new Set([egress.gid, capability.gid].filter((gid) => gid !== null))];
  const [toNetwork, toProgram] = [folderOf(egress, deps), folderOf(capability, deps)];
  let closed = false;
  return {
    of: async ({ pack_id, principal_id }) => {
      if (closed || !PLAIN.test(pack_id)) return { egress: null, capability: null, groups };
      const [network, program] = await Promise.all([
        toNetwork.of(pack_id, egressLine(pack_id, deps)),
        toProgram.of(principal_id, capabilityLine(principal_id, deps.call, runtimeLine(pack_id, deps.runtime))),
      ]);
      return { egress: network, capability: program, groups };
    },
    close: async () => {
      closed = true;
      await Promise.all([toNetwork.close(), toProgram.close()]);
    },
  };
}

/** Its own name where that is short and plain, for paths are short; the dot keeps the others apart from every plain one. */
function fileName(principal: string): string {
  return PLAIN.test(principal) ? principal : `principal.${sha256Hex(principal).slice(0, 32)}`;
}

/** The sockets of one folder; callers that come together share one. */
function folderOf(
  { folder, ...rest }: SocketFolder,
  deps: PackSocketDeps,
): { readonly of: (principal: string, serve: Serve) => Promise<string | null>; readonly close: () => Promise<void> } {
  const served = new Map<string, Promise<Result<ServedSocket, Failure>>>();
  return {
    of: async (principal, serve) => {
      const path = join(folder, `${fileName(principal)}.sock`);
      const full = { path, problem: `${PACK_SOCKETS_MAX} at once are the most`, variable: rest.variable };
      const begin = (): Promise<Result<ServedSocket, Failure>> =>
        served.size >= PACK_SOCKETS_MAX
          ? Promise.resolve(err(failure("RUMI-NET-011", full)))
          : serveSocket({ path, ...rest }, serve, deps);
      const making = served.get(path) ?? begin();
      served.set(path, making);
      const made = await making;
      if (made.ok) return path;
      served.delete(path);
      deps.logger.error("a pack's code has to do without a socket", { code: made.error.code, ...made.error.params });
      return null;
    },
    close: async () => {
      const all = await Promise.all(served.values());
      await Promise.all(all.flatMap((one) => (one.ok ? [one.value.close()] : [])));
      served.clear();
    },
  };
}
