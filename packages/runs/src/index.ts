/**
 * Proof-carrying runs: any command in a fresh worktree, what it left judged against a frozen scope and definition of done, and
 * the evidence in one bundle that a stranger can recompute.
 */
export { systemGit, GitProblem, type GitRun } from "./git/git.ts";
export { difference, openRepository, type Difference, type Repository } from "./git/repository.ts";
export { RUN_LIMITS } from "./limits.ts";
export { parseScope } from "./scope/scope.ts";
export { judge } from "./run/judge.ts";
export { findBox, type BoxMechanism } from "./process/box.ts";
export { bundleOf, bundleText, PROOF_PREDICATE, type ProofBundle } from "./proof/bundle.ts";
export { createRunEngine, type RunEngine, type RunEngineDeps } from "./run/engine.ts";
export type { Workshop } from "./run/execute.ts";
export { runDeclarations, type RunDeps } from "./run/operations.ts";
export { runFiles, type RunFiles } from "./run/files.ts";
export { runReconciler } from "./run/reconciler.ts";
export { RUN_MIGRATIONS } from "./run/tables.ts";
export { packDeclarations } from "./pack/operations.ts";
export { verifyBundle, type Fact, type Verification } from "./proof/verify.ts";
