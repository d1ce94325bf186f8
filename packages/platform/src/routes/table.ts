/**
 * The table of packs' routes: read from approved trees, and read again when an approval changed or somebody asks.
 *
 * Routes of a pack that is not approved are not in it; whether the pack still is as it was approved is asked at each call.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { Store } from "@rumi/store";
import { digestFolder, readPlain } from "../packs/files.ts";
import type { Sight } from "../packs/look.ts";
import type { Pack } from "../packs/model.ts";
import type { Reconciler } from "../packs/reconciler.ts";
import { packMarks, readPacks } from "../packs/tables.ts";
import {
  matchRoute,
  NO_ROUTES,
  parseRoutes,
  ROUTE_LIMITS,
  ROUTES_FILE,
  routeTable,
  type PackRoute,
  type RouteMatch,
  type RouteTable,
} from "./model.ts";

export interface PackRoutes {
  current(): RouteTable;
  match(method: string, path: string): RouteMatch;
  /** Reads every approved pack's routes again. */
  reload(): Promise<RouteTable>;
  /** Told once what the program's own paths are. */
  know(isOurs: (path: string) => boolean): void;
  readonly reconciler: Reconciler;
}

export function createPackRoutes(deps: {
  readonly store: Store;
  /** `user_data/packs/`: approved trees by their digest. */
  readonly packs: string;
}): PackRoutes {
  const { store, packs } = deps;
  let table: RouteTable = NO_ROUTES;
  let isOurs: (path: string) => boolean = () => false;
  let left: string | undefined;
  const reload = async (): Promise<RouteTable> => {
    const approved = (await readPacks(store, store)).filter((pack) => pack.state === "approved");
    const order = approved.toSorted((a, b) => approvedAt(a) - approvedAt(b) || (a.pack_id < b.pack_id ? -1 : 1));
    const read = await Promise.all(
      order.map(async (pack) => ({ pack_id: pack.pack_id, routes: await routesOf(pack, packs) })),
    );
    table = routeTable(read, isOurs);
    return table;
  };
  return {
    reload,
    current: () => table,
    match: (method, path) => matchRoute(table, method, path),
    know: (asked) => {
      isOurs = asked;
      left = undefined;
    },
    reconciler: {
      name: "pack routes",
      run: async () => {
        const { text } = await packMarks(store, store);
        if (text === left) return;
        await reload();
        left = text;
      },
    },
  };
}

const approvedAt = ({ approved }: Pack): number => approved?.at ?? 0;

async function routesOf({ pack_id, approved }: Pack, packs: string): Promise<Result<readonly PackRoute[], Failure>> {
  if (approved === null) return ok([]);
  return readRoutes(pack_id, join(packs, digestFolder(approved.digest), ROUTES_FILE));
}

async function readRoutes(pack_id: string, path: string): Promise<Result<readonly PackRoute[], Failure>> {
  const wrong = (problem: string) => err(failure("RUMI-PACK-030", { pack_id, field: "(file)", problem }));
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) return ok([]);
  if (facts.size > ROUTE_LIMITS.file_bytes) return wrong(`it is larger than ${ROUTE_LIMITS.file_bytes} bytes`);
  const bytes = await readPlain(path);
  return bytes === undefined ? wrong("it cannot be read") : parseRoutes(pack_id, bytes.toString("utf8"));
}

/** Whether a pack's routes can be read, for validating one that nobody runs. */
export async function checkRoutes({ folder, tree, seen }: Sight): Promise<Result<unknown, Failure>> {
  return tree.entries.some(({ path }) => path === ROUTES_FILE)
    ? readRoutes(seen.manifest.pack_id, join(folder, ROUTES_FILE))
    : ok([]);
}
