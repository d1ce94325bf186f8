/**
 * Makes a pack of what a run left, with a signed statement in it that says so.
 *
 * How to think: nothing is believed that can be computed again. The bundle is verified as a stranger would, the files come from
 * the snapshot's objects by their names, and the pack is judged as an import is. The archive is kept beside the run's bundles
 * under a name that its folder and revision give: built again it is the same bytes.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  err,
  failure,
  isoFromMicros,
  micros,
  ok,
  sha256Hex,
  type Digest,
  type Failure,
  type Micros,
  type Result,
} from "@rumi/kernel";
import { type Attester } from "@rumi/ledger";
import {
  packDigest,
  packEntry,
  PACK_LIMITS,
  PROVENANCE_FILE,
  PROVENANCE_LIMITS,
  provenanceOf,
  provenanceStatement,
  readArchive,
  readManifest,
  writeArchive,
  type PackFile,
  type PackManifest,
  type PackProvenance,
  type VerifiedProvenance,
} from "@rumi/platform";
import { GitProblem, type GitRun } from "../git/git.ts";
import { commitOf, openRepository, snapshotRef, type Repository } from "../git/repository.ts";
import { verifyBundle } from "../proof/verify.ts";
import { checkStatusOf } from "../run/model.ts";
import { contentsOf, type Contents } from "./contents.ts";
import type { Proven } from "./judge.ts";

export type PackBuildDeps = {
  readonly git: GitRun;
  /** Folder of all runs. */
  readonly root: string;
  readonly attester: Attester;
};
export type BuiltPack = {
  readonly manifest: PackManifest;
  readonly digest: Digest;
  readonly known: VerifiedProvenance;
  readonly archive: Uint8Array;
  /** Relative to the folder of all runs. */
  readonly ref: string;
};

export const packRef = (run_id: number, revision: number, path: string): string =>
  `${run_id}/pack-${revision}-${sha256Hex(path).slice(0, 16)}.rumipack`;

export async function buildPack(
  proven: Proven,
  of: { readonly path: string; readonly by: string; readonly now: Micros },
  deps: PackBuildDeps,
): Promise<Result<BuiltPack, Failure>> {
  const attested = await verified(proven, deps);
  if (!attested.ok) return attested;
  const { repo, attestation_sha256 } = attested.value;
  const { run, newest } = proven;
  const contents = await contentsOf(deps.git, repo, { ...run, path: of.path });
  if (!contents.ok) return contents;
  const judged = await judgeContents(contents.value);
  if (!judged.ok) return judged;
  const { manifest, content_digest } = judged.value;
  const ref = packRef(run.run_id, newest.revision, of.path);
  const before = await kept(join(deps.root, ref), content_digest, deps);
  if (before !== undefined) return ok({ ...before, ref });
  const statement = provenanceStatement({
    pack_id: manifest.pack_id,
    version: manifest.version,
    content_digest,
    ...factsOf(proven, repo, { path: of.path, tree_sha: contents.value.tree_sha, attestation_sha256 }),
    built_by: of.by,
    built_at: isoFromMicros(of.now),
  });
  const file = Buffer.from(`${JSON.stringify(deps.attester.sign(statement))}\n`);
  if (file.length > PROVENANCE_LIMITS.file_bytes)
    return err(
      failure("RUMI-PACK-020", {
        path: PROVENANCE_FILE,
        problem: `it would be larger than ${PROVENANCE_LIMITS.file_bytes} bytes: the run has too many decisions`,
      }),
    );
  const files: readonly PackFile[] = [...contents.value.files, { path: PROVENANCE_FILE, mode: "100644", data: file }];
  const archive = writeArchive(manifest.pack_id, files);
  const made = await readBack(archive, deps);
  return made.ok ? ok({ ...made.value, archive, ref }) : made;
}

/** The newest bundle and its signed form are on the disk as they were made, and git says the same. */
async function verified(
  { run, newest }: Proven,
  { git, root, attester }: PackBuildDeps,
): Promise<Result<{ readonly repo: Repository; readonly attestation_sha256: string }, Failure>> {
  const { run_id } = run;
  const wrong = (problem: string, cause?: unknown): Result<never, Failure> =>
    err(failure("RUMI-RUN-016", { run_id, problem }, cause === undefined ? {} : { cause }));
  const paths = {
    bundle: join(root, newest.ref),
    attestation: join(root, newest.attestation_ref),
    log: join(root, run.log_ref),
  };
  const missing = Object.values(paths).find((path) => !existsSync(path));
  if (missing !== undefined) return wrong("its files are not all there");
  const text = readFileSync(paths.bundle, "utf8");
  if (sha256Hex(text) !== newest.sha256) return wrong("its bytes are not those that were made");
  const attestation = readFileSync(paths.attestation);
  try {
    const repo = await openRepository(git, run.repo);
    const held = await commitOf(git, repo, snapshotRef(run_id));
    if (held !== run.snapshot_sha)
      return err(failure("RUMI-RUN-017", { run_id, problem: `${snapshotRef(run_id)} names ${held}` }));
    const found = await verifyBundle({
      text,
      repo: run.repo,
      git,
      log: readFileSync(paths.log),
      attestation: { envelope: envelopeOf(attestation.toString("utf8")), public_pem: attester.public_pem },
    });
    const bad = found.facts.find(({ state }) => state === "wrong" || state === "missing");
    return bad === undefined
      ? ok({ repo, attestation_sha256: sha256Hex(attestation) })
      : wrong(`${bad.fact}: ${bad.note}`);
  } catch (problem) {
    if (!(problem instanceof GitProblem)) throw problem;
    return err(failure("RUMI-RUN-017", { run_id, problem: problem.message }, { cause: problem }));
  }
}

