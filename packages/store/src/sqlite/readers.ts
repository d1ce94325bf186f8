/**
 * Reads on the caller's own thread, through connections that cannot write.
 *
 * A snapshot may await between its reads, so it holds a connection for its whole life; single reads share
 * one. Snapshots wait for a free connection in order, and no more than a named number may wait.
 *
 * Snapshots that are asked for in one turn of the event loop share one read transaction: nothing that their
 * callers could know of has happened in between. A commit that is answered ends the sharing at once
 * ({@link Readers.renew}), so whoever saw a commit's answer reads what it wrote (conformance.ts).
 */
import { failure, FailureError, invariant } from "@rumi/kernel";
import type { StoreLimits } from "../limits.ts";
import type { Reader, Statement } from "../port.ts";
import { checkedParameters } from "../values.ts";
import { openConnection, sqliteProblem, type Connection } from "./driver.ts";

export type Readers = Reader & {
  snapshot<T>(read: (reader: Reader) => Promise<T>): Promise<T>;
  /** From here on a snapshot is a new one; called before a commit is answered. */
  renew(): void;
  close(): void;
};

/** One read transaction and how many snapshots look at it. */
type Moment = { readonly connection: Connection; users: number };

export function openReaders(path: string, limits: StoreLimits): Readers {
  const shared = openConnection(path, "read_only", limits.cached_statements);
  const idle: Connection[] = [];
  const all = [shared];
  const waiting: ((connection: Connection) => void)[] = [];

  function free(): Connection | undefined {
    const connection = idle.pop();
    if (connection !== undefined || all.length - 1 >= limits.snapshots) return connection;
    const opened = openConnection(path, "read_only", limits.cached_statements);
    all.push(opened);
    return opened;
  }

  function freeLater(): Promise<Connection> {
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

  /** What the snapshots of this turn share; null once they may not. */
  let current: Moment | null = null;

  function renew(): void {
    const moment = current;
    current = null;
    if (moment?.users === 0) end(moment);
  }

  function begin(connection: Connection): Moment {
    const moment = { connection, users: 0 };
    try {
      connection.exec("BEGIN DEFERRED");
      connection.all("SELECT size FROM log_checkpoint LIMIT 1", []); // the first read is what takes the snapshot
    } catch (cause) {
      end(moment);
      throw cause;
    }
    if (current === null) {
      current = moment;
      setImmediate(() => {
        if (current === moment) renew();
      });
    }
    return moment;
  }

  function end({ connection }: Moment): void {
    if (connection.inTransaction()) connection.exec("ROLLBACK");
    giveBack(connection);
  }

  return {
    rows: async (query) => select(shared, query),
    renew,
    snapshot: async (read) => {
      const moment = current ?? begin(free() ?? (await freeLater()));
      moment.users += 1;
      let over = false;
      try {
        return await read({
          rows: async (query) => {
            invariant(!over, "a snapshot was read after its end");
            return select(moment.connection, query);
          },
        });
      } finally {
        over = true;
        moment.users -= 1;
        if (moment.users === 0 && moment !== current) end(moment);
      }
    },
    close: () => {
      renew();
      for (const connection of all) connection.close();
    },
  };
}

// eslint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what it selects
function select<Row>(connection: Connection, query: { compile(): Statement } | Statement): readonly Row[] {
  const { sql, parameters } = "compile" in query ? query.compile() : query;
  const checked = checkedParameters(parameters);
  try {
    return connection.all(sql, checked) as readonly Row[];
  } catch (cause) {
    if (cause instanceof FailureError) throw cause;
    const problem = sqliteProblem(cause);
    throw new FailureError(
      failure("RUMI-STO-010", { problem: "problem" in problem ? problem.problem : problem.kind }, { cause }),
    );
  }
}
