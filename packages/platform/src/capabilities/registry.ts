/**
 * Which handler serves a permission: read from what is written down at every use, so a decision counts from the next call on.
 *
 * Invariants (packages/rumi/test/capabilities.test.ts)
 * - A handler is served only while it is installed, its pack is approved, and its copy is what was trusted.
 */
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { Reader, Store } from "@rumi/store";
import type { Candidate } from "../candidates/model.ts";
import { readCandidates } from "../candidates/tables.ts";
import type { PackEntry } from "../packs/digest.ts";
import { digestFolder } from "../packs/files.ts";
import type { PackLimits } from "../packs/limits.ts";
import { readApproval } from "../packs/tables.ts";
import { readTree } from "../packs/tree.ts";
import type { HandlerFacts } from "./handler.ts";

export type TrustedHandler = HandlerFacts & {
  readonly candidate_key: string;
  readonly pack_id: string;
  /** The copy that was verified just now. */
  readonly directory: string;
  readonly entries: readonly PackEntry[];
};
export interface HandlerRegistry {
  /** Permissions that a handler serves now. */
  permissions(reader: Reader): Promise<readonly string[]>;
  /** The handler of a permission: RUMI-CAP-001, -006 or RUMI-PACK-006 where none may run. */
  find(reader: Reader, permission_id: string): Promise<Result<TrustedHandler, Failure>>;
}

/** Where the copy of a handler lies. */
export function copyOf(folder: string, { slug, folder_digest }: HandlerFacts): string {
  return join(folder, slug, digestFolder(folder_digest));
}

export function createHandlerRegistry(deps: {
  readonly store: Pick<Store, "builder">;
  /** `user_data/capabilities/handlers/`. */
  readonly folder: string;
  readonly limits: PackLimits;
}): HandlerRegistry {
  const installed = async (reader: Reader): Promise<readonly Candidate<HandlerFacts>[]> =>
    (await readCandidates<HandlerFacts>(reader, deps.store, "capability")).filter(({ state }) => state === "installed");
  return {
    permissions: async (reader) => (await installed(reader)).map(({ facts }) => facts.permission_id),
    find: async (reader, permission_id) => {
      const found = (await installed(reader)).find(({ facts }) => facts.permission_id === permission_id);
      if (found === undefined) return err(failure("RUMI-CAP-001", { what: permission_id }));
      const { pack_id, candidate_key, facts } = found;
      const state = (await readApproval(reader, deps.store, pack_id))?.state ?? "not installed";
      if (state !== "approved") return err(failure("RUMI-PACK-006", { pack_id, state }));
      const directory = copyOf(deps.folder, facts);
      const copy = await readTree(directory, deps.limits);
      return copy.ok && copy.value.digest === facts.folder_digest
        ? ok({ ...facts, candidate_key, pack_id, directory, entries: copy.value.entries })
        : err(failure("RUMI-CAP-006", { candidate_key }));
    },
  };
}
