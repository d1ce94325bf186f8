/**
 * Leases and operation keys in every reachable state: the very statements that run, on a real database in memory, against
 * each state that they can leave.
 */
import { explorationText, explore, micros, millis, type Json, type Model } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import {
  acquireEpochWrite,
  claimKey,
  compilingBuilder,
  finishKey,
  releaseLeaseWrite,
  releaseUnrenewedWrite,
  renewLeaseWrite,
  takeOverKey,
  type LeaseRow,
  type OperationKeyRow,
  type Write,
} from "../src/index.ts";
import { STORE_MIGRATIONS } from "../src/schema.ts";
import { openConnection } from "../src/sqlite/driver.ts";
import { checkedParameters } from "../src/values.ts";

const db = openConnection(":memory:", "read_write", 100);
for (const step of STORE_MIGRATIONS.steps) for (const statement of step.sqlite) db.exec(statement);
const sql = { dialect: "sqlite" as const, builder: <Tables>() => compilingBuilder<Tables>("sqlite") };
const DATABASE_NOW = "cast(unixepoch('subsec') * 1000000 as integer)";

/** The row after the write, or the row as it was where the write does not fit. `now_us` is the database's clock. */
function after<Row extends Json>(table: string, row: Row | null, write: Write, now_us: number): Row | null {
  db.exec(`DELETE FROM ${table}`);
  if (row !== null) {
    const fields = Object.entries(row as Readonly<Record<string, string | number | null>>);
    const names = fields.map(([name]) => `"${name}"`).join(", ");
    db.run(
      `INSERT INTO ${table} (${names}) VALUES (${fields.map(() => "?").join(", ")})`,
      fields.map(([, value]) => value),
    );
  }
  try {
    const text = write.sql.replaceAll(DATABASE_NOW, "?now").replaceAll("?now", String(now_us));
    const changed = db.run(text, checkedParameters(write.parameters));
    if (write.expect !== "any" && changed !== write.expect) return row;
  } catch {
    return row; // the key exists
  }
  return (db.all(`SELECT * FROM ${table}`, [])[0] as Row | undefined) ?? null;
}

const SECOND = 1_000_000;
const TTL = 3;
const MARGIN = 1;
const END = 7;
/** Where the database's clock is ahead until somebody sets it back: by so many seconds, for so long, with so many epochs. */
const SET_BACK = { ahead: 100, end: 5, epochs: 2 };
const KEY = { bot_id: "b", strategy_id: "s", instance_id: "i" };
type Lease = { -readonly [name in keyof LeaseRow]: LeaseRow[name] };
type Holder = {
  /** The epoch it works under, and until when by its own clock: counted from before it asked. */
  readonly epoch: number;
  readonly until: number;
  /** A renewal that is on its way: when it was sent. */
  readonly asked: number | null;
};
/** What the failover's look last saw: the lease, since when it stands like that, and whether its time is over. */
type Look = Required<Pick<Lease, "holder" | "epoch" | "renewed_at">> & {
  readonly since: number;
  readonly due: boolean;
};
type LeaseState = {
  /** Seconds that pass for everybody; the database's clock is `ahead` of them. */
  readonly now: number;
  readonly ahead: number;
  readonly look: Look | null;
  readonly row: Lease;
  readonly holders: Readonly<Record<"x" | "y", Holder | null>>;
};

