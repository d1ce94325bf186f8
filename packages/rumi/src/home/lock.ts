/**
 * One program per home, one simulator per data folder. The lock is an exclusive transaction on a small SQLite file: the kernel releases it when
 * the process ends, however it ends, so a lock is never left behind and never stolen from a live process.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { HomePaths } from "./layout.ts";

export type HomeLock = { readonly release: () => void };

export function lockHome(paths: HomePaths): Result<HomeLock, Failure> {
  return lockFolder(paths.settings, (pid, cause) => failure("RUMI-SYS-005", { home: paths.root, pid }, { cause }));
}

/** Of a folder that one process at a time may work in; `taken` says what it means that another does. */
export function lockFolder(folder: string, taken: (pid: string, cause: Error) => Failure): Result<HomeLock, Failure> {
  const holder = join(folder, ".lock.pid");
  const database = new DatabaseSync(join(folder, ".lock"));
  try {
    database.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
  } catch (cause) {
    database.close();
    if (!(cause instanceof Error) || !/locked|busy/i.test(cause.message)) {
      return err(
        failure(
          "RUMI-SYS-003",
          { path: folder, problem: cause instanceof Error ? cause.message : String(cause) },
          { cause },
        ),
      );
    }
    return err(taken(readPid(holder), cause));
  }
  writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 });
  return ok({
    release: () => {
      database.exec("ROLLBACK");
      database.close();
    },
  });
}

/** The process that holds the home's lock, as far as its note says. */
export function lockHolder(paths: HomePaths): string {
  return readPid(join(paths.settings, ".lock.pid"));
}

function readPid(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "unknown";
  }
}
