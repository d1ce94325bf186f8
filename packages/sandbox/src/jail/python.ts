/** Finds a Python that an unprivileged user can run. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type Failure, type Result, err, failure, ok } from "@rumi/kernel";

export type PythonFacts = {
  readonly path: string;
  /** Folder to show in the jail: /usr or the interpreter's own prefix. */ readonly prefix: string;
  readonly version: string;
};

const OLDEST: readonly [number, number] = [3, 9];
const ASK =
  "import sys,ctypes,json; print(json.dumps([sys.version_info[0],sys.version_info[1],sys.version.split()[0],sys.base_prefix,sys.executable]))";

/** /usr/bin/python3 first, then each python3 of `search_path` (a PATH value). */
export function detectPython(search_path: string): Result<PythonFacts, Failure> {
  const candidates = [
    "/usr/bin/python3",
    ...search_path
      .split(delimiter)
      .filter((folder) => folder.startsWith("/"))
      .map((folder) => join(folder, "python3")),
  ];
  const problems: string[] = [];
  for (const candidate of new Set(candidates)) {
    const found = inspect(candidate);
    if (typeof found !== "string") return ok(found);
    problems.push(`${candidate}: ${found}`);
  }
  return err(
    failure("RUMI-STR-061", { problem: problems.slice(0, 5).join("; ") }, { reasonCode: "M.SANDBOX.PYTHON_MISSING" }),
  );
}

function inspect(candidate: string): PythonFacts | string {
  try {
    accessSync(candidate, constants.X_OK);
  } catch {
    return "not there";
  }
  let answer: unknown;
  try {
    answer = JSON.parse(
      execFileSync(candidate, ["-I", "-S", "-c", ASK], {
        env: {},
        encoding: "utf8",
        timeout: 5_000,
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );
  } catch {
    return "does not run in isolated mode, or lacks ctypes";
  }
  if (!Array.isArray(answer)) return "gave no version";
  const [major, minor, version, prefix, executable] = answer as unknown[];
  if (
    typeof major !== "number" ||
    typeof minor !== "number" ||
    typeof version !== "string" ||
    typeof prefix !== "string" ||
    typeof executable !== "string"
  )
    return "gave no version";
  if (major !== OLDEST[0] || minor < OLDEST[1]) return `is ${version}; ${OLDEST.join(".")} or newer is needed`;
  const path = realpathSync(executable);
  const hidden = unreadable(path);
  return hidden === undefined
    ? { path, prefix: realpathSync(prefix), version }
    : `${hidden} is not readable by every user`;
}

/** The first part of `path` that another user cannot read or enter; undefined when all can be. */
export function unreadable(path: string): string | undefined {
  for (let part = path; ; part = dirname(part)) {
    const { mode } = statSync(part);
    if ((mode & 0o001) === 0 && (part !== path || statSync(part).isDirectory())) return part;
    if (part === path && (mode & 0o004) === 0) return part;
    if (part === "/") return undefined;
  }
}