type LeaseParts = {
  readonly name?: string;
  readonly ahead?: number;
  readonly end?: number;
  readonly epochs?: number;
  readonly acquire?: typeof acquireEpochWrite;
  /** Where nobody looks, none is taken away. */
  readonly takeAway?: typeof releaseUnrenewedWrite | null;
  readonly margin?: number;
  /** For how long a lease stood unrenewed that is taken away, seconds. */
  readonly unrenewed?: number;
  readonly seesRenewals?: boolean;
};
const leases = ({
  name = "lease and fencing",
  ahead: ahead_at_first = 0,
  end = END,
  epochs = 3,
  acquire = acquireEpochWrite,
  takeAway = null,
  margin = MARGIN,
  unrenewed = TTL,
  seesRenewals = true,
}: LeaseParts = {}): Model<LeaseState> => ({
  name,
  start: [
    {
      now: 1,
      ahead: ahead_at_first,
      look: null,
      row: { ...KEY, holder: null, epoch: 0, max_epoch: 0, acquired_at: 0, renewed_at: 0, expires_at: 0 },
      holders: { x: null, y: null },
    },
  ],
  steps: (state) => {
    const { now, ahead, look, row, holders } = state;
    const steps: { action: string; next: LeaseState }[] = [];
    const ttl = millis(TTL * 1_000);
    const wall_us = (now + ahead) * SECOND;
    const become = (who: "x" | "y", holder: Holder | null, changed: Lease | null): LeaseState => ({
      ...state,
      row: changed ?? row,
      holders: { ...holders, [who]: holder },
    });
    if (now < end) steps.push({ action: "a second passes", next: { ...state, now: now + 1 } });
    if (ahead > 0) steps.push({ action: "the database's clock is set back", next: { ...state, ahead: 0 } });
    const { holder, epoch, renewed_at } = row;
    if (takeAway !== null && holder !== null) {
      const same = look?.holder === holder && look.epoch === epoch && (!seesRenewals || look.renewed_at === renewed_at);
      const since = same ? look.since : now;
      const seen = { holder, epoch, renewed_at, since, due: now - since >= unrenewed };
      steps.push({ action: "somebody looks at the lease", next: { ...state, look: seen } });
    }
    if (takeAway !== null && look?.due === true && look.holder !== null) {
      const given = after<Lease>("lease", row, takeAway(sql, { ...KEY, ...look, holder: look.holder }), wall_us);
      steps.push({ action: "it is taken away unrenewed", next: { ...state, look: null, row: given ?? row } });
    }
    for (const who of ["x", "y"] as const) {
      const mine = holders[who];
      const taken = after<Lease>(
        "lease",
        row,
        acquire(sql, { ...KEY, holder: who, epoch: row.max_epoch + 1 }, ttl),
        wall_us,
      );
      if (taken !== null && taken.epoch > row.epoch && taken.epoch <= epochs)
        steps.push({
          action: `${who} acquires`,
          next: become(who, { epoch: taken.epoch, until: now + TTL - margin, asked: null }, taken),
        });
      if (mine === null) continue;
      const held = { ...KEY, holder: who, epoch: mine.epoch };
      // It asks only while its own deadline lasts, as its runner does.
      if (mine.asked === null && now < mine.until)
        steps.push({ action: `${who} asks to renew`, next: become(who, { ...mine, asked: now }, null) });
      if (mine.asked !== null) {
        const renewed = after<Lease>("lease", row, renewLeaseWrite(sql, held, ttl), wall_us);
        const granted =
          renewed !== null && renewed.renewed_at === wall_us && renewed.epoch === mine.epoch && renewed.holder === who;
        const until = granted && now < mine.until ? mine.asked + TTL - margin : mine.until;
        steps.push({
          action: `${who}'s renewal is answered`,
          next: become(who, { ...mine, asked: null, until }, renewed),
        });
        steps.push({ action: `${who}'s answer is lost`, next: become(who, { ...mine, asked: null }, renewed) });
        steps.push({ action: `${who}'s question is lost`, next: become(who, { ...mine, asked: null }, null) });
      }
      const released = after<Lease>("lease", row, releaseLeaseWrite(sql, held), wall_us);
      steps.push({ action: `${who} ends and releases`, next: become(who, null, released) });
      steps.push({ action: `${who} dies`, next: become(who, null, null) });
    }
    return steps;
  },
  always: {
    "never two that may act": ({ now, holders: { x, y } }) =>
      x === null || y === null || now >= x.until || now >= y.until,
    "an epoch is given once": ({ holders: { x, y } }) => x === null || y === null || x.epoch !== y.epoch,
    "the fence is at the newest epoch": ({ row }) => row.max_epoch === row.epoch,
  },
  everyStep: { "an epoch never comes back": ({ row: before }, _, { row }) => row.epoch >= before.epoch },
  reached: {
    "taken over": ({ row }) => row.epoch === 2,
    ...(takeAway === null
      ? {}
      : {
          "given on although the clock said that it runs": ({ now, row }: LeaseState) =>
            row.epoch === 2 && row.acquired_at <= now * SECOND,
        }),
    "a former holder that does not know yet": ({ now, holders: { x, y } }) =>
      x !== null && y !== null && now >= x.until && now < y.until,
  },
});

/** The same where the clock is set back, and whoever does not renew loses the lease by another clock. */
const setBack = (parts: LeaseParts = {}): Model<LeaseState> =>
  leases({ name: "leases while the clock is set back", takeAway: releaseUnrenewedWrite, ...SET_BACK, ...parts });

type Key = { -readonly [name in keyof OperationKeyRow]: OperationKeyRow[name] };
type Run = { readonly seen: string; readonly phase: "claimed" | "decided" };
type KeyState = {
  readonly row: Key | null;
  /** Two processes' runs of one command. */
  readonly runs: Readonly<Record<"p" | "q", Run | null>>;
  readonly attempts: number;
  readonly effects: number;
  /** Answers that were given out. */
  readonly answers: readonly string[];
};
const AT = micros(1);

