/**
 * The files that hold values: one per key in user_data/secrets, a Fernet token or, where that is allowed, plain text that
 * says so. Acts on the disk and decides nothing about rows.
 *
 * How to think: a new value is written beside (`.staged/KEY.ID`) and is durable before the row that names its id commits;
 * afterwards it takes the key's name by one rename. So whatever a row names is on the disk under one of two names, and a
 * crash anywhere leaves the old value or the new one.
 *
 * Invariants (secrets.test.ts)
 * - Files have mode 0600, folders 0700.
 * - A file that cannot be opened under the key in force is a failure with a code, never an empty value.
 */
import { chmod, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { err, failure, ok, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import { exists, syncFolder, writeDurably } from "../packs/files.ts";
import { openFernet, sealFernet, type FernetKey } from "./fernet.ts";

export const SECRET_KEY_PATTERN = "^[A-Z0-9_]{1,64}$";
const KEY = new RegExp(SECRET_KEY_PATTERN);
const STAGED = ".staged";
/** No token begins so: what is plain text can be told from what is sealed without knowing how it was kept. */
export const PLAIN_TEXT = "plain:";
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** What values are sealed with. */
export type SecretsKey =
  | { readonly kind: "key"; readonly key: FernetKey }
  /** `problem`: why there is none, in words. */
  | { readonly kind: "none"; readonly plain_text: "allowed" | "refused"; readonly problem: string };

export type VaultDeps = {
  /** user_data/secrets */
  readonly folder: string;
  readonly key: SecretsKey;
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "bytes">;
};

/** How a value that is set now would be kept, or RUMI-SEC-002. */
export function formOf(key: SecretsKey): Result<"encrypted" | "plain_text", Failure> {
  if (key.kind === "key") return ok("encrypted");
  return key.plain_text === "allowed" ? ok("plain_text") : err(failure("RUMI-SEC-002", { problem: key.problem }));
}

type Staging = { readonly key: string; readonly file_id: string; readonly value: string };

/** Durable when it returns; nobody's until a row names `file_id`. Error RUMI-SEC-005. */
export async function stageValue(
  { folder, key: sealing, clock, random }: VaultDeps,
  { key, file_id, value }: Staging,
): Promise<Result<void, Failure>> {
  const iv = random.bytes(16);
  const seconds = Math.floor(clock.now() / 1_000_000);
  const text =
    sealing.kind === "key"
      ? sealFernet(sealing.key, Buffer.from(value, "utf8"), { iv, seconds })
      : `${PLAIN_TEXT}${value}`;
  const staged = join(folder, STAGED);
  try {
    await mkdir(staged, { recursive: true, mode: FOLDER_MODE });
    for (const one of [folder, staged]) await chmod(one, FOLDER_MODE);
    await writeDurably(join(staged, `${key}.${file_id}`), Buffer.from(text, "utf8"), FILE_MODE);
    await syncFolder(staged);
    return ok(undefined);
  } catch (cause) {
    return err(failure("RUMI-SEC-005", { key, problem: problemOf(cause) }, { cause }));
  }
}

/** Gives the value that a row names the key's own name; nothing where it has it already. */
export async function settleValue(folder: string, key: string, file_id: string): Promise<void> {
  const staged = join(folder, STAGED, `${key}.${file_id}`);
  if (!(await exists(staged))) return;
  await rename(staged, join(folder, key));
  await syncFolder(folder);
}

export async function removeValue(folder: string, key: string): Promise<void> {
  if (!(await exists(join(folder, key)))) return;
  await rm(join(folder, key), { force: true });
  await syncFolder(folder);
}

/** Takes away staged values of `key`, or of all keys, that are none of `named`; only where nobody stages meanwhile. */
export async function sweepStaged(folder: string, named: ReadonlySet<string>, key?: string): Promise<void> {
  const staged = join(folder, STAGED);
  if (!(await exists(staged))) return;
  for (const name of await readdir(staged)) {
    const [of = "", file_id = ""] = name.split(".");
    if ((key === undefined || key === of) && !named.has(file_id)) await rm(join(staged, name), { force: true });
  }
}

/** Error RUMI-SEC-003 where it cannot be opened, whatever the cause. */
export async function readValue(folder: string, key: string, sealing: SecretsKey): Promise<Result<string, Failure>> {
  const unreadable = (problem: string, cause?: unknown) => err(failure("RUMI-SEC-003", { key, problem }, { cause }));
  let text: string;
  try {
    text = await readFile(join(folder, key), "utf8");
  } catch (cause) {
    return unreadable(problemOf(cause), cause);
  }
  if (text.startsWith(PLAIN_TEXT)) return ok(text.slice(PLAIN_TEXT.length));
  if (sealing.kind === "none") return unreadable(`it is encrypted and there is no key: ${sealing.problem}`);
  const opened = openFernet(sealing.key, text.trim());
  return opened === undefined
    ? unreadable("it does not open under the key in force, or is damaged")
    : ok(Buffer.from(opened).toString("utf8"));
}

export type StoredValues = {
  readonly values: readonly { readonly key: string; readonly value: string }[];
  readonly unreadable: readonly { readonly key: string; readonly failure: Failure }[];
  /** Keys whose value lies there as plain text. */
  readonly plain_text: readonly string[];
};

/** Whatever the folder holds, also without a program: for scrubbing and for a look at the home. */
export async function storedValues(folder: string, sealing: SecretsKey): Promise<StoredValues> {
  const names = (await exists(folder)) ? (await readdir(folder)).filter((name) => KEY.test(name)).toSorted() : [];
  const values: { key: string; value: string }[] = [];
  const unreadable: { key: string; failure: Failure }[] = [];
  const plain_text: string[] = [];
  for (const key of names) {
    const read = await readValue(folder, key, sealing);
    if (!read.ok) unreadable.push({ key, failure: read.error });
    else values.push({ key, value: read.value });
    if (read.ok && (await readFile(join(folder, key), "utf8")).startsWith(PLAIN_TEXT)) plain_text.push(key);
  }
  return { values, unreadable, plain_text };
}

const problemOf = (cause: unknown): string => (cause as NodeJS.ErrnoException | undefined)?.code ?? String(cause);
