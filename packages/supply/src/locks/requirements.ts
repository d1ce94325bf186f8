/** pip's requirements file as a lock: `NAME==VERSION` lines, with or without `--hash`, and nothing that is not pinned. */
import { valid } from "@renovatebot/pep440";
import { ok, type Failure, type Result } from "@rumi/kernel";
import type { Component, LockFile } from "./component.ts";
import { shown } from "../shown.ts";
import { lockInvalid, lockSource, type LockEntry } from "./refusals.ts";
import { pypiName, purlOf } from "./purl.ts";

const PIN =
  /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._\s,-]*\])?\s*==\s*([A-Za-z0-9.!+_-]+)\s*(?:;(.*))?$/;
const HASH = /\s--hash(?:=|\s+)(\S+)/g;
const ALGORITHMS: Readonly<Record<string, readonly [alg: string, digits: number]>> = {
  sha256: ["SHA-256", 64],
  sha384: ["SHA-384", 96],
  sha512: ["SHA-512", 128],
};
/** Options that say where packages come from; with https they change no version and no hash. */
const INDEX = /^(?:-i|--index-url|--extra-index-url|-f|--find-links)(?:=|\s+)(\S+)$/;
/** Longest requirement without its hashes. */
const REQUIREMENT_CHARACTERS_MAX = 1_024;
const HARMLESS = /^--(?:require-hashes|no-binary|only-binary|prefer-binary)(?:[=\s].*)?$/;

export function readRequirements(file: LockFile): Result<readonly LockEntry[], Failure> {
  const entries: LockEntry[] = [];
  for (const { text, line } of logicalLines(file.text)) {
    if (text.startsWith("-")) {
      const problem = optionProblem(text);
      if (problem === undefined) continue;
      return problem.kind === "source"
        ? lockSource(file, line, "its packages", problem.what)
        : lockInvalid(file, line, problem.what);
    }
    const requirement = text.replace(HASH, "").trim();
    if (requirement.length > REQUIREMENT_CHARACTERS_MAX) return lockInvalid(file, line, "a requirement is too long");
    const isElsewhere = / @ |^\S+:\/\/|^\.{0,2}\/|^[a-z+]+:|\.(?:whl|zip|tar\.gz)$/i.test(requirement);
    if (isElsewhere) return lockSource(file, line, requirement.split(/[\s@]/)[0] ?? "", requirement);
    const [, written = "", version = ""] = PIN.exec(requirement) ?? [];
    if (written === "") return lockInvalid(file, line, `"${shown(requirement)}" is not NAME==VERSION`);
    if (valid(version) === null) return lockInvalid(file, line, `${shown(version)} is no version (PEP 440)`);
    const hashes = hashesOf(text);
    if (hashes === undefined) return lockInvalid(file, line, `a hash of ${shown(written)} cannot be read`);
    const name = pypiName(written);
    const component: Component = {
      ecosystem: "PyPI",
      name,
      version,
      purl: purlOf("PyPI", name, version),
      origin: "registry",
      hashes,
    };
    entries.push({ component, line });
  }
  return ok(entries);
}

/** Lines as pip joins them: a backslash at the end goes on, ` #` begins a comment. */
function* logicalLines(text: string): Generator<{ readonly text: string; readonly line: number }> {
  let parts: string[] = [];
  let began = 1;
  for (const [at, raw] of text.split(/\r\n|\r|\n/).entries()) {
    if (parts.length === 0) began = at + 1;
    const bare = raw.replace(/(^|\s)#.*$/, "$1");
    if (bare.endsWith("\\") && bare === raw) {
      parts.push(bare.slice(0, -1));
      continue;
    }
    const whole = [...parts, bare].join(" ").trim();
    parts = [];
    if (whole !== "") yield { text: whole, line: began };
  }
  const rest = parts.join(" ").trim();
  if (rest !== "") yield { text: rest, line: began };
}

function optionProblem(text: string): { readonly kind: "source" | "form"; readonly what: string } | undefined {
  if (HARMLESS.test(text)) return undefined;
  const index = INDEX.exec(text)?.[1];
  if (index !== undefined) return /^https:\/\//i.test(index) ? undefined : { kind: "source", what: index };
  if (/^(?:-e|--editable|--trusted-host)\b/.test(text)) return { kind: "source", what: text };
  return { kind: "form", what: `the option "${shown(text)}" does not belong into a lock file` };
}

function hashesOf(text: string): Component["hashes"] | undefined {
  const hashes: { alg: string; content: string }[] = [];
  for (const [, word = ""] of text.matchAll(HASH)) {
    const [, name = "", content = ""] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(word) ?? [];
    const known = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : undefined;
    if (known === undefined || content.length !== known[1]) return undefined;
    hashes.push({ alg: known[0], content });
  }
  return hashes;
}
