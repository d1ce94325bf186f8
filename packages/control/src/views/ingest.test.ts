/* oxlint-disable unicorn/consistent-function-scoping -- helpers stay beside the cases that use them */
import { generateKeyPairSync } from "node:crypto";
import { millis, ok, systemRandom } from "@rumi/kernel";
import type { JournalEntry } from "@rumi/runtime";
import { acquireLease, openPostgresStore, openSqliteStore, type Store } from "@rumi/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import { realClock } from "../../../platform/test/kit.ts";
import { startPostgres, type TestServer } from "../../../store/test/postgres-server.ts";
import { fillEntry, intentEntry, orderEntry } from "../../test/fake-runner.ts";
import { controlMigrations } from "../index.ts";
import { insertRun, readRun } from "../instances/tables.ts";
import { insertReport } from "../preflight/tables.ts";
import { readEvents } from "../audit/events.ts";
import { ingestJournal, nextEntries } from "./ingest.ts";

const signer = {
  origin: "rumi.test/log",
  private_key_pem: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
};
const clock = realClock();
const random = systemRandom();
const entries: readonly JournalEntry[] = Array.from({ length: 1_200 }, (_, i) =>
  i % 3 === 0
    ? intentEntry(i + 1, `C${i}`)
    : i % 3 === 1
      ? orderEntry(i + 1, `C${i - 1}`, "accepted")
      : fillEntry(i + 1, `C${i - 2}`),
);

it("takes what follows without a hole, in any order, and nothing twice", () => {
  const seqs = (seq: number, given: readonly number[]): number[] =>
    nextEntries(
      seq,
      given.map((one) => intentEntry(one, "C")),
    ).map((one) => one.seq);
  expect(seqs(0, [1, 2, 3])).toEqual([1, 2, 3]);
  expect(seqs(2, [1, 2, 3, 4])).toEqual([3, 4]);
  expect(seqs(2, [4, 5])).toEqual([]);
  expect(seqs(0, [3, 1, 2, 2])).toEqual([1, 2, 3]);
});

function suite(open: () => Promise<Store>): void {
  let store: Store;
  beforeAll(async () => {
    store = await open();
    const row = {
      bot_id: "b",
      strategy_id: "s",
      instance_id: "main",
      mode: "paper",
      trace_id: "t",
      command_id: "c",
      generation: 1,
      pack_digest: "d",
      report_id: "r",
      from_run_id: null,
      started_at: 1,
      ended_at: null,
      end_reason: null,
      journal_seq: 0,
      journal_at: 1,
    };
    const made = await store.commit({
      writes: [
        insertReport(store, { report_id: "r", passed: true, items: [] }, { bot_id: "b", command_id: "c", now: 1 }),
        insertRun(store, { ...row, run_id: "run-1", holder: "runner-1" }),
      ],
      events: [],
    });
    expect(made.ok).toBe(true);
  });
  afterAll(async () => {
    await store.close();
  });

  it("[M-8.2.2] two connections that tell the same journal at once make one set of rows", async () => {
    const tell = (from: number, to: number) =>
      ingestJournal({ store, clock, random }, "runner-1", "run-1", entries.slice(from, to));
    await Promise.all([tell(0, 700), tell(0, 700), tell(100, 900), tell(0, 300)]);
    await tell(0, 1_200);
    expect(await tell(600, 1_200)).toEqual({ kind: "acknowledge", seq: 1_200 });
    const count = async (table: string): Promise<number> =>
      Number((await store.rows<{ n: number }>({ sql: `SELECT count(*) AS n FROM ${table}`, parameters: [] }))[0]?.n);
    expect([await count("intent_view"), await count("order_view"), await count("fill_view")]).toEqual([400, 400, 400]);
    expect((await readRun(store, store, "run-1"))?.journal_seq).toBe(1_200);
  });
  it("[M-9.2.2] [M-3.3.2] a breaker's openings and an SLO's steps are events of the audit log, once however often they are told", async () => {
    const place = { at_us: 5, event_time_us: 4, cursor: 3, trace_id: "t" };
    const told: readonly JournalEntry[] = [
      {
        ...place,
        seq: 1_201,
        kind: "breaker",
        breaker: { state: "open", mode: "cancel_all", trigger: "timeouts", reason_code: "M.BREAKER.TIMEOUTS" },
      },
      {
        ...place,
        seq: 1_202,
        kind: "input",
        input: { input: "pressure", source: "slo", level: "adjust", reason_code: "M.SLO.LATENCY_ADJUST", measured: {} },
      },
      {
        ...place,
        seq: 1_203,
        kind: "breaker",
        breaker: { state: "closed", mode: null, trigger: null, reason_code: "M.BREAKER.BACK_OPERATOR" },
      },
      { ...place, seq: 1_204, kind: "input", input: { input: "signal", signal: {}, actor: "root" } },
    ];
    const tell = () => ingestJournal({ store, clock, random }, "runner-1", "run-1", told);
    await Promise.all([tell(), tell()]);
    await tell();
    const events = await readEvents(store, store, { run_id: "run-1", order: "asc", limit: 20 });
    expect(events.map(({ action, actor, details }) => [action, actor, details["reason_code"]])).toEqual([
      ["instance.breaker.opened", "runner:runner-1", "M.BREAKER.TIMEOUTS"],
      ["instance.pressure.changed", "runner:runner-1", "M.SLO.LATENCY_ADJUST"],
      ["instance.breaker.closed", "runner:runner-1", "M.BREAKER.BACK_OPERATOR"],
    ]);
  });
  it("[M-7.1.2] only the holder adds, and an unknown run is refused", async () => {
    expect(await ingestJournal({ store, clock, random }, "runner-2", "run-1", [intentEntry(1_205, "X")])).toEqual({
      kind: "refused",
      why: "not the holder",
    });
    expect(await ingestJournal({ store, clock, random }, "runner-1", "run-9", [intentEntry(1, "X")])).toEqual({
      kind: "refused",
      why: "unknown run",
    });
  });
  it("[M-7.1.1] racing runners: one holder, epochs rise", async () => {
    const key = { bot_id: "b", strategy_id: "s", instance_id: "main" };
    const taken = await Promise.all(
      Array.from({ length: 8 }, (_, i) => acquireLease(store, key, `r${i}`, millis(20_000))),
    );
    expect(taken.filter((one) => one.ok)).toHaveLength(1);
  });
}

describe("journal ingest on SQLite", () => {
  const room = temporaryFolder();
  suite(async () => {
    const opened = await openSqliteStore({
      path: `${room.path}/store.db`,
      backup_folder: room.path,
      migrations: controlMigrations,
      signer,
      random: systemRandom(),
      writer: { kind: "in_process" },
    });
    if (!opened.ok) throw new Error(opened.error.code);
    return opened.value;
  });
  afterAll(() => room.remove());
});

describe.runIf(requires("postgresql"))("journal ingest on PostgreSQL", () => {
  let server: TestServer;
  suite(async () => {
    server = await startPostgres();
    const opened = await openPostgresStore({
      server: await server.database(),
      migrations: controlMigrations,
      before_migration: () => Promise.resolve(ok(undefined)),
      signer,
      clock,
      random: systemRandom(),
    });
    if (!opened.ok) throw new Error(`${opened.error.code} ${JSON.stringify(opened.error.params)}`);
    return opened.value;
  });
  afterAll(async () => {
    await server.stop();
  });
});
