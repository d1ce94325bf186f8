/** When a bundle is on the disk, and when the log says so: a run with decisions that no bundle holds yet, over real git and a real store. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NO_SECRETS, seededRandom, sha256Hex, systemClock } from "@rumi/kernel";
import { attesterFromPem } from "@rumi/ledger";
import { createLogger } from "@rumi/operations";
import { openSqliteStore, type Store, type Write } from "@rumi/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { systemGit } from "../git/git.ts";
import { createRunEngine, type RunEngine } from "./engine.ts";
import type { Run, Violation } from "./model.ts";
import {
  decideViolation,
  insertRun,
  insertViolation,
  readBundles,
  readRun,
  RUN_MIGRATIONS,
  updateRun,
} from "./tables.ts";

const clock = systemClock();
const random = seededRandom("salts");
const pem = (type: "ec" | "ed25519"): string => {
  const pair = type === "ec" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  return pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
};
const RUN_ID = 7;
const folder = { path: "", remove: (): void => undefined };
let store: Store;
let engine: RunEngine;
/** Files whose writing returned, and is durable then, in order. */
let durable: string[] = [];
/** For each commit with a bundle: which files were durable before it began. */
let before: { readonly sha256: unknown; readonly files: readonly string[] }[] = [];
/** Whether the disk takes a file of this name. */
let takes: (path: string) => boolean;
const root = (): string => join(folder.path, "runs");
const file = (name: string): string => join(root(), String(RUN_ID), name);

beforeEach(async () => {
  Object.assign(folder, temporaryFolder());
  [durable, before, takes] = [[], [], () => true];
  const opened = await openSqliteStore({
    path: join(folder.path, "store.db"),
    backup_folder: folder.path,
    migrations: [RUN_MIGRATIONS],
    signer: { origin: "rumi.test/log", private_key_pem: pem("ed25519") },
    random,
    writer: { kind: "in_process" },
  });
  if (!opened.ok) throw new Error(opened.error.code);
  store = opened.value;
  engine = createRunEngine({
    store: { ...store, commit: watched },
    clock,
    random,
    logger: createLogger({ level: "CRITICAL", format: "text", clock, sink: () => undefined }),
    attester: attesterFromPem(pem("ec")),
    shop: {
      clock,
      scrubber: NO_SECRETS,
      git: systemGit(process.env["PATH"] ?? ""),
      root: root(),
      hidden: [],
      blocked: [],
      environment: {},
      path: process.env["PATH"] ?? "",
    },
    mechanism: () => Promise.resolve("none"),
    writeDurably: (path, text) => {
      if (!takes(path)) throw new Error("no space left on device");
      writeFileSync(path, text);
      durable.push(path);
    },
  });
  await commit(
    insertRun(store, provedRun()),
    ...[1, 2].map((violation_id) => insertViolation(store, violation(violation_id))),
  );
});
afterEach(async () => {
  await engine.close();
  await store.close();
  folder.remove();
});

const watched: Store["commit"] = (group) => {
  const proof = group.events.find(({ action }) => action === "run.proof_generated");
  if (proof !== undefined) before.push({ sha256: proof.details["bundle_sha256"], files: durable.filter(existsSync) });
  return store.commit(group);
};
async function commit(...writes: readonly Write[]): Promise<void> {
  expect((await store.commit({ writes, events: [] })).ok).toBe(true);
}
const violation = (violation_id: number): Violation => ({
  run_id: RUN_ID,
  violation_id,
  path: `README-${violation_id}`,
  reason: "outside_write",
  approved_status: "pending",
  decided_at: null,
  decided_by: null,
  decision_reason: null,
});

