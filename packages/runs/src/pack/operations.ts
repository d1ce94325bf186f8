/** Making a pack of what a run left, and fetching it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { provenanceView } from "@rumi/platform";
import { Type } from "@sinclair/typebox";
import { PackBuiltAnswer } from "../run/answers.ts";
import { closed, ReasonField, RunIdField } from "../run/fields.ts";
import { readBundles, readChecks, readRun, readViolations } from "../run/tables.ts";
import { buildPack, packRef, type BuiltPack, type PackBuildDeps } from "./build.ts";
import { judgeEvidence } from "./judge.ts";

const FolderField = Type.Optional(
  Type.String({
    maxLength: 1_024,
    description: "The pack's folder in what the run left; its root where none is named.",
  }),
);

export function packDeclarations(
  deps: PackBuildDeps & { readonly write: (path: string, data: Uint8Array) => void },
): readonly Declaration[] {
  return [buildFromRun(deps), fetchPack(deps)];
}

const buildFromRun = (
  deps: PackBuildDeps & { readonly write: (path: string, data: Uint8Array) => void },
): Declaration =>
  defineOperation({
    name: "runs.build_pack",
    summary: "Make a pack of exactly what a run left; a signed statement in it names the run and its proof",
    http: { method: "POST", path: "/api/runs/{run_id}/pack" },
    input: Type.Object({ run_id: RunIdField, path: FolderField, reason: ReasonField }, closed),
    output: PackBuiltAnswer,
    success: [201],
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target: ({ run_id }) => ({ resource_type: "code_run", resource_id: String(run_id) }),
    gates: [],
    load: async (reader, { run_id, path = "" }, { store, now, principal }): Promise<Result<BuiltPack, Failure>> => {
      const proven = judgeEvidence(run_id, {
        run: await readRun(reader, store, run_id),
        checks: await readChecks(reader, store, run_id),
        violations: await readViolations(reader, store, run_id),
        bundles: await readBundles(reader, store, run_id),
      });
      return proven.ok ? buildPack(proven.value, { path: plain(path), by: principal.id, now }, deps) : proven;
    },
    decide: (built: Result<BuiltPack, Failure>, { run_id, path = "" }) => {
      if (!built.ok) return built;
      const { manifest, digest, known, archive, ref } = built.value;
      const { pack_id, version } = manifest;
      return ok({
        writes: [],
        events: [
          {
            action: "run.pack_built",
            resource_type: "code_run",
            resource_id: String(run_id),
            outcome: "SUCCESS",
            details: {
              pack_id,
              version,
              digest,
              provenance_sha256: known.sha256,
              bundle_sha256: known.provenance.proof.bundle_sha256,
              snapshot_sha: known.provenance.run.snapshot_sha,
            },
          },
        ],
        outbox: [],
        status: 201,
        data: {
          run_id,
          path: plain(path),
          pack_id,
          version,
          digest,
          bytes: archive.length,
          ref,
          provenance: provenanceView(known),
        },
        durable_first: () => {
          deps.write(join(deps.root, ref), archive);
          return Promise.resolve(ok(undefined));
        },
      });
    },
  });

/** As people write folders: `packs/mine/` is `packs/mine`, and `.` is the root. */
const plain = (path: string): string => (path === "." ? "" : path.replace(/^\.\//, "").replace(/\/$/, ""));

const fetchPack = (deps: PackBuildDeps): Declaration =>
  defineQuery({
    name: "runs.pack",
    summary: "The pack that was made of a run, as an archive for an import, byte for byte",
    http: { method: "GET", path: "/api/runs/{run_id}/pack" },
    input: Type.Object({ run_id: RunIdField, path: FolderField }, closed),
    output: Type.String(),
    permission: ["view_only", "operator", "admin"],
    document: "application/zip",
    read: async (reader, { run_id, path = "" }, { store }) => {
      if ((await readRun(reader, store, run_id)) === undefined) return err(failure("RUMI-RUN-001", { run_id }));
      for (const { revision } of (await readBundles(reader, store, run_id)).toReversed()) {
        const document = readIfThere(join(deps.root, packRef(run_id, revision, plain(path))));
        if (document !== undefined) return ok({ document });
      }
      return err(failure("RUMI-RUN-019", { run_id, path: path === "" ? "." : path }));
    },
  });

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw problem;
  }
}
