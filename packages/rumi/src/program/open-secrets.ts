/** Stored secrets of this home: put together, and known to the scrubber before anything is served. */
import { liveBotsUsingPack } from "@rumi/control";
import type { Clock, Random, Scrubber } from "@rumi/kernel";
import { createSecrets, type Secrets } from "@rumi/platform";
import type { Logger } from "@rumi/operations";
import type { Store } from "@rumi/store";
import type { Settings } from "../home/settings.ts";
import type { HeldHome } from "./open-home.ts";

type World = {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly scrubber: Scrubber;
};

export async function openSecrets(
  store: Store,
  { paths, secrets_key }: HeldHome,
  { settings, clock, random, logger, scrubber }: World,
): Promise<Secrets> {
  const log = logger.child("secrets");
  const secrets = createSecrets({
    store,
    clock,
    random,
    scrubber,
    folder: paths.secrets,
    key: secrets_key,
    reads_per_minute: settings.secret_get_rate_limit,
    liveBotsUsing: (reader, pack_id) => liveBotsUsingPack(reader, store, pack_id),
  });
  const { unreadable, plain_text } = await secrets.learn();
  for (const { key, failure } of unreadable)
    log.error("a stored secret cannot be read", { key, error_code: failure.code, ...failure.params });
  if (secrets_key.kind === "none" && settings.secrets_allow_plaintext !== "true")
    log.warning(
      secrets_key.plain_text === "allowed"
        ? "there is no key for secrets: they are kept as plain text"
        : "there is no key for secrets: none can be set",
      { problem: secrets_key.problem },
    );
  if (plain_text.length > 0 && settings.secrets_allow_plaintext !== "true")
    log.warning("secrets lie on the disk as plain text; set them again under a key", { keys: plain_text });
  return secrets;
}
