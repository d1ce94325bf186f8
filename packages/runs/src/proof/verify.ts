/**
 * Whether a proof bundle says what git says: for somebody who has the bundle and the repository and trusts neither its maker
 * nor this program's store.
 *
 * How to think: every member of the bundle is a fact, and each fact is proven (recomputed and the same), wrong (recomputed and
 * not the same), missing (what it would be recomputed from is not here) or claimed (nothing here could show it: it rests on
 * the signature and on the audit log). Whoever wants more proven gives more: the log, the signed form with its key.
 *
 * Invariant (verify.test.ts): one changed byte in a proven member, or a commit that was rewritten, is wrong, never claimed.
 */
import { canonicalJson, sha256Hex, type Json } from "@rumi/kernel";
import { openEnvelope } from "@rumi/ledger";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { GitProblem, line, type GitRun } from "../git/git.ts";
import { commitOf, difference, openRepository, snapshotRef, type Repository } from "../git/repository.ts";
import { parseScope, violationOf } from "../scope/scope.ts";
import { BUNDLE_VERSION, PROOF_PREDICATE, STATEMENT, type ProofBundle } from "./bundle.ts";
import { formProblem } from "./form.ts";

export type FactState = "proven" | "wrong" | "missing" | "claimed";
export type Fact = { readonly fact: string; readonly state: FactState; readonly note: string };
export type Verification = { readonly verdict: "valid" | "invalid" | "incomplete"; readonly facts: readonly Fact[] };

export type VerifyInput = {
  /** The bundle's file, byte for byte. */
  readonly text: string;
  readonly repo: string;
  readonly git: GitRun;
  /** The run's log, which holds the prompt. */
  readonly log?: Uint8Array;
  readonly attestation?: { readonly envelope: unknown; readonly public_pem: string };
};

export async function verifyBundle(input: VerifyInput): Promise<Verification> {
  const bundle = readBundle(input.text);
  if (typeof bundle === "string") return verdictOf([{ fact: "form", state: "wrong", note: bundle }]);
  const facts: Fact[] = [{ fact: "form", state: "proven", note: `version ${BUNDLE_VERSION}, canonical JSON` }];
  facts.push(...signatureFacts(input, bundle), ...logFacts(input, bundle));
  let repo: Repository;
  try {
    repo = await openRepository(input.git, input.repo);
  } catch (problem) {
    if (!(problem instanceof GitProblem)) throw problem;
    return verdictOf([...facts, { fact: "repository", state: "missing", note: problem.message }]);
  }
  const commits = await commitFacts(input.git, repo, bundle);
  facts.push(...commits);
  if (commits.every(({ state }) => state !== "missing")) facts.push(...(await changeFacts(input.git, repo, bundle)));
  facts.push(historyFact(bundle), resultFact(bundle));
  facts.push({ fact: "exit_code, enforcement, times", state: "claimed", note: "what only the host saw" });
  return verdictOf(facts);
}

function verdictOf(facts: readonly Fact[]): Verification {
  const has = (state: FactState): boolean => facts.some((one) => one.state === state);
  return { verdict: has("wrong") ? "invalid" : has("missing") ? "incomplete" : "valid", facts };
}

/** The bundle, or what is wrong with its form. */
function readBundle(text: string): ProofBundle | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is no JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is no JSON object";
  if (!isCanonical(value as Json, text)) return "its bytes are not the canonical JSON of its value";
  if ((value as { readonly version?: unknown }).version !== BUNDLE_VERSION)
    return `its version is not ${BUNDLE_VERSION}`;
  return formProblem(value) ?? (value as ProofBundle);
}

/** A value that has no canonical form, such as a text with half a character, is not what the bytes say either. */
function isCanonical(value: Json, text: string): boolean {
  try {
    return `${canonicalJson(value)}\n` === text;
  } catch {
    return false;
  }
}

const Statement = Type.Object({
  _type: Type.Literal(STATEMENT),
  predicateType: Type.Literal(PROOF_PREDICATE),
  subject: Type.Array(Type.Object({ digest: Type.Record(Type.String(), Type.String()) })),
});