/** As a run is that was kept and checked, in a repository with two commits. */
function provedRun(): Run {
  const repo = join(folder.path, "repo");
  for (const path of [repo, join(root(), String(RUN_ID))]) mkdirSync(path, { recursive: true });
  const git = (...words: readonly string[]): string =>
    execFileSync(
      "git",
      ["-c", "user.name=u", "-c", "user.email=u@example.org", "-c", "commit.gpgSign=false", ...words],
      {
        cwd: repo,
        encoding: "utf8",
      },
    ).trim();
  git("init", "--quiet");
  const [base_sha, snapshot_sha] = ["one\n", "two\n"].map((text) => {
    writeFileSync(join(repo, "README-1"), text);
    git("add", ".");
    git("commit", "--quiet", "-m", "x");
    return git("rev-parse", "HEAD");
  });
  writeFileSync(file("log.jsonl"), '{"stream":"meta","data":"the prompt"}\n');
  return {
    run_id: RUN_ID,
    repo,
    base_ref: "HEAD",
    base_sha: base_sha ?? "",
    command: ["true"],
    prompt_hash: sha256Hex("the prompt"),
    scope_snapshot: { read: [], write: ["src/**"], exclude: [] },
    dod_snapshot: { required_checks: [] },
    enforce: "record",
    enforcement: { scope: "after_only", outside: "after_only", mechanism: "none" },
    timeout_seconds: 60,
    phase: "proved",
    problem: null,
    pid: null,
    pid_started: null,
    exit_code: 0,
    cancelled: false,
    stop_requested: false,
    head_sha: snapshot_sha ?? "",
    snapshot_sha: snapshot_sha ?? "",
    worktree_dirty: false,
    log_ref: `${RUN_ID}/log.jsonl`,
    proof_bundle_ref: null,
    decisions: 0,
    proved_decisions: 0,
    requested_by: "user:root",
    trace_id: "t",
    started_at: clock.now(),
    finished_at: clock.now(),
  };
}

/** Somebody decides, and the engine makes what follows. */
async function decide(violation_id: number): Promise<void> {
  const run = await readRun(store, store, RUN_ID);
  if (run === undefined) throw new Error("it is there");
  const decision = {
    approved_status: "approved",
    decided_at: clock.now(),
    decided_by: "user:a",
    decision_reason: "r",
  } as const;
  await commit(
    decideViolation(store, violation(violation_id), decision),
    updateRun(store, run, { decisions: run.decisions + 1 }),
  );
  await carry();
}
async function carry(): Promise<void> {
  await engine.resume();
  await engine.settled(RUN_ID);
}

it("[P-5] [P-7] a bundle and its signed form are durable before the row and the event that name them", async () => {
  await decide(1);
  const [bundle] = await readBundles(store, store, RUN_ID);
  const text = readFileSync(file("proof-1.json"), "utf8");
  expect(bundle?.sha256).toBe(sha256Hex(text));
  expect(before).toEqual([{ sha256: sha256Hex(text), files: [file("proof-1.json"), file("proof-1.dsse.json")] }]);
});

it.each(["proof-1.json", "proof-1.dsse.json"])(
  "[P-5] a disk that does not take %s leaves no row and no event, and the bundle is made once it does",
  async (name) => {
    takes = (path) => path !== file(name);
    await decide(1);
    expect([await readBundles(store, store, RUN_ID), before]).toEqual([[], []]);
    expect((await readRun(store, store, RUN_ID))?.proof_bundle_ref).toBe(null);
    takes = () => true;
    await carry();
    expect(await readBundles(store, store, RUN_ID)).toMatchObject([{ revision: 1, ref: `${RUN_ID}/proof-1.json` }]);
    expect(before).toHaveLength(1);
  },
);

it("[P-10] a decision makes the next revision, which names the digest of the one before; that stays as it was made", async () => {
  await decide(1);
  const names = ["proof-1.json", "proof-1.dsse.json"];
  const first = names.map((name) => readFileSync(file(name), "utf8"));
  const [row] = await readBundles(store, store, RUN_ID);
  await decide(2);
  expect(names.map((name) => readFileSync(file(name), "utf8"))).toEqual(first);
  const [same, second, ...more] = await readBundles(store, store, RUN_ID);
  expect([same, more]).toEqual([row, []]);
  const text = readFileSync(file("proof-2.json"), "utf8");
  expect(second).toMatchObject({ revision: 2, ref: `${RUN_ID}/proof-2.json`, sha256: sha256Hex(text) });
  expect(JSON.parse(text)).toMatchObject({ revision: 2, previous_sha256: sha256Hex(first[0] ?? "") });
  expect(JSON.parse(first[0] ?? "")).toMatchObject({ revision: 1, previous_sha256: null });
  expect(durable.map((path) => path.slice(root().length + 3))).toEqual([...names, "proof-2.json", "proof-2.dsse.json"]);
  await carry();
  expect(await readBundles(store, store, RUN_ID)).toHaveLength(2);
});
