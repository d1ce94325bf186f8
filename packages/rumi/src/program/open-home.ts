/** Takes possession of a home: folders, lock, layout, keys. Everything that must be true before a store is opened. */
import type { SecretsKey } from "@rumi/platform";
import { err, ok, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import { openKeys, openRunnerKey, type HomeKeys } from "../home/keys.ts";
import { homePaths, makeHomeFolders, openHome, type OpenedHome } from "../home/layout.ts";
import { openSecretsKey } from "../home/secrets-key.ts";
import { lockHome, type HomeLock } from "../home/lock.ts";
import type { Settings } from "../home/settings.ts";

export type HeldHome = OpenedHome & {
  readonly keys: HomeKeys;
  readonly secrets_key: SecretsKey;
  readonly runner_key_file: string;
  readonly lock: HomeLock;
};

/** On a failure the lock is released again. */
export function takeHome(
  settings: Settings,
  world: { readonly clock: Clock; readonly random: Random },
): Result<HeldHome, Failure> {
  const paths = homePaths(settings.home);
  const made = makeHomeFolders(paths);
  if (!made.ok) return made;
  const lock = lockHome(paths);
  if (!lock.ok) return lock;
  const opened = openHome({ paths, environment: settings.environment, ...world });
  const keys = opened.ok ? openKeys(paths, { rotate_hmac: settings.hmac_rotate }) : opened;
  const secrets_key = keys.ok ? openSecretsKey(paths, settings) : keys;
  if (!opened.ok || !keys.ok || !secrets_key.ok) {
    lock.value.release();
    return err((secrets_key as { readonly error: Failure }).error);
  }
  return ok({
    ...opened.value,
    keys: keys.value,
    secrets_key: secrets_key.value,
    runner_key_file: openRunnerKey(paths),
    lock: lock.value,
  });
}