/** What a signed text says of which bundle; undefined where it is no statement about a proof. */
function statementOf(text: string): Static<typeof Statement> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(Statement, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function signatureFacts({ attestation, text }: VerifyInput, bundle: ProofBundle): readonly Fact[] {
  const fact = "signature";
  if (attestation === undefined)
    return [{ fact, state: "claimed", note: "give --attestation and --key to have it checked" }];
  const opened = openEnvelope(attestation.envelope, attestation.public_pem);
  if (!opened.ok) return [{ fact, state: "wrong", note: String(opened.error.params["problem"]) }];
  const statement = statementOf(opened.value);
  if (statement === undefined)
    return [{ fact, state: "wrong", note: "what is signed is no in-toto statement about a proof bundle" }];
  const digests = statement.subject.map(({ digest }) => digest);
  const names =
    digests.some(({ sha256 }) => sha256 === sha256Hex(text)) &&
    digests.some(({ gitCommit }) => gitCommit === bundle.snapshot_sha);
  return [
    names
      ? { fact, state: "proven", note: "by the key that was given, over these bytes" }
      : { fact, state: "wrong", note: "it signs another bundle" },
  ];
}

function logFacts({ log }: VerifyInput, bundle: ProofBundle): readonly Fact[] {
  if (log === undefined)
    return [{ fact: "log, prompt_hash", state: "claimed", note: "give --log to have them checked" }];
  const same = sha256Hex(log) === bundle.log_sha256 && log.length === bundle.log_bytes;
  const facts: Fact[] = [
    same
      ? { fact: "log", state: "proven", note: "its digest" }
      : { fact: "log", state: "wrong", note: "its digest is another" },
  ];
  const prompt = firstMeta(Buffer.from(log).toString("utf8"));
  const isPrompt = prompt !== undefined && sha256Hex(prompt) === bundle.prompt_hash;
  facts.push({ fact: "prompt_hash", state: isPrompt ? "proven" : "wrong", note: "the log's first record" });
  return facts;
}

function firstMeta(log: string): string | undefined {
  try {
    const { stream, data } = JSON.parse(log.slice(0, log.indexOf("\n"))) as {
      readonly stream?: unknown;
      readonly data?: unknown;
    };
    return stream === "meta" && typeof data === "string" ? data : undefined;
  } catch {
    return undefined;
  }
}

async function commitFacts(git: GitRun, repo: Repository, bundle: ProofBundle): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  for (const name of ["base_sha", "head_sha", "snapshot_sha"] as const) {
    const sha = bundle[name] ?? "";
    const isThere = (await attempt(() => commitOf(git, repo, sha))) === sha;
    facts.push({
      fact: name,
      state: isThere ? "proven" : "missing",
      note: isThere ? sha : `the repository has no commit ${sha}`,
    });
  }
  if (facts.some(({ state }) => state === "missing")) return facts;
  const parents = line(
    await git(["rev-list", "--parents", "-n", "1", bundle.snapshot_sha ?? ""], { cwd: repo.common_dir }),
  )
    .split(" ")
    .slice(1);
  const isKept =
    bundle.worktree_dirty === true
      ? parents.length === 1 && parents[0] === bundle.head_sha
      : bundle.snapshot_sha === bundle.head_sha;
  facts.push({
    fact: "worktree_dirty",
    state: isKept ? "proven" : "wrong",
    note: "the snapshot is what its branch's tip says it is",
  });
  const held = await attempt(() => commitOf(git, repo, snapshotRef(bundle.run_id)));
  if (held !== undefined && held !== bundle.snapshot_sha)
    facts.push({ fact: snapshotRef(bundle.run_id), state: "wrong", note: `it names ${held}` });
  return facts;
}

async function changeFacts(git: GitRun, repo: Repository, bundle: ProofBundle): Promise<readonly Fact[]> {
  const { changed, diff_stat } = await difference(git, repo, bundle.base_sha, bundle.snapshot_sha ?? "");
  const compare = (fact: string, found: unknown, said: unknown, note: string): Fact => ({
    fact,
    state: canonicalJson(found as Json) === canonicalJson((said ?? null) as Json) ? "proven" : "wrong",
    note,
  });
  const facts = [
    compare(
      "changed_files",
      changed.map(({ text }) => text),
      bundle.changed_files,
      "git diff --no-renames --name-only",
    ),
    compare("diff_stat", diff_stat, bundle.diff_stat, "git diff --no-renames --numstat"),
  ];
  const scope = parseScope(bundle.scope_snapshot, []);
  if (!scope.ok) return [...facts, { fact: "scope_snapshot", state: "wrong", note: scope.error.problem }];
  const judged = changed.flatMap(({ text, glob_text }) => {
    const reason = violationOf(scope.value, glob_text);
    return reason === undefined ? [] : [`${reason} ${text}`];
  });
  const said = bundle.scope_violations.map(({ reason, path }) => `${reason} ${path}`);
  const ofPaths = said.filter((one) => /^(?:outside_write|read_only|excluded) /.test(one));
  facts.push(
    compare("scope_violations", judged.toSorted(), ofPaths.toSorted(), "the frozen patterns over the changed files"),
  );
  if (ofPaths.length < said.length)
    facts.push({
      fact: "further violations",
      state: "claimed",
      note: "what is in no commit: special files, nested repositories, files outside",
    });
  return facts;
}

/** Every decision is one of a violation's, and the other way round. */
function historyFact({ scope_violations, approval_history }: ProofBundle): Fact {
  const key = (one: {
    readonly violation_id: number;
    readonly approved_status: string;
    readonly decided_by: string | null;
  }): string => `${one.violation_id} ${one.approved_status} ${String(one.decided_by)}`;
  const decided = scope_violations.filter(({ decided_at }) => decided_at !== null).map(key);
  const same = canonicalJson(decided.toSorted()) === canonicalJson(approval_history.map(key).toSorted());
  return same
    ? { fact: "approval_history", state: "claimed", note: "it fits the violations; who decided is in the audit log" }
    : { fact: "approval_history", state: "wrong", note: "it does not fit the violations' own states" };
}

function resultFact({ dod_snapshot, dod_results }: ProofBundle): Fact {
  const same =
    canonicalJson(dod_snapshot.required_checks.map(({ check_key }) => check_key)) ===
    canonicalJson(dod_results.map(({ check_key }) => check_key));
  return same
    ? {
        fact: "dod_results",
        state: "claimed",
        note: "one for each check that was defined; run them again on the snapshot to prove them",
      }
    : { fact: "dod_results", state: "wrong", note: "they are not the checks that were defined" };
}

async function attempt(ask: () => Promise<string>): Promise<string | undefined> {
  try {
    return await ask();
  } catch (problem) {
    if (problem instanceof GitProblem) return undefined;
    throw problem;
  }
}
