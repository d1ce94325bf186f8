/** npm's package-lock.json, versions 2 and 3: every place below node_modules, and the workspace members. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { valid } from "semver";
import { isRecord, readJson, type JsonRecord } from "../json.ts";
import type { Component, ComponentOrigin, LockFile } from "./component.ts";
import { shown } from "../shown.ts";
import { lockInvalid, lockSource, type LockEntry } from "./refusals.ts";
import { purlOf } from "./purl.ts";

const FOLDER = "node_modules/";
const NAME = /^(?=.{1,214}$)(?:@[a-z0-9~-][a-z0-9._~-]*\/[a-z0-9._~-]+|[a-z0-9~-][a-z0-9._~-]*)$/i;
/** Subresource integrity's algorithms, as CycloneDX writes them, with their length in bytes. */
const ALGORITHMS: Readonly<Record<string, readonly [alg: string, bytes: number]>> = {
  sha512: ["SHA-512", 64],
  sha384: ["SHA-384", 48],
  sha256: ["SHA-256", 32],
  sha1: ["SHA-1", 20],
};

export function readPackageLock(file: LockFile): Result<readonly LockEntry[], Failure> {
  const read = readJson(file.text);
  if (!read.ok) return lockInvalid(file, read.error.line, read.error.problem);
  const { value, lineOf } = read.value;
  if (!isRecord(value)) return lockInvalid(file, 1, "it is no object");
  const version = value["lockfileVersion"];
  if (version !== 2 && version !== 3) {
    const named = version === undefined ? "none" : shown(JSON.stringify(version));
    return err(failure("RUMI-SUP-002", { name: file.name, version: named, supported: "2 and 3 (npm 7 and later)" }));
  }
  const packages = value["packages"];
  if (!isRecord(packages)) return lockInvalid(file, 1, "it has no packages");
  const entries: LockEntry[] = [];
  for (const [place, entry] of Object.entries(packages)) {
    const near = isRecord(entry) ? lineOf(entry) : lineOf(packages);
    if (!isRecord(entry)) return lockInvalid(file, near, `${shown(place)} is no object`);
    const component = componentAt(
      place,
      entry,
      packages,
      (problem) => lockInvalid(file, near, problem),
      (source) => lockSource(file, near, place, source),
    );
    if (!component.ok) return component;
    if (component.value !== undefined) entries.push({ component: component.value, line: near });
  }
  return ok(entries);
}

type Refuse = (text: string) => Result<never, Failure>;

/** Undefined for the artifact itself, and for a link to a member that has an entry of its own. */
function componentAt(
  place: string,
  entry: JsonRecord,
  packages: JsonRecord,
  invalid: Refuse,
  foreign: Refuse,
): Result<Component | undefined, Failure> {
  if (place === "") return ok(undefined);
  const at = place.lastIndexOf(FOLDER);
  const isMember = at === -1 || (at > 0 && place[at - 1] !== "/");
  if (isMember && (place.startsWith("/") || place.split("/").includes(".."))) return foreign("a folder outside it");
  const { resolved, integrity } = entry;
  if (entry["link"] === true) {
    const isOwn = typeof resolved === "string" && Object.hasOwn(packages, resolved) && !resolved.includes(FOLDER);
    return isOwn
      ? ok(undefined)
      : foreign(`the folder ${typeof resolved === "string" ? resolved : "that is not named"}`);
  }
  const fallback = isMember ? (place.split("/").at(-1) ?? "") : place.slice(at + FOLDER.length);
  const name = entry["name"] ?? fallback;
  if (typeof name !== "string" || !NAME.test(name)) return invalid(`${shown(place)} has no name that npm knows`);
  const version = entry["version"] ?? (isMember ? "" : undefined);
  if (typeof version !== "string" || (version !== "" && valid(version) === null))
    return invalid(`${shown(place)} has no version`);
  const origin: ComponentOrigin = isMember ? "local" : entry["inBundle"] === true ? "bundled" : "registry";
  if (resolved !== undefined && !(typeof resolved === "string" && /^https:\/\//i.test(resolved)))
    return foreign(typeof resolved === "string" ? resolved : "nowhere that can be read");
  const hashes = hashesOf(integrity);
  if (hashes === undefined) return invalid(`the integrity of ${shown(place)} cannot be read`);
  return ok({ ecosystem: "npm", name, version, purl: purlOf("npm", name, version), origin, hashes });
}

function hashesOf(integrity: unknown): Component["hashes"] | undefined {
  if (integrity === undefined) return [];
  if (typeof integrity !== "string" || integrity.trim() === "") return undefined;
  const hashes: { alg: string; content: string }[] = [];
  for (const word of integrity.trim().split(/\s+/)) {
    const [, name = "", base64 = ""] = /^([a-z0-9]+)-([A-Za-z0-9+/]+={0,2})$/.exec(word) ?? [];
    const bytes = Buffer.from(base64, "base64");
    const known = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : undefined;
    if (known === undefined || bytes.length !== known[1] || bytes.toString("base64") !== base64) return undefined;
    hashes.push({ alg: known[0], content: bytes.toString("hex") });
  }
  return hashes;
}
