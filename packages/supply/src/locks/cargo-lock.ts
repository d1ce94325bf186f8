/** Cargo.lock, versions 3 and 4. Without a source a package is a member of the workspace; other sources than crates.io are refused. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { valid } from "semver";
import { parse, TomlError } from "smol-toml";
import type { Component, LockFile } from "./component.ts";
import { shown } from "../shown.ts";
import { lockInvalid, lockSource, type LockEntry } from "./refusals.ts";
import { purlOf } from "./purl.ts";

const CRATES_IO: ReadonlySet<unknown> = new Set([
  "registry+https://github.com/rust-lang/crates.io-index",
  "sparse+https://index.crates.io/",
]);

export function readCargoLock(file: LockFile): Result<readonly LockEntry[], Failure> {
  let document: Readonly<Record<string, unknown>>;
  try {
    document = parse(file.text, { maxDepth: 16 });
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    return lockInvalid(file, cause.line, "it is no TOML");
  }
  const version = document["version"];
  if (version !== 3 && version !== 4) {
    const named = typeof version === "number" ? version : "none";
    return err(
      failure("RUMI-SUP-002", { name: file.name, version: named, supported: "3 and 4 (cargo 1.53 and later)" }),
    );
  }
  const packages = document["package"] ?? [];
  if (!Array.isArray(packages)) return lockInvalid(file, 1, "package is no list of tables");
  const lines = file.text.split("\n").flatMap((text, at) => (/^\s*\[\[\s*package\s*\]\]/.test(text) ? [at + 1] : []));
  const entries: LockEntry[] = [];
  for (const [at, entry] of (packages as readonly unknown[]).entries()) {
    const line = lines[at] ?? 1;
    const component = componentOf(
      entry,
      (problem) => lockInvalid(file, line, problem),
      (name, source) => lockSource(file, line, name, source),
    );
    if (!component.ok) return component;
    entries.push({ component: component.value, line });
  }
  return ok(entries);
}

function componentOf(
  entry: unknown,
  invalid: (problem: string) => Result<never, Failure>,
  foreign: (name: string, source: string) => Result<never, Failure>,
): Result<Component, Failure> {
  if (typeof entry !== "object" || entry === null) return invalid("a package is no table");
  const { name, version, source, checksum } = entry as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(name))
    return invalid("a package has no name that cargo knows");
  if (typeof version !== "string" || valid(version) === null) return invalid(`${shown(name)} has no version`);
  if (source !== undefined && !CRATES_IO.has(source))
    return foreign(name, typeof source === "string" ? source : "nowhere that can be read");
  const isFine = checksum === undefined || (typeof checksum === "string" && /^[0-9a-f]{64}$/.test(checksum));
  if (!isFine) return invalid(`the checksum of ${name} cannot be read`);
  return ok({
    ecosystem: "crates.io",
    name,
    version,
    purl: purlOf("crates.io", name, version),
    origin: source === undefined ? "local" : "registry",
    hashes: typeof checksum === "string" ? [{ alg: "SHA-256", content: checksum }] : [],
  });
}
