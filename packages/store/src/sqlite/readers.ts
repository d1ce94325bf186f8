/**
 * Reads on the caller's own thread, through connections that cannot write.
 *
 * A snapshot may await between its reads, so it owns a connection for its whole life; single reads
 * share one. Snapshots wait for a free connection in order, and no more than a named number may wait.
 */
import { failure, FailureError, invariant } from "@rumi/kernel";
import type { StoreLimits } from "../limits.ts";
import type { Reader, Statement } from "../port.ts";
import { checkedParameters } from "../values.ts";
import { openConnection, sqliteProblem, type Connection } from "./driver.ts";

export type Readers = Reader & {
  snapshot<T>(read: (reader: Reader) => Promise<T>): Promise<T>;
  close(): void;
};

export function openReaders(path: string, limits: StoreLimits): Readers {
  const shared = openConnection(path, "read_only", limits.cached_statements);
  const idle: Connection[] = [];
  const all = [shared];
  const waiting: ((connection: Connection) => void)[] = [];

  function lease(): Promise<Connection> {
    const free = idle.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (all.length - 1 < limits.snapshots) {
      const opened = openConnection(path, "read_only", limits.cached_statements);
      all.push(opened);
      return Promise.resolve(opened);
    }
    if (waiting.length >= limits.queued_snapshots) {
      throw new FailureError(failure("RUMI-STO-001", { limit: limits.queued_snapshots }));
    }
    return new Promise((resolve) => waiting.push(resolve));
  }

  function giveBack(connection: Connection): void {
    const next = waiting.shift();
    if (next === undefined) idle.push(connection);
    else next(connection);
  }

  return {
    rows: async (query) => select(shared, query),
    snapshot: async (read) => {
      const connection = await lease();
      let over = false;
      try {
        connection.exec("BEGIN DEFERRED");
        connection.all("SELECT size FROM log_checkpoint LIMIT 1", []); // the first read is what takes the snapshot
        return await read({
          rows: async (query) => {
            invariant(!over, "a snapshot was read after its end");
            return select(connection, query);
          },
        });
      } finally {
        over = true;
        if (connection.inTransaction()) connection.exec("ROLLBACK");
        giveBack(connection);
      }
    },
    close: () => all.forEach((connection) => connection.close()),
  };
}

function select<Row>(connection: Connection, query: { compile(): Statement } | Statement): readonly Row[] {
  const { sql, parameters } = "compile" in query ? query.compile() : query;
  const checked = checkedParameters(parameters);
  try {
    return connection.all(sql, checked) as readonly Row[];
  } catch (cause) {
    if (cause instanceof FailureError) throw cause;
    const problem = sqliteProblem(cause);
    throw new FailureError(failure("RUMI-STO-010", { problem: "problem" in problem ? problem.problem : problem.kind }, { cause }));
  }
}
