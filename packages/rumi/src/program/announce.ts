/** What a start leaves in the log before anything else happens, and what it finds of the run before. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { err, hmacSha256, ok, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import { systemEvent } from "@rumi/platform";
import type { Store } from "@rumi/store";
import type { HomePaths } from "../home/layout.ts";
import type { HeldHome } from "./open-home.ts";
import type { Installation } from "./installation.ts";

/** The first events of a run: what was made, migrated or rotated, and that the program started. */
export async function announceStart(
  store: Store,
  { paths, home, keys, created, migrated_from }: HeldHome,
  {
    installation,
    clock,
    random,
  }: { readonly installation: Installation; readonly clock: Clock; readonly random: Random },
): Promise<Result<undefined, Failure>> {
  const by = { clock, random, actor: "system:program" };
  const about = { resource_type: "home", resource_id: home.home_id, outcome: "SUCCESS" } as const;
  const facts = { environment: home.environment, layout_version: home.layout_version };
  const committed = await store.commit({
    writes: [],
    events: [
      ...(created ? [systemEvent(by, { action: "home.created", ...about, details: facts })] : []),
      ...(migrated_from === null
        ? []
        : [
            systemEvent(by, {
              action: "home.upgraded",
              ...about,
              details: { ...facts, from_layout: migrated_from, to_layout: home.layout_version },
            }),
          ]),
      ...(keys.hmac_rotated
        ? [
            systemEvent(by, {
              action: "key.rotated",
              ...about,
              details: { key: "hmac", old_key_id: null, new_key_id: keyId(keys.hmac) },
            }),
          ]
        : []),
      systemEvent(by, {
        action: "program.started",
        resource_type: "program",
        resource_id: home.home_id,
        outcome: "SUCCESS",
        details: {
          version: installation.version,
          pid: process.pid,
          environment: home.environment,
          clean_before: endedCleanly(paths),
        },
      }),
    ],
  });
  if (committed.ok) return ok(undefined);
  if (committed.error.kind === "failed") return err(committed.error.failure);
  throw new Error("the first events of a start conflict with nothing");
}

/** A name for a key that tells nothing about it. */
function keyId(key: Uint8Array): string {
  return Buffer.from(hmacSha256(key, "rumi/key-id/v1")).toString("hex").slice(0, 16);
}

/** The note of where the program listens is removed at an orderly end. */
function endedCleanly(paths: HomePaths): boolean {
  try {
    readFileSync(join(paths.settings, "running.json"));
    return false;
  } catch {
    return true;
  }
}
