/**
 * The production store as one life of the control plane has it: virtual latency, its machine's clock, a disk that may be full.
 *
 * A commit is asked for, happens, and is answered, each at its own moment; a crash may fall between any two of them. The
 * database's own clock is replaced in the text of each statement by the machine's virtual one.
 */
import { err, failure } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import type { Batch, Statement, Store, Write } from "@rumi/store";
import type { SimProcess } from "./process.ts";
import { between } from "./chance.ts";

const DATABASE_NOW = "cast(unixepoch('subsec') * 1000000 as integer)";

export type StoreFaults = {
  readonly isFull: () => boolean;
  /** For seeded bugs: another batch than the one that was asked for. */
  readonly alter?: (batch: Batch) => Batch;
  /** Told of every batch that is in. */
  readonly onCommitted: (batch: Batch, first_index: number | undefined) => void;
};

export function guardedStore(real: Store, process: SimProcess, faults: StoreFaults): Store {
  const { world } = process;
  const virtual = <S extends Statement>(statement: S): S =>
    statement.sql.includes(DATABASE_NOW)
      ? { ...statement, sql: statement.sql.replaceAll(DATABASE_NOW, String(process.wall_us())) }
      : statement;
  const compiled = (query: { compile(): Statement } | Statement): Statement =>
    virtual("compile" in query ? query.compile() : query);
  const commit = async (batch: Batch): ReturnType<Store["commit"]> => {
    const altered = faults.alter?.(batch) ?? batch;
    const writes: Write[] = altered.writes.map(virtual);
    const done = await real.commit({ writes, events: altered.events });
    if (!done.ok) return done;
    const audit = altered.events.map(lineOf);
    world.note(process.name, `commit ${writes.length} writes${audit.length === 0 ? "" : `: ${audit.join(" · ")}`}`);
    faults.onCommitted(altered, done.value.indices[0]);
    return done;
  };
  return {
    dialect: real.dialect,
    builder: () => real.builder(),
    rows: <Row>(query: { compile(): Statement } | Statement) => process.unlessGone(real.rows<Row>(compiled(query))),
    snapshot: (read) =>
      process.unlessGone(
        real.snapshot((reader) =>
          read({
            rows: <Row>(query: { compile(): Statement } | Statement) =>
              process.unlessGone(reader.rows<Row>(compiled(query))),
          }),
        ),
      ),
    commit: (batch) =>
      new Promise((answer) => {
        world.schedule(between(process.random, 100, 2_000), process, async () => {
          if (faults.isFull()) return answer(err({ kind: "failed", failure: failure("RUMI-SYS-008") }));
          const done = await commit(batch);
          world.schedule(between(process.random, 10, 1_000), process, () => answer(done));
        });
      }),
    onAppended: (listener) => real.onAppended((first, events) => void (process.alive && listener(first, events))),
    close: () => real.close(),
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const lineOf = ({ action, resource_id, outcome, details }: LedgerEvent): string => {
  const { from, to, epoch, reason_code } = details as Readonly<Record<string, unknown>>;
  const facts = [
    from === undefined ? "" : `${text(from)}→${text(to)}`,
    epoch === undefined ? "" : `e${text(epoch)}`,
    reason_code,
  ];
  return [action, resource_id, outcome === "SUCCESS" ? "" : outcome, ...facts]
    .filter((one) => one !== "" && one !== undefined && one !== null)
    .join(" ");
};