async function judgeContents({
  files,
}: Contents): Promise<Result<{ readonly manifest: PackManifest; readonly content_digest: Digest }, Failure>> {
  if (files.some(({ path }) => path === PROVENANCE_FILE))
    return err(failure("RUMI-PACK-020", { path: PROVENANCE_FILE, problem: "the run itself left a file of that name" }));
  const entries = files.map(packEntry);
  const digest = packDigest(entries, PACK_LIMITS);
  if (!digest.ok) return digest;
  const data = new Map(files.map((one) => [one.path, one.data]));
  const manifest = await readManifest({ digest: digest.value, entries }, PACK_LIMITS, () => data.get("ecosystem.json"));
  return manifest.ok ? ok({ manifest: manifest.value, content_digest: digest.value }) : manifest;
}

function factsOf(
  { run, checks, violations, newest }: Proven,
  { object_format }: Repository,
  of: { readonly path: string; readonly tree_sha: string; readonly attestation_sha256: string },
): Pick<PackProvenance, "run" | "proof" | "checks" | "decisions"> {
  const { run_id, repo, base_sha, head_sha, snapshot_sha, prompt_hash, exit_code, cancelled } = run;
  return {
    run: {
      run_id,
      repository: repo,
      path: of.path,
      object_format,
      base_sha,
      head_sha,
      snapshot_sha,
      tree_sha: of.tree_sha,
      prompt_hash,
      exit_code,
      cancelled,
    },
    proof: {
      revision: newest.revision,
      bundle_sha256: newest.sha256,
      attestation_sha256: of.attestation_sha256,
    },
    checks: run.dod_snapshot.required_checks.map(({ check_key, required }) => {
      const found = checks.find((one) => one.check_key === check_key);
      return {
        check_key,
        required,
        status: checkStatusOf(found),
        exit_code: found?.exit_code ?? null,
        executed_nothing: found?.executed_nothing ?? null,
        log_sha256: found?.log_sha256 ?? null,
      };
    }),
    decisions: violations.map(({ violation_id, path, decided_at, decided_by, decision_reason }) => ({
      violation_id,
      path,
      approved_status: "approved",
      decided_at: isoFromMicros(micros(decided_at ?? 0)),
      decided_by: decided_by ?? "",
      reason: decision_reason ?? "",
    })),
  };
}

/** What an earlier build left under this name, if it is whole and about the same bytes. */
async function kept(
  path: string,
  content_digest: Digest,
  deps: PackBuildDeps,
): Promise<Omit<BuiltPack, "ref"> | undefined> {
  if (!existsSync(path)) return undefined;
  const archive = readFileSync(path);
  const found = await readBack(archive, deps);
  if (!found.ok || found.value.known.provenance.content_digest !== content_digest) return undefined;
  return { ...found.value, archive };
}

/** An archive as an import would judge it. */
async function readBack(
  bytes: Uint8Array,
  { attester }: PackBuildDeps,
): Promise<Result<Pick<BuiltPack, "manifest" | "digest" | "known">, Failure>> {
  const archive = readArchive(bytes, "the pack", PACK_LIMITS);
  if (!archive.ok) return archive;
  const data = new Map(archive.value.files.map((one) => [one.path, one.data]));
  const entries = archive.value.files.map(packEntry);
  const digest = packDigest(entries, PACK_LIMITS);
  if (!digest.ok) return digest;
  const manifest = await readManifest({ digest: digest.value, entries }, PACK_LIMITS, () => data.get("ecosystem.json"));
  if (!manifest.ok) return manifest;
  const of = { entries, manifest: manifest.value, dataOf: (path: string) => data.get(path) };
  const known = await provenanceOf(of, [attester], PACK_LIMITS);
  if (!known.ok) return known;
  if (known.value === null) throw new Error("an archive that was just made has lost its provenance");
  return ok({ manifest: manifest.value, digest: digest.value, known: known.value });
}

function envelopeOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the check says that it is none
  }
}
