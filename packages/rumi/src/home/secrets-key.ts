/**
 * The key that secrets are sealed with: from the environment, else the home's own file, else made anew where that is wished.
 *
 * Invariants (secrets-key.test.ts)
 * - A key that is there and is none is a failure with a code; it is never replaced.
 * - `false` makes no key. Without a key plain text is kept only where the setting allows it.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ok, type Failure, type Result } from "@rumi/kernel";
import { parseFernetKey, type SecretsKey } from "@rumi/platform";
import { damaged, readOrMake } from "./keys.ts";
import type { HomePaths } from "./layout.ts";
import { SETTINGS, type Settings } from "./settings.ts";

export const SECRETS_KEY_FILE = ".secrets_key";

export type SecretsKeySource = "environment" | "file" | "none";
type Asked = Pick<Settings, "secrets_key" | "secrets_allow_plaintext">;
type Found = { readonly key: SecretsKey; readonly source: SecretsKeySource };

/** What is there now; makes nothing, for those who only look. */
export function findSecretsKey(paths: HomePaths, asked: Asked): Result<Found, Failure> {
  const path = join(paths.settings, SECRETS_KEY_FILE);
  if (asked.secrets_key !== null) return parsed(asked.secrets_key, SETTINGS.secrets_key.name, "environment");
  if (!existsSync(path))
    return ok({ key: without(asked, "neither RUMI_SECRETS_KEY nor the key file is there"), source: "none" });
  return fromFile(path);
}

/** As `findSecretsKey`, and makes the file's key where there is none and the setting does not forbid it. */
export function openSecretsKey(paths: HomePaths, asked: Asked): Result<SecretsKey, Failure> {
  const found = findSecretsKey(paths, asked);
  if (!found.ok) return found;
  if (found.value.source !== "none" || asked.secrets_allow_plaintext === "false") return ok(found.value.key);
  const path = join(paths.settings, SECRETS_KEY_FILE);
  try {
    readOrMake(path, () => randomBytes(32).toString("base64").replaceAll("+", "-").replaceAll("/", "_"));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return ok(without(asked, `${path} cannot be written: ${code ?? String(cause)}`));
  }
  const made = fromFile(path);
  return made.ok ? ok(made.value.key) : made;
}

function fromFile(path: string): Result<Found, Failure> {
  try {
    return parsed(
      readOrMake(path, () => ""),
      path,
      "file",
    );
  } catch (cause) {
    return damaged(path, `it cannot be read: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`);
  }
}

function parsed(text: string, name: string, source: SecretsKeySource): Result<Found, Failure> {
  const key = parseFernetKey(text);
  return key === undefined
    ? damaged(name, "it is not a Fernet key: 32 bytes in Base64")
    : ok({ key: { kind: "key", key }, source });
}

const without = ({ secrets_allow_plaintext }: Asked, problem: string): SecretsKey => ({
  kind: "none",
  plain_text: secrets_allow_plaintext === "false" ? "refused" : "allowed",
  problem,
});
