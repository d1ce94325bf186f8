/** A world with packs: a real store, the real pipeline, the library and its reconciler over folders of its own. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { systemRandom } from "@rumi/kernel";
import type { Answer } from "@rumi/operations";
import {
  createPackLibrary,
  packReconciler,
  platformDeclarations,
  platformMigrations,
  PACK_LIMITS,
} from "../src/index.ts";
import type { PackDeps, PackLibrary } from "../src/index.ts";
import { openWorld, type World } from "./kit.ts";

export type PackWorld = World & {
  readonly deps: PackDeps;
  readonly library: PackLibrary;
  readonly summaryPath: string;
  /** As the program does it at its start and after every commit. */
  reconcile(): Promise<void>;
  /** What lies in a folder of the home; nothing where it is not there. */
  children(folder: string): readonly string[];
  close(): Promise<void>;
};

export async function openPacks(over: (folder: string) => Partial<PackDeps> = () => ({})): Promise<PackWorld> {
  const kept: { deps?: PackDeps; library?: PackLibrary } = {};
  const world = await openWorld(platformMigrations, ({ folder, store, clock }) => {
    const deps: PackDeps = {
      store,
      clock,
      random: systemRandom(),
      folders: {
        ecosystem: join(folder, "ecosystem"),
        staging: join(folder, "user_data/pack_staging"),
        store: join(folder, "user_data/packs"),
        backups: join(folder, "user_data/pack_backups"),
        uploads: join(folder, "user_data/pack_uploads"),
      },
      limits: PACK_LIMITS,
      importRoots: "any",
      botsUsing: () => Promise.resolve([]),
      ...over(folder),
    };
    const library = createPackLibrary(deps);
    Object.assign(kept, { deps, library });
    const handlers = join(folder, "user_data/capabilities/handlers");
    return { declarations: platformDeclarations({ ...deps, handlers }, library) };
  });
  const { deps, library } = kept;
  if (deps === undefined || library === undefined) throw new Error("the world has no packs");
  const summaryPath = join(world.folder, "user_data/pending/summary.json");
  return {
    ...world,
    deps,
    library,
    summaryPath,
    reconcile: () => packReconciler({ ...deps, summaryPath }, library).run(),
    children: (folder) => {
      const path = join(world.folder, folder);
      return existsSync(path) ? readdirSync(path).toSorted() : [];
    },
  };
}

/** Sends an archive as a request's body would bring it, and lets go of it after the answer. */
export async function upload(
  { library, command }: Pick<PackWorld, "library" | "command">,
  bytes: Uint8Array,
  fields: Record<string, unknown> = {},
  key?: string,
): Promise<{ readonly answer: Answer; readonly received: Readonly<Record<string, unknown>> }> {
  const taken = await library.receive(Readable.from([Buffer.from(bytes)]));
  if (!taken.ok) throw new Error(taken.error.code);
  const { received, release } = taken.value;
  try {
    return {
      answer: await command("packs.upload", { ...fields, received }, key === undefined ? {} : { key }),
      received,
    };
  } finally {
    await release();
  }
}
