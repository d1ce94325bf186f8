/** Whether a run may begin: what its repository says, and what other runs write. */
import { realpathSync } from "node:fs";
import { isAbsolute, relative, resolve } from "node:path";
import { err, failure, ok, type Failure, type Result, type Scrubber } from "@rumi/kernel";
import { GitProblem, type GitRun } from "../git/git.ts";
import { commitOf, fileAt, isFolder, openRepository, type Repository } from "../git/repository.ts";
import { GLOB_LIMITS } from "../scope/glob.ts";
import { parseScope, scopesOverlap, type ParsedScope } from "../scope/scope.ts";
import type { Start } from "./fields.ts";
import type { Run } from "./model.ts";

export type AdmissionPorts = {
  readonly git: GitRun;
  /** Folders below which a run's repository may lie; `any`: wherever the program's user may. */
  readonly roots: "any" | readonly string[];
  readonly scrubber: Pick<Scrubber, "text">;
};
export type Prepared = { readonly repo: Repository; readonly base_sha: string; readonly scope: ParsedScope };
/** Everything about a wish that the repository has a say in. */
export async function prepare(
  input: Start,
  { git, roots, scrubber }: AdmissionPorts,
): Promise<Result<Prepared, Failure>> {
  if (scrubber.text(input.prompt) !== input.prompt) return err(failure("RUMI-RUN-009", { field: "prompt" }));
  if (input.command.some((word) => scrubber.text(word) !== word))
    return err(failure("RUMI-RUN-009", { field: "command" }));
  if (input.command.some((word) => word.includes("\0")))
    return err(failure("RUMI-VAL-002", { field: "command", problem: "a word holds a NUL" }));
  const path = input.repo;
  if (!isAbsolute(path) || path.includes("\0") || !isFolder(path))
    return err(
      failure("RUMI-RUN-003", { repo: path.slice(0, 200), problem: "it is not an absolute path of a folder" }),
    );
  if (roots !== "any" && !roots.some((root) => isWithin(path, root)))
    return err(failure("RUMI-RUN-002", { repo: path.slice(0, 200) }));
  try {
    const repo = await openRepository(git, path);
    if (roots !== "any" && ![repo.root, repo.common_dir].every((one) => roots.some((root) => isWithin(one, root))))
      return err(failure("RUMI-RUN-002", { repo: repo.common_dir.slice(0, 200) }));
    const base_sha = await commitOf(git, repo, input.base_ref ?? "HEAD");
    const excluded = await projectExclude(git, repo, base_sha);
    if (!excluded.ok) return excluded;
    const scope = parseScope(input.scope, excluded.value);
    if (!scope.ok) return err(failure("RUMI-RUN-004", scope.error));
    return ok({ repo, base_sha, scope: scope.value });
  } catch (problem) {
    if (!(problem instanceof GitProblem)) throw problem;
    return err(failure("RUMI-RUN-003", { repo: path.slice(0, 200), problem: problem.message }, { cause: problem }));
  }
}

function isWithin(path: string, root: string): boolean {
  try {
    const rest = relative(realpathSync(resolve(root)), realpathSync(path));
    return rest === "" || (!rest.startsWith("..") && !isAbsolute(rest));
  } catch {
    return false; // one of them is not there
  }
}

/** What the project itself excludes for every run: `.rumi/scope.json` of the base commit, `{"exclude": [...]}`. */
async function projectExclude(
  git: GitRun,
  repo: Repository,
  base_sha: string,
): Promise<Result<readonly string[], Failure>> {
  const file = await fileAt(git, repo, base_sha, ".rumi/scope.json");
  if (file === undefined) return ok([]);
  const wrong = (problem: string) => err(failure("RUMI-RUN-004", { pattern: ".rumi/scope.json", problem }));
  let value: unknown;
  try {
    value = JSON.parse(file.toString("utf8"));
  } catch {
    return wrong("it is no JSON");
  }
  const { exclude, ...rest } = (typeof value === "object" && value !== null ? value : { none: null }) as Record<
    string,
    unknown
  >;
  if (
    Object.keys(rest).length > 0 ||
    !Array.isArray(exclude) ||
    exclude.length > GLOB_LIMITS.patterns ||
    !exclude.every((one) => typeof one === "string")
  )
    return wrong(`it is not {"exclude": [patterns]} with at most ${GLOB_LIMITS.patterns} of them`);
  return ok(exclude as readonly string[]);
}

/** The first of those that go on which may write what this one may. */
export function overlapWith(active: readonly Run[], { repo, scope }: Prepared): Failure | undefined {
  for (const run of active) {
    if (run.repo !== repo.root) continue;
    const other = parseScope(run.scope_snapshot, []);
    const overlap = other.ok ? scopesOverlap(scope, other.value) : ({ kind: "unknown" } as const);
    if (overlap.kind === "none") continue;
    const path = overlap.kind === "path" ? overlap.path : "patterns too intricate to compare";
    return failure("RUMI-RUN-008", {
      run_id: run.run_id,
      path,
      mine: scope.scope.write.join(" ").slice(0, 200),
      theirs: run.scope_snapshot.write.join(" ").slice(0, 200),
    });
  }
  return undefined;
}
