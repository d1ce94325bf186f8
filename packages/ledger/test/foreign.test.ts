/**
 * The log as strangers see it: Go's own note and tlog packages, and Tessera's fsck, neither written here.
 *
 * The Go modules are pinned by foreign/go.sum and taken from the module cache; the network is asked only
 * where the cache is cold. Without Go, or without the modules, the tests are skipped by name; with
 * CI=true that is an error.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { located, requires, temporaryFolder } from "../../../tools/test-support.ts";
import { decodeEntries, encodeEntries, encodeVerifier, updateTileFiles } from "../src/index.ts";
import { SIGNER, logOf, must } from "./support.ts";

const MODULE = join(dirname(fileURLToPath(import.meta.url)), "../foreign");
const FSCK = "github.com/transparency-dev/tessera/cmd/fsck";
const SIZE = 1_000;
const BUILD_TIMEOUT_MS = 280_000;

const folder = temporaryFolder();
const directory = join(folder.path, "tlog");
const vkey = encodeVerifier(SIGNER);
const binary = (name: string): string => join(folder.path, name);

/** Builds both checkers; false, and said so, where their modules can be had neither here nor there. */
function built(): boolean {
  if (!requires("go")) return false;
  const go = located("go") ?? "go";
  const build = (environment: Record<string, string>): { status: number | null; stderr: string } =>
    spawnSync(go, ["build", "-mod=readonly", "-o", `${folder.path}/`, ".", FSCK], {
      cwd: MODULE,
      encoding: "utf8",
      timeout: BUILD_TIMEOUT_MS,
      env: { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-buildvcs=false", ...environment },
    });
  const warm = build({ GOPROXY: "off" });
  if (warm.status === 0) return true;
  const cold = build({});
  if (cold.status === 0) return true;
  const lines = `the Go modules of packages/ledger/foreign cannot be had: ${cold.stderr.trim().split("\n").slice(-3).join(" | ")}`;
  if (process.env["CI"] === "true") throw new Error(lines);
  process.stderr.write(`skipped: ${lines}\n`);
  return false;
}

const ready = built();

const check = (): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(binary("foreign"), [directory, vkey], { encoding: "utf8" });
/**
 * Whether fsck says that it succeeded. Version 1.0.4 exits with 0 after a failed check too, so its report
 * decides; and with a single worker it waits for ever after the first difference, so it gets four.
 */
function fsckAccepts(): boolean {
  const options = [
    `--storage_url=file://${directory}/`,
    `--public_key=${join(directory, "log.vkey")}`,
    `--origin=${SIGNER.name}`,
    "--ui=false",
    "--N=4",
  ];
  const result = spawnSync(binary("fsck"), options, { encoding: "utf8", timeout: 20_000 });
  const report = result.stdout + result.stderr;
  expect(report).toContain(`checking log of size ${SIZE}`);
  return (
    result.status === 0 &&
    report.includes(`Successfully fsck'd log with size ${SIZE}`) &&
    !report.includes("fsck failed")
  );
}

describe("foreign verification", () => {
  beforeAll(async () => {
    must(await updateTileFiles({ directory, source: logOf(SIZE), verifier: SIGNER }));
  });
  afterAll(() => folder.remove());

  it.runIf(ready)("[L-26] golang.org/x/mod accepts the checkpoint, the tiles and the inclusion of every entry", () => {
    const result = check();
    expect(result.stderr).toBe("");
    expect(JSON.parse(result.stdout)).toEqual({ origin: SIGNER.name, size: SIZE, checked: SIZE });
  });

  it.runIf(ready)("[L-26] Tessera's fsck accepts the directory", () => {
    expect(fsckAccepts()).toBe(true);
  });

  it.runIf(ready)("[L-26] both reject one changed byte of one entry", () => {
    const path = join(directory, "tile/entries/001");
    const whole = readFileSync(path);
    const entries = [...decodeEntries(whole).entries].map((entry) => Uint8Array.from(entry));
    const victim = entries[5];
    if (victim !== undefined) victim[20] = (victim[20] ?? 0) ^ 1;
    writeFileSync(path, encodeEntries(entries));
    expect(check()).toMatchObject({ status: 1, stderr: expect.stringContaining("entry 261") as string });
    expect(fsckAccepts()).toBe(false);
    writeFileSync(path, whole);
    expect(check().status).toBe(0);
  });

  it.runIf(ready)("[L-26] Go's note package rejects a changed checkpoint", () => {
    const path = join(directory, "checkpoint");
    const note = readFileSync(path, "utf8");
    writeFileSync(path, note.replace(`\n${SIZE}\n`, `\n${SIZE - 1}\n`));
    expect(check().status).toBe(1);
    writeFileSync(path, note);
  });
});
