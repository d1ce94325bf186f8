/**
 * From lock files to components: what an artifact is made of, each component once.
 *
 * How to think: a lock file is a claim about bytes from elsewhere. What it does not pin to a version of a public registry
 * (paths, git, plain http, ranges) cannot be compared with anything, so it is refused with its line; what it pins without
 * a hash is listed without one, and the policy decides. Nothing is left out silently.
 *
 * Invariants (lock.test.ts)
 * - Every entry of a file becomes a component, is the artifact itself, or makes a failure with its line.
 * - The same name and version is listed once; two different hashes for it are a failure.
 * - The result does not depend on the order of files or entries.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { readCargoLock } from "./cargo-lock.ts";
import { keyOf, type Component, type LockFile, type LockKind } from "./component.ts";
import { readPackageLock } from "./package-lock.ts";
import { lockInvalid, type LockEntry } from "./refusals.ts";
import { readRequirements } from "./requirements.ts";

export const LOCK_LIMITS = {
  characters: 16_777_216,
  components: 20_000,
} as const;

const READERS: Readonly<Record<LockKind, (file: LockFile) => Result<readonly LockEntry[], Failure>>> = {
  "package-lock": readPackageLock,
  requirements: readRequirements,
  "cargo-lock": readCargoLock,
};

/** Sorted by ecosystem, name and version. No lock file gives no component: whether that is enough is the policy's to say. */
export function componentsOf(locks: readonly LockFile[]): Result<readonly Component[], Failure> {
  const names = new Map<LockKind, string>();
  const found = new Map<string, Component>();
  for (const file of locks) {
    const first = names.get(file.kind);
    if (first !== undefined) return err(failure("RUMI-SUP-004", { first, second: file.name, kind: file.kind }));
    names.set(file.kind, file.name);
    if (file.text.length > LOCK_LIMITS.characters) return tooLarge(file, LOCK_LIMITS.characters, "characters");
    const read = READERS[file.kind]({ ...file, text: withoutMark(file.text) });
    if (!read.ok) return read;
    for (const { component, line } of read.value) {
      const before = found.get(keyOf(component));
      const merged = before === undefined ? component : together(before, component);
      if (merged === undefined)
        return lockInvalid(file, line, `${component.purl} stands there with two different hashes`);
      found.set(keyOf(component), merged);
    }
    if (found.size > LOCK_LIMITS.components) return tooLarge(file, LOCK_LIMITS.components, "components");
  }
  const sorted = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, component]) => component);
  return ok(sorted.map((one) => ({ ...one, hashes: one.hashes.toSorted(byHash) })));
}

type Hash = Component["hashes"][number];
const byHash = (a: Hash, b: Hash): number => (`${a.alg} ${a.content}` < `${b.alg} ${b.content}` ? -1 : 1);
const withoutMark = (text: string): string => (text.startsWith("\ufeff") ? text.slice(1) : text);

/** PyPI's hashes of one version are those of its files, alternatives to each other; elsewhere one version is one archive. */
function together(a: Component, b: Component): Component | undefined {
  const known = new Set(a.hashes.map(({ alg, content }) => `${alg} ${content}`));
  const more = b.hashes.filter(({ alg, content }) => !known.has(`${alg} ${content}`));
  const isClash = a.ecosystem !== "PyPI" && more.some(({ alg }) => a.hashes.some((own) => own.alg === alg));
  if (isClash) return undefined;
  // Fetched in one place and bundled in another: what is fetched needs its hash.
  const origin =
    a.origin === b.origin ? a.origin : a.origin === "registry" || b.origin === "registry" ? "registry" : "bundled";
  return { ...a, origin, hashes: [...a.hashes, ...more] };
}

function tooLarge(file: LockFile, limit: number, unit: string): Result<never, Failure> {
  return err(failure("RUMI-SUP-005", { name: file.name, limit, unit }));
}
