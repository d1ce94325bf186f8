/**
 * Environments of packs: what was installed from a lock, read-only under the digest of its whole content.
 *
 * Invariants (packages/rumi/test/pip.e2e.test.ts): an environment is shown to a pack's code only while its lock is the one
 * that was approved, and only after every file of it was read again and is what was installed.
 */
import { join } from "node:path";
import { err, failure, ok, sha256Hex, type Digest, type Failure, type Result } from "@rumi/kernel";
import type { Store } from "@rumi/store";
import { readCandidates } from "../candidates/tables.ts";
import { digestFolder, readPlain } from "../packs/files.ts";
import type { VerifiedPack } from "../packs/library.ts";
import type { PackLimits } from "../packs/limits.ts";
import { readTree } from "../packs/tree.ts";
import type { PipFacts } from "./scan.ts";

export const ENVIRONMENT_LIMITS: PackLimits = {
  files: 20_000,
  bytes: 1_000_000_000,
  manifest_bytes: 0,
  path_bytes: 512,
  path_depth: 20,
};

export type PackEnvironment = { readonly digest: Digest; readonly directory: string };

export interface PipEnvironments {
  /** Those of a pack that was verified just now, in the order of their keys. */
  of(pack: VerifiedPack): Promise<readonly PackEnvironment[]>;
  /** Every file is what was installed; RUMI-PIP-008. */
  verify(environment: PackEnvironment): Promise<Result<void, Failure>>;
  /** Digests of installed ones that are not what was installed. */
  broken(): Promise<ReadonlySet<string>>;
}

export function pipEnvironments(deps: {
  readonly store: Store;
  /** `user_data/pip/environments/`. */
  readonly folder: string;
}): PipEnvironments {
  const { store, folder } = deps;
  const placed = (digest: string): PackEnvironment => ({
    digest: digest as Digest,
    directory: join(folder, digestFolder(digest as Digest)),
  });
  const installed = async () =>
    (await readCandidates<PipFacts>(store, store, "pip")).filter(({ state }) => state === "installed");
  const verify: PipEnvironments["verify"] = async ({ digest, directory }) => {
    const tree = await readTree(directory, ENVIRONMENT_LIMITS);
    return tree.ok && tree.value.digest === digest
      ? ok(undefined)
      : err(failure("RUMI-PIP-008", { environment: digest }));
  };
  return {
    verify,
    broken: async () => {
      const digests = new Set((await installed()).flatMap(({ facts }) => facts.installed?.environment ?? []));
      const found = new Set<string>();
      for (const digest of digests) if (!(await verify(placed(digest))).ok) found.add(digest);
      return found;
    },
    of: async ({ pack_id, directory }) => {
      const found: PackEnvironment[] = [];
      for (const { facts, ...one } of await installed()) {
        if (one.pack_id !== pack_id || facts.installed === null) continue;
        const lock = await readPlain(join(directory, facts.path));
        if (lock === undefined || sha256Hex(lock) !== facts.sha256) continue;
        found.push(placed(facts.installed.environment));
      }
      return found;
    },
  };
}
