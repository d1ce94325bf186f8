/** kill -9 in the middle of commits: what was acknowledged is there, and the log holds together. */
import { spawn } from "node:child_process";
import { expect, it, onTestFinished } from "vitest";
import { build } from "esbuild";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rootFromTiles, verifyCheckpoint } from "@rumi/ledger";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { storedLog, type Store } from "../src/index.ts";
import { noteSigner } from "../src/log/leaves.ts";
import { openTestStore, SIGNER } from "./support.ts";

const KILLS = 20;
const ACKNOWLEDGED_PER_ROUND = 40;

/** Runs the child until it acknowledged some commits, kills it, and answers with all it acknowledged. */
function killed(program: string, folder: string, round: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [program, folder, String(round), Buffer.from(SIGNER.private_key_pem).toString("base64")],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let said = "";
    let problem = "";
    child.stderr.on("data", (data: Buffer) => (problem += data.toString()));
    child.stdout.on("data", (data: Buffer) => {
      said += data.toString();
      if (said.split("\n").length > ACKNOWLEDGED_PER_ROUND + round) child.kill("SIGKILL");
    });
    child.once("close", (status) => {
      if (status !== null) reject(new Error(`the child ended by itself: ${problem}`));
      else resolve(said.slice(0, said.lastIndexOf("\n")).split("\n"));
    });
  });
}

async function verifyWholeLog(store: Store): Promise<number> {
  const log = storedLog(store, store);
  const head = verifyCheckpoint((await log.checkpoint()) ?? "", noteSigner(SIGNER));
  if (!head.ok) return expect.fail(head.error.code);
  const root = await rootFromTiles(head.value.size, (level, index) => log.tile(level, index));
  expect(root.ok && Buffer.from(root.value).equals(head.value.root)).toBe(true);
  const [bounds] = await store.rows<{ n: number; top: number }>({
    sql: "SELECT count(*) AS n, max(idx) AS top FROM log_entry",
    parameters: [],
  });
  expect(bounds).toEqual({ n: head.value.size, top: head.value.size - 1 });
  return head.value.size;
}

it(`after each of ${KILLS} kills every acknowledged batch is there, without gaps, under a valid checkpoint`, async () => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const cache = new URL("../../../node_modules/.cache/", import.meta.url).pathname;
  mkdirSync(cache, { recursive: true });
  const bundle = mkdtempSync(join(cache, "rumi-crash-"));
  onTestFinished(() => rmSync(bundle, { recursive: true, force: true }));
  const program = join(bundle, "child.mjs");
  await build({
    entryPoints: [new URL("crash-child.ts", import.meta.url).pathname],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["@photostructure/sqlite", "esbuild", "pg"],
    logLevel: "error",
  });
  const acknowledged: string[] = [];
  for (let round = 1; round <= KILLS; round += 1) {
    acknowledged.push(...(await killed(program, path, round)));
    const store = await openTestStore(path);
    const size = await verifyWholeLog(store);
    const rows = await store.rows<{ idx: number; event_id: string; id: string }>({
      sql: "SELECT e.idx, e.event_id, t.id FROM log_entry e JOIN thing t ON t.id = e.resource_id JOIN log_payload p ON p.idx = e.idx",
      parameters: [],
    });
    const stored = new Set(rows.map((row) => `${row.idx} ${row.event_id} ${row.id}`));
    expect(acknowledged.filter((line) => !stored.has(line))).toEqual([]);
    expect(rows).toHaveLength(size); // state and log agree row by row
    await store.close();
  }
  expect(acknowledged.length).toBeGreaterThan(KILLS * ACKNOWLEDGED_PER_ROUND);
}, 120_000);
