/** What `rumi doctor` says about stored secrets. Looks only, changes nothing, and shows no value. */
import { existsSync } from "node:fs";
import { failureText } from "@rumi/kernel";
import { settingsOf, type CliContext } from "../cli/context.ts";
import { homePaths } from "../home/layout.ts";

type Check = {
  readonly name: "secrets";
  readonly state: "ok" | "warning" | "failed";
  readonly fact: string;
  readonly next: string | null;
};

/** Whether every stored secret opens under the key that a start would take; makes no key. */
export async function secretChecks(context: CliContext): Promise<readonly Check[]> {
  const settings = settingsOf(context);
  if (!settings.ok) return [];
  const paths = homePaths(settings.value.home);
  if (!existsSync(paths.settings)) return [];
  // Loaded only here: a check of the machine needs no database.
  const { findSecretsKey } = await import("../home/secrets-key.ts");
  const { storedValues } = await import("@rumi/platform");
  const check = (state: Check["state"], fact: string, next: string | null): readonly Check[] => [
    { name: "secrets", state, fact, next },
  ];
  const found = findSecretsKey(paths, settings.value);
  if (!found.ok) {
    const { text, next } = failureText(found.error, context.terminal.language);
    return check("failed", text, next);
  }
  const { values, unreadable, plain_text } = await storedValues(paths.secrets, found.value.key);
  const all = values.length + unreadable.length;
  const keys = (list: readonly string[]): string => list.slice(0, 10).join(", ");
  if (unreadable.length > 0)
    return check(
      "failed",
      `${unreadable.length} of ${all} cannot be read: ${keys(unreadable.map(({ key }) => key))}`,
      "start with the key under which they were stored, or set them anew",
    );
  if (plain_text.length > 0)
    return check("warning", `plain text: ${keys(plain_text)}`, "set them again under a key; docs/secrets.md");
  if (found.value.key.kind === "none" && settings.value.secrets_allow_plaintext !== "auto")
    return check("warning", `no key: ${found.value.key.problem}`, "docs/secrets.md says where a key comes from");
  return check("ok", `${all} stored, key: ${found.value.source}`, null);
}
