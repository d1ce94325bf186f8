/** Runs as they are written down and read back, on SQLite and on a real PostgreSQL alike. */
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ok, seededRandom, systemClock } from "@rumi/kernel";
import { openPostgresStore, openSqliteStore, type Store, type Write } from "@rumi/store";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import { startPostgres, type TestServer } from "../../../store/test/postgres-server.ts";
import type { Run, RunCheck, Violation } from "./model.ts";
import {
  decideViolation,
  insertBundle,
  insertCheck,
  insertRun,
  insertViolation,
  newestRunId,
  readBundles,
  readChecks,
  readRun,
  readRuns,
  readUnfinished,
  readViolations,
  RUN_MIGRATIONS,
  updateRun,
} from "./tables.ts";

const LARGE = 1_795_000_000_000_000;
const run = (run_id: number, over: Partial<Run> = {}): Run => ({
  run_id,
  repo: "/srv/repo",
  base_ref: "HEAD",
  base_sha: "a".repeat(40),
  command: ["sh", "-c", "echo 'ü 💥' \"$1\""],
  prompt_hash: "b".repeat(64),
  scope_snapshot: { read: [], write: ["src/**"], exclude: [] },
  dod_snapshot: { required_checks: [] },
  enforce: "record",
  enforcement: null,
  timeout_seconds: 60,
  phase: "requested",
  problem: null,
  pid: null,
  pid_started: null,
  exit_code: null,
  cancelled: false,
  stop_requested: false,
  head_sha: null,
  snapshot_sha: null,
  worktree_dirty: null,
  log_ref: `${run_id}/log.jsonl`,
  proof_bundle_ref: null,
  decisions: 0,
  proved_decisions: 0,
  requested_by: "user:root",
  trace_id: "t",
  started_at: LARGE,
  finished_at: null,
  ...over,
});
const CHECK: RunCheck = {
  run_id: 1,
  ordinal: 0,
  check_key: "tests",
  exit_code: null,
  timed_out: true,
  executed_nothing: false,
  duration_ms: 12,
  log_ref: "1/check-0.jsonl",
  log_sha256: "c".repeat(64),
  finished_at: LARGE,
};
const VIOLATION: Violation = {
  run_id: 1,
  violation_id: 1,
  path: 'a "b"\n日本',
  reason: "outside_write",
  approved_status: "pending",
  decided_at: null,
  decided_by: null,
  decision_reason: null,
};

function behaves(open: () => Store): void {
  it("[P-2] [P-10] keeps runs, checks, violations and bundles, and lets nothing be changed twice", async () => {
    const store = open();
    const commit = async (...writes: readonly Write[]): Promise<boolean> =>
      (await store.commit({ writes, events: [] })).ok;
    expect(await newestRunId(store, store)).toBe(0);
    expect(await commit(insertRun(store, run(1)), insertRun(store, run(2)))).toBe(true);
    expect(await readRun(store, store, 1)).toEqual(run(1));
    expect(await newestRunId(store, store)).toBe(2);
    const enforcement = { scope: "kernel", outside: "kernel", mechanism: "bubblewrap" } as const;
    const change = {
      phase: "ended",
      exit_code: 143,
      cancelled: true,
      worktree_dirty: true,
      finished_at: LARGE,
      enforcement,
    } as const;
    expect(await commit(updateRun(store, run(1), change))).toBe(true);
    expect(await commit(updateRun(store, run(1), change))).toBe(false); // it is in another phase now
    expect(await readRun(store, store, 1)).toEqual(run(1, change));
    expect(await commit(insertCheck(store, CHECK), insertViolation(store, VIOLATION))).toBe(true);
    expect(await readChecks(store, store, 1)).toEqual([CHECK]);
    const decision = {
      approved_status: "approved",
      decided_at: LARGE,
      decided_by: "user:a",
      decision_reason: "r",
    } as const;
    expect(await commit(decideViolation(store, VIOLATION, decision))).toBe(true);
    expect(await commit(decideViolation(store, VIOLATION, decision))).toBe(false);
    expect(await readViolations(store, store, 1)).toEqual([{ ...VIOLATION, ...decision }]);
    const bundle = {
      run_id: 1,
      revision: 1,
      ref: "r",
      sha256: "d".repeat(64),
      attestation_ref: "a",
      generated_at: LARGE,
    };
    expect(await commit(insertBundle(store, bundle))).toBe(true);
    expect(await readBundles(store, store, 1)).toEqual([bundle]);
    expect((await readUnfinished(store, store)).map(({ run_id }) => run_id)).toEqual([1, 2]);
    expect(await commit(updateRun(store, { ...run(1), phase: "ended" }, { phase: "proved", decisions: 1 }))).toBe(true);
    expect((await readUnfinished(store, store)).map(({ run_id }) => run_id)).toEqual([1, 2]); // a decision no bundle holds
    expect(await commit(updateRun(store, run(1, { phase: "proved", decisions: 1 }), { proved_decisions: 1 }))).toBe(
      true,
    );
    expect((await readUnfinished(store, store)).map(({ run_id }) => run_id)).toEqual([2]);
    expect((await readRuns(store, store, 1)).map(({ run_id }) => run_id)).toEqual([2]);
    expect((await readRuns(store, store, 5, 2)).map(({ run_id }) => run_id)).toEqual([1]);
  });
}

const signer = {
  origin: "rumi.test/log",
  private_key_pem: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
};
const random = seededRandom("salts");

describe("on SQLite", () => {
  const folder = temporaryFolder();
  let store: Store;
  beforeAll(async () => {
    const opened = await openSqliteStore({
      path: join(folder.path, "store.db"),
      backup_folder: folder.path,
      migrations: [RUN_MIGRATIONS],
      signer,
      random,
      writer: { kind: "in_process" },
    });
    if (!opened.ok) throw new Error(opened.error.code);
    store = opened.value;
  });
  afterAll(() => store.close());
  behaves(() => store);
});

describe.runIf(requires("postgresql"))("on PostgreSQL", () => {
  let server: TestServer;
  let store: Store;
  beforeAll(async () => {
    server = await startPostgres();
    const opened = await openPostgresStore({
      server: await server.database(),
      migrations: [RUN_MIGRATIONS],
      signer,
      clock: systemClock(),
      random,
      before_migration: () => Promise.resolve(ok(undefined)),
    });
    if (!opened.ok) throw new Error(opened.error.code);
    store = opened.value;
  }, 180_000);
  afterAll(async () => {
    await store.close();
    await server.stop();
  });
  behaves(() => store);
});
