/**
 * How many audit events a second become durable: 64 callers, one event each, groups as they come, through the
 * shipped path: writer in its own thread, fsync on, leaves, tiles and signed checkpoint in each group's transaction.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { generateKeyPairSync } from "node:crypto";
import { systemClock, systemRandom, uuidv7 } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import { openSqliteStore, type Store } from "@rumi/store";
import { measured, percentile, type Measured } from "../measure.ts";

const CALLERS = 64;
const WARM_UP = 10_000;
const APPENDS = 50_000;
const RUNS = 5;

type Round = { readonly per_s: number; readonly p99_ms: number; readonly cpu_us: number };

export async function appendsSuite(argument: string): Promise<readonly Measured[]> {
  const { writer_worker } = JSON.parse(argument) as { readonly writer_worker: string };
  const folder = mkdtempSync(join(tmpdir(), "rumi-bench-"));
  const { privateKey } = generateKeyPairSync("ed25519");
  const opened = await openSqliteStore({
    path: join(folder, "store.db"),
    backup_folder: join(folder, "backups"),
    migrations: [],
    random: systemRandom(),
    signer: {
      origin: "rumi.local/dev/bench",
      private_key_pem: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    },
    writer: { kind: "worker", worker_url: pathToFileURL(writer_worker) },
  });
  if (!opened.ok) throw new Error(`the store does not open: ${opened.error.code}`);
  try {
    await round(opened.value, WARM_UP);
    const rounds: Round[] = [];
    for (let run = 0; run < RUNS; run += 1) rounds.push(await round(opened.value, APPENDS));
    return [
      measured(
        "ledger_appends_per_s",
        "appends/s",
        rounds.map((one) => one.per_s),
      ),
      measured(
        "ledger_append_p99_ms",
        "ms",
        rounds.map((one) => one.p99_ms),
      ),
      measured(
        "ledger_append_cpu_us",
        "µs",
        rounds.map((one) => one.cpu_us),
      ),
    ];
  } finally {
    await opened.value.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function round(store: Store, appends: number): Promise<Round> {
  const clock = systemClock();
  const random = systemRandom();
  const taken_ms: number[] = [];
  let left = appends;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const began = performance.now();
      const done = await store.commit({ writes: [], events: [auditEvent(clock, random)] });
      if (!done.ok) throw new Error(JSON.stringify(done.error));
      taken_ms.push(performance.now() - began);
    }
  };
  const cpu = process.cpuUsage();
  const began = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const elapsed_ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu); // of both threads
  return {
    per_s: (appends * 1_000) / elapsed_ms,
    p99_ms: percentile(taken_ms, 0.99),
    cpu_us: (user + system) / appends,
  };
}

/** A command's event as most of a log are. */
export function auditEvent(
  clock: ReturnType<typeof systemClock>,
  random: ReturnType<typeof systemRandom>,
): LedgerEvent {
  const occurred_at = clock.now();
  const trace_id = uuidv7(occurred_at, random);
  return {
    event_id: uuidv7(occurred_at, random),
    action: "controlplane.command.applied",
    actor: "user:root",
    resource_type: "bot",
    resource_id: "grid-1",
    outcome: "SUCCESS",
    occurred_at,
    details: {
      reason: "bench",
      approval_id: null,
      expires_at: null,
      trace_id,
      run_id: null,
      request_id: trace_id,
      fingerprint: null,
      operation: "bots.config_apply",
      status_code: 200,
    },
  };
}
