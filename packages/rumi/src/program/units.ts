/** Units put together: where they lie, and the jails that execute them. */
import { join } from "node:path";
import type { Clock, Random } from "@rumi/kernel";
import type { Declaration } from "@rumi/operations";
import { createBlocks, createSlidingWindow, PACK_LIMITS, unitDeclarations, type PackLibrary } from "@rumi/platform";
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
export type Units = { readonly declarations: readonly Declaration[]; readonly close: () => Promise<void> };

const MINUTE_MS = 60_000;

export function openUnits(store: Store, paths: HomePaths, library: PackLibrary, options: World): Units {
  const { clock, random } = options;
  const jails = createBlocks({ verify: (pack_id) => library.verify(pack_id), home: () => blockHome(options) });
  const declarations = unitDeclarations({
    store,
    clock,
    random,
    library,
    jails,
    folder: join(paths.user_data, "stores"),
    ecosystem: paths.ecosystem,
    limits: PACK_LIMITS,
    rate: createSlidingWindow(clock, MINUTE_MS),
  });
  return { declarations, close: () => jails.close() };
}