const keys = (finish: typeof finishKey): Model<KeyState> => ({
  name: "dedupe and idempotency",
  start: [{ row: null, runs: { p: null, q: null }, attempts: 0, effects: 0, answers: [] }],
  steps: (state) => {
    const { row, runs, attempts, effects, answers } = state;
    const steps: { action: string; next: KeyState }[] = [];
    for (const who of ["p", "q"] as const) {
      const run = runs[who];
      const as = (next: Run | null): KeyState["runs"] => ({ ...runs, [who]: next });
      if (run === null) {
        const seen = `${who}${attempts + 1}`;
        const claim = claimKey(
          sql,
          { key: "k", operation: "o", fingerprint: "f", actor: "a", trace_id: "t" },
          seen,
          AT,
        );
        const claimed = row === null ? after<Key>("operation_key", row, claim, 0) : null;
        if (claimed !== null)
          steps.push({
            action: `${who} claims`,
            next: { ...state, row: claimed, runs: as({ seen, phase: "claimed" }), attempts: attempts + 1 },
          });
        if (row?.state === "requested" && attempts < 4) {
          const took = after<Key>("operation_key", row, takeOverKey(sql, "k", row.recovery_point ?? "", seen, AT), 0);
          if (took?.recovery_point === seen)
            steps.push({
              action: `${who} takes over`,
              next: { ...state, row: took, runs: as({ seen, phase: "claimed" }), attempts: attempts + 1 },
            });
        }
        if (row?.state === "finished" && row.answer !== null && !answers.includes(row.answer))
          steps.push({ action: `${who} answers a duplicate`, next: { ...state, answers: [...answers, row.answer] } });
        continue;
      }
      steps.push({ action: `${who} dies`, next: { ...state, runs: as(null) } });
      if (run.phase === "claimed")
        steps.push({ action: `${who} decides`, next: { ...state, runs: as({ ...run, phase: "decided" }) } });
      else {
        // Effect and finish are one batch: both or neither.
        const done = after<Key>("operation_key", row, finish(sql, "k", run.seen, 200, `"by ${run.seen}"`, AT), 0);
        const fits = done?.answer === `"by ${run.seen}"` && row?.answer !== done.answer;
        const told =
          fits && done?.answer != null && !answers.includes(done.answer) ? [...answers, done.answer] : answers;
        steps.push({
          action: `${who} commits`,
          next: { row: done, runs: as(null), attempts, effects: effects + (fits ? 1 : 0), answers: told },
        });
      }
    }
    return steps;
  },
  always: {
    "one effect": ({ effects }) => effects <= 1,
    "one answer": ({ answers }) => answers.length <= 1,
    "finished means done": ({ row, effects }) => (row?.state === "finished") === (effects === 1),
  },
  reached: {
    "taken over and done": ({ row }) =>
      row?.state === "finished" && row.answer !== '"by p1"' && row.answer !== '"by q1"',
    "two at it": ({ runs: { p, q } }) => p !== null && q !== null,
  },
});

describe("every reachable state of the store's blocks", () => {
  it(
    "[L-N7] [L-15] [L-49.2] leases: never two that may act, whatever is lost, late or dead",
    { timeout: 120_000 },
    () => {
      const found = explore(leases());
      process.stdout.write(`${explorationText(found)}\n`);
      expect(explorationText(found)).not.toContain("broken");
      expect(found).toMatchObject({ complete: true, unreached: [] });
    },
  );

  it(
    "[L-N7] [L-15] [L-49.2] leases: nor where the database's clock is set back, and a dead holder's is given on all the same",
    { timeout: 120_000 },
    () => {
      const found = explore(setBack());
      process.stdout.write(`${explorationText(found)}\n`);
      expect(explorationText(found)).not.toContain("broken");
      expect(found).toMatchObject({ complete: true, unreached: [] });
    },
  );

  it("[L-N2] [L-42] [L-49.2] operation keys: one effect and one answer, whoever dies and takes over", () => {
    const found = explore(keys(finishKey));
    process.stdout.write(`${explorationText(found)}\n`);
    expect(explorationText(found)).not.toContain("broken");
    expect(found).toMatchObject({ complete: true, unreached: [] });
  });

  it("[L-49.2] planted faults are found: a lease that is taken while it runs or is renewed, a deadline beyond it, a finish that does not ask whose run it is", () => {
    const greedy: typeof acquireEpochWrite = (store, of, ttl) => {
      const { sql: text, ...rest } = acquireEpochWrite(store, of, ttl);
      return { ...rest, sql: text.replace("(holder is null or expires_at <= ", "(1 = 1 or expires_at <= ") };
    };
    expect(explore(leases({ acquire: greedy })).counterexample).toMatchObject({ broken: "never two that may act" });
    expect(explore(leases({ margin: -1 })).counterexample).toMatchObject({ broken: "never two that may act" });
    expect(explore(setBack({ unrenewed: TTL - MARGIN - 1 })).counterexample).toMatchObject({
      broken: "never two that may act",
    });
    expect(explore(setBack({ seesRenewals: false })).counterexample).toMatchObject({
      broken: "never two that may act",
    });
    const careless: typeof finishKey = (store, key, _seen, status, answer, now) => ({
      ...finishKey(store, key, "", status, answer, now),
      sql: "UPDATE operation_key SET state = 'finished', status = 200, answer = ?",
      parameters: [answer],
      expect: 1,
    });
    expect(explore(keys(careless)).counterexample).not.toBeNull();
  });
});
