/** Packs of this home: where they lie, from where they may come, and which bots use them. */
import { join } from "node:path";
import { botsUsingPack, liveBotsUsingPack } from "@rumi/control";
import type { Clock, Random } from "@rumi/kernel";
import { createPackLibrary, PACK_LIMITS, type PackDeps, type PackLibrary } from "@rumi/platform";
import { isLoopback } from "@rumi/server";
import type { Store } from "@rumi/store";
import type { HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";

export function packLibrary(
  store: Store,
  paths: HomePaths,
  { settings, clock, random }: { readonly settings: Settings; readonly clock: Clock; readonly random: Random },
): { readonly deps: PackDeps; readonly library: PackLibrary } {
  const isLocal = isLoopback(settings.api_bind_address);
  const deps: PackDeps = {
    store,
    clock,
    random,
    limits: PACK_LIMITS,
    folders: {
      ecosystem: paths.ecosystem,
      staging: paths.pack_staging,
      store: paths.packs,
      backups: join(paths.user_data, "pack_backups"),
    },
    importRoots: isLocal ? "any" : [paths.ecosystem, join(paths.user_data, "inbox")],
    botsUsing: (reader, pack_id) => botsUsingPack(reader, store, pack_id),
    liveBotsUsing: (reader, pack_id) => liveBotsUsingPack(reader, store, pack_id),
  };
  return { deps, library: createPackLibrary(deps) };
}
