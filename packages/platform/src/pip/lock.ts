/**
 * `requirements.lock` read strictly, and what downloaded files have to be to fit it. Pure.
 *
 * Invariants (lock.test.ts): a line is `NAME==VERSION` or nothing; the set of wheels is that of the lock, no more and no less.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";

export const LOCK_FILES = ["requirements.lock", "backend/requirements.lock"] as const;
export const PIP_LIMITS = {
  lock_bytes: 262_144,
  packages: 500,
  /** One file of the index, a wheel or an sdist. */
  file_bytes: 268_435_456,
  download_seconds: 600,
  install_seconds: 300,
  build_seconds: 300,
  /** What a build gives back. */
  built_bytes: 16_000_000,
  index_page_bytes: 16_777_216,
} as const;

export type Locked = { readonly name: string; readonly version: string };

const LINE = /^([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]{0,126}[A-Za-z0-9])==([A-Za-z0-9][A-Za-z0-9.!+_-]{0,63})$/;

/** As the index and file names have it (PEP 503). */
export function normalized(name: string): string {
  return name.replaceAll(/[-_.]+/g, "-").toLowerCase();
}

export function parseLock(path: string, text: string): Result<readonly Locked[], Failure> {
  const wrong = (line: number, problem: string): Result<never, Failure> =>
    err(failure("RUMI-PIP-002", { path, line, problem }));
  const packages: Locked[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)#.*$/, "").trim();
    if (line === "") continue;
    const [, name, version] = LINE.exec(line) ?? [];
    if (name === undefined || version === undefined) return wrong(index + 1, "it is not NAME==VERSION");
    if (packages.some((one) => normalized(one.name) === normalized(name)))
      return wrong(index + 1, `${name} is there twice`);
    packages.push({ name, version });
    if (packages.length > PIP_LIMITS.packages)
      return wrong(index + 1, `it has more than ${PIP_LIMITS.packages} packages`);
  }
  return packages.length === 0 ? wrong(1, "it names no package") : ok(packages);
}

/** Name and version that a wheel's file name says; undefined where it is no wheel's name. */
export function wheelOf(file: string): Locked | undefined {
  const [, name, version] =
    /^([A-Za-z0-9_.]+)-([A-Za-z0-9_.!+]+)(?:-\d[A-Za-z0-9_.]*)?-[^-]+-[^-]+-[^-]+\.whl$/.exec(file) ?? [];
  return name === undefined || version === undefined ? undefined : { name, version };
}

export function isSame(a: Locked, b: Locked): boolean {
  return normalized(a.name) === normalized(b.name) && comparable(a.version) === comparable(b.version);
}

/** Exactly one wheel for each line of the lock; RUMI-PIP-006 names the first that does not fit. */
export function checkSet(packages: readonly Locked[], files: readonly string[]): Result<void, Failure> {
  const wrong = (problem: string): Result<never, Failure> => err(failure("RUMI-PIP-006", { problem }));
  const wheels = files.map((file) => ({ file, wheel: wheelOf(file) }));
  for (const { file, wheel } of wheels)
    if (wheel === undefined || !packages.some((one) => isSame(one, wheel))) return wrong(`${file} is not in the lock`);
  for (const one of packages) {
    const found = wheels.filter(({ wheel }) => wheel !== undefined && isSame(one, wheel)).length;
    if (found !== 1) return wrong(`there are ${found} files for ${one.name}==${one.version}`);
  }
  return ok(undefined);
}

/** Enough of PEP 440 for the same version spelt in a lock and in a file's name: 1.0 is 1.0.0, 1.0-1 is 1.0_1. */
function comparable(version: string): string {
  return version
    .toLowerCase()
    .replace(/^v/, "")
    .replaceAll(/[-_]/g, ".")
    .replace(/^(\d+!)?(\d+(?:\.\d+)*?)(?:\.0)*(?=$|[^.\d]|\.\D)/, "$1$2");
}
