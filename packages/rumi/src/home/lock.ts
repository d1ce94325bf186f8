/**
 * One program per home. The lock is an exclusive transaction on a small SQLite file: the kernel releases it when
 * the process ends, however it ends, so a lock is never left behind and never stolen from a live process.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { HomePaths } from "./layout.ts";

export type HomeLock = { readonly release: () => void };

export function lockHome(paths: HomePaths): Result<HomeLock, Failure> {
  const holder = join(paths.settings, ".lock.pid");
  const database = new DatabaseSync(join(paths.settings, ".lock"));
  try {
    database.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
  } catch (cause) {
    database.close();
    if (!(cause instanceof Error) || !/locked|busy/i.test(cause.message)) {
      return err(
        failure(
          "RUMI-SYS-003",
          { path: paths.settings, problem: cause instanceof Error ? cause.message : String(cause) },
          { cause },
        ),
      );
    }
    return err(failure("RUMI-SYS-005", { home: paths.root, pid: readPid(holder) }, { cause }));
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
