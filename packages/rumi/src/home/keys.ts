/**
 * The home's keys: one file of mode 0600 each, made at the first start, never printed, never in a log.
 *
 * | File (user_data/settings/) | For | Form |
 * |---|---|---|
 * | .hmac_key | bearer token, request fingerprints | 32 random bytes, base64url |
 * | .secrets_key | secrets at rest (secrets-key.ts) | Fernet key: 32 random bytes, base64url with padding |
 * | .ledger_key | signed checkpoints of the audit log | Ed25519, PKCS#8 PEM |
 * | .attestation_key | attestations | ECDSA P-256, PKCS#8 PEM |
 *
 * docs/operations/keys.md tells how each is rotated and backed up.
 *
 * Invariants
 * - The same file gives the same token; a rotated one gives another (home.test.ts, [R-19.1]).
 * - RUMI_HMAC_ROTATE left on rotates once (home.test.ts).
 * - No key is made for a log that there is already (packages/rumi/test/setup.e2e.test.ts).
 */
import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { writeFileDurably } from "./files.ts";
import type { HomePaths } from "./layout.ts";

export type HomeKeys = {
  readonly hmac: Uint8Array;
  readonly ledger_pem: string;
  readonly attestation_pem: string;
  readonly hmac_rotated: boolean;
};

const KEY_MODE = 0o600;

/** The home's keys and what the next start is without them: nothing else in the home can make them again. */
export const HOME_KEYS: Readonly<Record<string, string>> = {
  ".hmac_key": "the next start makes another: another token, and repeated commands are not known as repeats",
  ".secrets_key": "stored secrets cannot be read without it",
  ".ledger_key": "the audit log cannot be continued without it",
  ".attestation_key": "the next start makes another: new attestations are signed by somebody else",
};

export function openKeys(
  paths: HomePaths,
  options: {
    readonly rotate_hmac: boolean;
    /** The log of a home that there was is given to a key of its own. */
    readonly hands_log_over?: boolean;
  },
): Result<HomeKeys, Failure> {
  const file = (name: string): string => join(paths.settings, name);
  const hasLog = existsSync(join(paths.store, "rumi.sqlite")) && options.hands_log_over !== true;
  if (hasLog && !existsSync(file(".ledger_key")))
    return damaged(file(".ledger_key"), "it is gone, and the audit log cannot be continued without it");
  const rotated = rotateWhenAsked(paths, options.rotate_hmac);
  const hmacText = readOrMake(file(".hmac_key"), () => randomBytes(32).toString("base64url"));
  const hmac = new Uint8Array(Buffer.from(hmacText, "base64url"));
  if (hmac.length !== 32) return damaged(file(".hmac_key"), "it does not hold 32 bytes");
  const ledger = readOrMake(file(".ledger_key"), () =>
    generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  );
  if (keyType(ledger) !== "ed25519") return damaged(file(".ledger_key"), "it is not an Ed25519 private key");
  const attestation = readOrMake(file(".attestation_key"), () =>
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  );
  if (keyType(attestation) !== "ec") return damaged(file(".attestation_key"), "it is not a P-256 private key");
  return ok({
    hmac,
    ledger_pem: ledger,
    attestation_pem: attestation,
    hmac_rotated: rotated,
  });
}

/** The key of runners: derived, so that a runner never holds the token key itself. */
export const RUNNER_KEY_FILE = ".runner_key";

/** Makes a fresh key for this home's runners when there is none; a running runner keeps its own copy. */
export function openRunnerKey(paths: HomePaths): string {
  const path = join(paths.settings, RUNNER_KEY_FILE);
  readOrMake(path, () => randomBytes(32).toString("hex"));
  return path;
}

/** Rotates once per switching-on: a marker remembers that this `true` was already obeyed. */
function rotateWhenAsked(paths: HomePaths, asked: boolean): boolean {
  const marker = join(paths.settings, ".hmac_rotated");
  if (!asked) {
    rmSync(marker, { force: true });
    return false;
  }
  const key = join(paths.settings, ".hmac_key");
  if (existsSync(marker) || !existsSync(key)) {
    if (!existsSync(marker)) writeFileSync(marker, "", { mode: KEY_MODE });
    return false;
  }
  writeFileDurably(key, `${randomBytes(32).toString("base64url")}\n`, KEY_MODE);
  writeFileDurably(marker, "", KEY_MODE);
  return true;
}

export function readOrMake(path: string, make: () => string): string {
  if (!existsSync(path)) writeFileDurably(path, `${make().trimEnd()}\n`, KEY_MODE);
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, KEY_MODE);
  return readFileSync(path, "utf8").trim();
}

function keyType(pem: string): string | undefined {
  try {
    return createPrivateKey(pem).asymmetricKeyType;
  } catch {
    return undefined;
  }
}

export function damaged(path: string, problem: string): Result<never, Failure> {
  return err(failure("RUMI-SYS-002", { name: path, problem }));
}
