/**
 * How long a log of a million entries takes to verify whole, as `rumi audit verify` does it with a home's store: every
 * leaf hashed, every payload opened, every row of the index held against its entry, tiles and signed head recomputed, by
 * as many threads as the machine runs at once, whose start is part of the time.
 *
 * The log is made by the store's own writer, a thousand events to a batch.
 */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock, systemRandom } from "@rumi/kernel";
import { encodeVerifier, signerFromPem, verifyLog } from "@rumi/ledger";
import { openSqliteReader, openSqliteStore, sqliteVouchers, storedLog } from "@rumi/store";
import { measured, type Measured } from "../measure.ts";
import { auditEvent } from "./appends.ts";

const BATCH = 1_000;
const ORIGIN = "rumi.local/dev/bench";
const RUNS = 3;

export async function verifySuite(argument: string): Promise<readonly Measured[]> {
  const { entries, verify_worker } = JSON.parse(argument) as {
    readonly entries: number;
    readonly verify_worker: string;
  };
  const folder = mkdtempSync(join(tmpdir(), "rumi-bench-"));
  const path = join(folder, "store.db");
  const private_key_pem = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  try {
    await makeLog(path, private_key_pem, entries);
    const signer = signerFromPem(ORIGIN, private_key_pem);
    const opened = openSqliteReader(path);
    if (!signer.ok || !opened.ok) throw new Error("the log that was made cannot be read");
    const store = opened.value;
    const seconds: number[] = [];
    const cpu_seconds: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const cpu = process.cpuUsage();
      const began = performance.now();
      const vouchers = sqliteVouchers({ path, worker_url: pathToFileURL(verify_worker) });
      const report = await store.snapshot((reader) => {
        const log = storedLog(store, reader);
        const verifier = encodeVerifier(signer.value);
        return verifyLog({ source: log, payloads: log, index: log, verifier, vouchers });
      });
      await vouchers.close();
      seconds.push((performance.now() - began) / 1_000);
      const { user, system } = process.cpuUsage(cpu);
      cpu_seconds.push((user + system) / 1e6);
      if (!report.ok || report.payloads_checked !== entries)
        throw new Error(JSON.stringify(report.findings.slice(0, 3)));
    }
    store.close();
    return [measured("verify_1m_s", "s", seconds), measured("verify_1m_cpu_s", "s", cpu_seconds)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeLog(path: string, private_key_pem: string, entries: number): Promise<void> {
  const clock = systemClock();
  const random = systemRandom();
  const store = await openSqliteStore({
    path,
    backup_folder: `${path}.backups`,
    migrations: [],
    random,
    signer: { origin: ORIGIN, private_key_pem },
    writer: { kind: "in_process" },
  });
  if (!store.ok) throw new Error(`the store does not open: ${store.error.code}`);
  for (let made = 0; made < entries; made += BATCH) {
    const events = Array.from({ length: BATCH }, () => auditEvent(clock, random));
    const done = await store.value.commit({ writes: [], events });
    if (!done.ok) throw new Error(JSON.stringify(done.error));
  }
  await store.value.close();
}
