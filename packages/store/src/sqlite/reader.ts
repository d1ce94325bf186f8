/** Reads a store's file without opening it for writing: for verifying a copy, or beside a running program. */
import { existsSync } from "node:fs";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { compilingBuilder } from "../builder.ts";
import { STORE_LIMITS } from "../limits.ts";
import type { Store } from "../port.ts";
import { openReaders } from "./readers.ts";

/** A store that only reads; nothing is migrated, checked or locked. */
export type SqliteReader = Pick<Store, "dialect" | "builder" | "rows" | "snapshot"> & { readonly close: () => void };

export function openSqliteReader(path: string): Result<SqliteReader, Failure> {
  if (!existsSync(path)) return err(failure("RUMI-VAL-006", { path }));
  try {
    const readers = openReaders(path, STORE_LIMITS);
    return ok({
      dialect: "sqlite",
      builder: <Tables>() => compilingBuilder<Tables>("sqlite"),
      rows: (query) => readers.rows(query),
      snapshot: (read) => readers.snapshot(read),
      close: () => readers.close(),
    });
  } catch (cause) {
    return err(failure("RUMI-STO-006", { problem: cause instanceof Error ? cause.message : String(cause) }, { cause }));
  }
}
