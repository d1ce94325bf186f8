/**
 * Reads on the caller's own thread, through connections that cannot write.
 *
 * A snapshot may await between its reads, so it holds a connection for its whole life. Snapshots wait for a free connection
 * in order, and no more than a named number may wait; a single read waits for nobody.
 *
 * Reads that are asked for in one turn of the event loop share one read transaction: nothing that their callers could
 * know of has happened in between. A commit that is answered ends the sharing at once
 * ({@link Readers.renew}), so whoever saw a commit's answer reads what it wrote (conformance.ts).
 *
 * What stands in every command's path (the modes, holds and heads that guards look at) is asked for by each of the commands
 * that share a transaction, with the same text. There it has one answer, so it is asked of the database once
 * (readers.test.ts).
 */
import { failure, FailureError, invariant } from "@rumi/kernel";
import type { StoreLimits } from "../limits.ts";
import type { Reader, Statement } from "../port.ts";
import { checkedParameters } from "../values.ts";
import { openConnection, sqliteProblem, type Connection } from "./driver.ts";

export type Readers = Reader & {
  snapshot<T>(read: (reader: Reader) => Promise<T>): Promise<T>;
  /** From here on a read is of a new moment; called before a commit is answered. */
  renew(): void;
  close(): void;
};

/** One read transaction, what it has answered already, and how many snapshots look at it. */
type Moment = { readonly connection: Connection; readonly answers: Answers; users: number };
/** By text, then by parameters. */
type Answers = Map<string, Map<string, readonly unknown[]>>;

/** An answer of more rows is one reader's own; and a moment keeps those of so many texts, of each for so many parameters. */
const KEPT_ROWS = 32;
const KEPT_TEXTS = 64;
const KEPT_OF_A_TEXT = 64;

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

  /** What the reads of this turn share; null once they may not. */
  let current: Moment | null = null;

  function renew(): void {
    const moment = current;
    current = null;
    if (moment?.users === 0) end(moment);
  }

  function begin(connection: Connection): Moment {
    const moment: Moment = { connection, answers: new Map(), users: 0 };
    try {
      connection.exec("BEGIN DEFERRED");
      select(connection, { sql: "SELECT size FROM log_checkpoint LIMIT 1", parameters: [] }); // the first read takes it
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
    rows: async (query) => {
      const connection = current === null ? free() : undefined;
      const moment = connection === undefined ? current : begin(connection);
      return moment === null ? select(shared, query) : read(moment, query);
    },
    renew,
    snapshot: async (look) => {
      const moment = current ?? begin(free() ?? (await freeLater()));
      moment.users += 1;
      let over = false;
      try {
        return await look({
          rows: async (query) => {
            invariant(!over, "a snapshot was read after its end");
            return read(moment, query);
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

/** A statement that comes compiled is one that many ask; whoever compiles one on the way asks for itself. */
// eslint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what it selects
function read<Row>({ connection, answers }: Moment, query: { compile(): Statement } | Statement): readonly Row[] {
  if ("compile" in query) return select(connection, query);
  const { sql } = query;
  const parameters = checkedParameters(query.parameters);
  if (parameters.some((value) => value instanceof Uint8Array)) return select(connection, query);
  const asked = parameters.length === 0 ? "" : JSON.stringify(parameters);
  const known = answers.get(sql)?.get(asked);
  if (known !== undefined) return known as readonly Row[];
  const rows = select<Row>(connection, query);
  const ofText = answers.get(sql) ?? new Map<string, readonly unknown[]>();
  if (rows.length > KEPT_ROWS || answers.size >= KEPT_TEXTS || ofText.size >= KEPT_OF_A_TEXT) return rows;
  answers.set(sql, ofText.set(asked, Object.freeze(rows)));
  for (const row of rows) Object.freeze(row); // many look at it, nobody changes it
  return rows;
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
