/** Packs of this home: where they lie, from where they may come, and which bots use them. */
import { join } from "node:path";
import { botsUsingPack, liveBotsUsingPack, trustedKeys } from "@rumi/control";
import type { Clock, Random } from "@rumi/kernel";
import type { Attester } from "@rumi/ledger";
import { createPackLibrary, PACK_LIMITS, type PackDeps, type PackLibrary } from "@rumi/platform";
import { isLoopback } from "@rumi/server";
import type { Store } from "@rumi/store";
import type { HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";

export function packLibrary(
  store: Store,
  paths: HomePaths,
  attester: Pick<Attester, "keyid" | "public_pem">,
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
      uploads: join(paths.user_data, "pack_uploads"),
    },
    importRoots: isLocal ? "any" : [paths.ecosystem, join(paths.user_data, "inbox")],
    botsUsing: (reader, pack_id) => botsUsingPack(reader, store, pack_id),
    // What this home signed itself, and what those sign whom it trusts.
    provenanceKeys: async (reader, now) => [attester, ...(await trustedKeys(reader, store, now))],
    liveBotsUsing: (reader, pack_id) => liveBotsUsingPack(reader, store, pack_id),
  };
  return { deps, library: createPackLibrary(deps) };
}
