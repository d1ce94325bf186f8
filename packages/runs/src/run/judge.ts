/** Violations of a run's frozen scope: judged against the snapshot only. */
import { parseScope, violationOf, type Scope, type ViolationReason } from "../scope/scope.ts";
import { RUN_LIMITS } from "../limits.ts";
import { createTurns } from "../git/turns.ts";
import type { Changed, Snapshot } from "../git/repository.ts";

export type Judged = { readonly path: string; readonly reason: ViolationReason };

export async function judge(
  scope: Scope,
  changed: readonly Changed[],
  found: Pick<Snapshot, "nested" | "special">,
  outside: readonly string[],
): Promise<readonly Judged[]> {
  const parsed = parseScope(scope, []);
  if (!parsed.ok) throw new Error(`a frozen scope cannot be read: ${parsed.error.problem}`);
  const turns = createTurns();
  const judged: Judged[] = [];
  for (const { text, glob_text } of changed) {
    const reason = violationOf(parsed.value, glob_text);
    if (reason !== undefined) judged.push({ path: text, reason });
    await turns.next();
  }
  for (const { path, kind } of found.nested) judged.push({ path: path.text, reason: kind });
  for (const { text } of found.special) judged.push({ path: text, reason: "special_file" });
  for (const path of outside) judged.push({ path, reason: "outside_worktree" });
  if (judged.length > RUN_LIMITS.violations)
    throw new Error(`it left more than ${RUN_LIMITS.violations} violations of its scope`);
  return judged;
}
