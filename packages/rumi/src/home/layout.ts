/**
 * The home: what lies where, which layout it has, and how an older one becomes the current one.
 *
 * A home is one environment and one tenant, fixed at its first start. `user_data/settings/home.json` says which,
 * and with which layout version it was last written. A newer version is refused; an older one is backed up and
 * then migrated step by step.
 *
 * Invariants
 * - A newer layout is never touched (home.test.ts).
 * - A migration runs only after its backup is on the disk (home.test.ts).
 */
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  err,
  failure,
  isoFromMicros,
  ok,
  uuidv7,
  type Clock,
  type Environment,
  type Failure,
  type Random,
  type Result,
} from "@rumi/kernel";
import { syncTree, writeFileDurably } from "./files.ts";

export const LAYOUT_VERSION = 1;

export type HomePaths = {
  readonly root: string;
  readonly user_data: string;
  readonly settings: string;
  readonly store: string;
  readonly backups: string;
  readonly audit: string;
  readonly tlog: string;
  readonly secrets: string;
  readonly packs: string;
  readonly pack_staging: string;
  readonly pending: string;
  readonly runs: string;
  /** Of proof-carrying runs: their worktrees, logs and bundles. */
  readonly code_runs: string;
  readonly runners: string;
  readonly cache: string;
  readonly ecosystem: string;
  readonly flows: string;
};

export function homePaths(home: string): HomePaths {
  const root = resolve(home);
  const userData = join(root, "user_data");
  return {
    root,
    user_data: userData,
    settings: join(userData, "settings"),
    store: join(userData, "store"),
    backups: join(userData, "backups"),
    audit: join(userData, "audit"),
    tlog: join(userData, "tlog"),
    secrets: join(userData, "secrets"),
    packs: join(userData, "packs"),
    pack_staging: join(userData, "pack_staging"),
    pending: join(userData, "pending"),
    runs: join(userData, "runs"),
    code_runs: join(userData, "code_runs"),
    runners: join(userData, "runners"),
    cache: join(userData, "cache"),
    ecosystem: join(root, "ecosystem"),
    flows: join(root, "flows"),
  };
}

export type HomeFile = {
  readonly layout_version: number;
  readonly home_id: string;
  readonly environment: Environment;
  readonly created_at: string;
};

/** One step from `from` to `from + 1`; may only touch files below the home. */
export type LayoutMigration = { readonly from: number; readonly run: (paths: HomePaths) => void };

export const LAYOUT_MIGRATIONS: readonly LayoutMigration[] = [];

export type OpenedHome = {
  readonly paths: HomePaths;
  readonly home: HomeFile;
  readonly created: boolean;
  readonly migrated_from: number | null;
};

export function makeHomeFolders(paths: HomePaths): Result<undefined, Failure> {
  try {
    for (const path of Object.values(paths)) mkdirSync(path, { recursive: true, mode: 0o700 });
    return ok(undefined);
  } catch (cause) {
    return err(
      failure(
        "RUMI-SYS-003",
        { path: paths.root, problem: cause instanceof Error ? cause.message : String(cause) },
        { cause },
      ),
    );
  }
}

/** Opens or makes the home's own record. The caller holds the home's lock. */
export function openHome(options: {
  readonly paths: HomePaths;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly random: Random;
  readonly target?: number;
  readonly migrations?: readonly LayoutMigration[];
}): Result<OpenedHome, Failure> {
  const { paths, environment, clock, random } = options;
  const target = options.target ?? LAYOUT_VERSION;
  const file = join(paths.settings, "home.json");
  if (!existsSync(file)) {
    const now = clock.now();
    const home: HomeFile = {
      layout_version: target,
      home_id: uuidv7(now, random),
      environment,
      created_at: isoFromMicros(now),
    };
    writeFileDurably(file, `${JSON.stringify(home, null, 2)}\n`, 0o600);
    return ok({ paths, home, created: true, migrated_from: null });
  }
  const read = parseHomeFile(readFileSync(file, "utf8"), file);
  if (!read.ok) return read;
  if (read.value.environment !== environment) {
    return err(
      failure("RUMI-SYS-002", {
        name: "RUMI_ENVIRONMENT",
        problem: `this home was made for ${read.value.environment}`,
      }),
    );
  }
  if (read.value.layout_version > target) {
    return err(
      failure("RUMI-SYS-006", {
        home: paths.root,
        found: read.value.layout_version,
        known: target,
      }),
    );
  }
  if (read.value.layout_version === target) return ok({ paths, home: read.value, created: false, migrated_from: null });
  return migrate({ ...options, target, home: read.value, file });
}

function migrate(options: {
  readonly paths: HomePaths;
  readonly clock: Clock;
  readonly migrations?: readonly LayoutMigration[];
  readonly target: number;
  readonly home: HomeFile;
  readonly file: string;
}): Result<OpenedHome, Failure> {
  const { paths, home, target, file } = options;
  const migrations = options.migrations ?? LAYOUT_MIGRATIONS;
  const stamp = isoFromMicros(options.clock.now()).replace(/[:.]/g, "-");
  const backup = join(paths.backups, `layout-${home.layout_version}-${stamp}`);
  backUp(paths, backup);
  let current = home;
  while (current.layout_version < target) {
    const step = migrations.find(({ from }) => from === current.layout_version);
    if (step === undefined) {
      return err(failure("RUMI-SYS-006", { home: paths.root, found: current.layout_version, known: target }));
    }
    step.run(paths);
    current = { ...current, layout_version: current.layout_version + 1 };
    writeFileDurably(file, `${JSON.stringify(current, null, 2)}\n`, 0o600);
  }
  return ok({ paths, home: current, created: false, migrated_from: home.layout_version });
}

/** Copies all of user_data but the backups themselves, and has it on the disk before it returns. */
function backUp(paths: HomePaths, backup: string): void {
  mkdirSync(backup, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(paths.user_data)) {
    const source = join(paths.user_data, name);
    // A program that was killed leaves its sockets; there is nothing in them to keep.
    const filter = (path: string): boolean => !lstatSync(path).isSocket();
    if (source !== paths.backups)
      cpSync(source, join(backup, name), { recursive: true, preserveTimestamps: true, filter });
  }
  syncTree(paths.backups);
}

/** The record of a home that there is; nothing is made. */
export function readHomeFile(paths: HomePaths): Result<HomeFile, Failure> {
  const file = join(paths.settings, "home.json");
  return parseHomeFile(readFileSync(file, "utf8"), file);
}

function parseHomeFile(text: string, path: string): Result<HomeFile, Failure> {
  const broken = (problem: string): Result<HomeFile, Failure> => err(failure("RUMI-SYS-002", { name: path, problem }));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return broken("not JSON");
  }
  if (typeof value !== "object" || value === null) return broken("not an object");
  const { layout_version, home_id, environment, created_at } = value as Record<string, unknown>;
  if (typeof layout_version !== "number" || !Number.isInteger(layout_version) || layout_version < 1)
    return broken("layout_version is not a whole number");
  if (typeof home_id !== "string" || typeof created_at !== "string") return broken("home_id or created_at is missing");
  if (environment !== "dev" && environment !== "stage" && environment !== "prod")
    return broken("environment is not dev, stage or prod");
  return ok({ layout_version, home_id, environment, created_at });
}
