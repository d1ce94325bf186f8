/** Import of an archive that the request itself brings: judged as one that lies on this machine, and trusted no more. */
import { err, failure, type Failure } from "@rumi/kernel";
import { defineOperation, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { StagedPackAnswer } from "./answers.ts";
import { closed, NO_DANGER, ReasonField } from "./decisions.ts";
import { printable } from "./digest.ts";
import { decideImport, readStaging, type ImportFacts } from "./import-operations.ts";
import type { PackDeps, PackLibrary } from "./library.ts";
import { UPLOAD_LIMITS } from "./limits.ts";
import { NO_UPLOAD } from "./uploads.ts";

const Sha256 = (description: string) => Type.String({ pattern: "^[0-9a-f]{64}$", description });
/** What a file without a name is called. */
const UNNAMED = "archive.zip";

export const uploadPack = (
  library: PackLibrary,
  { uploadLimits: { upload_bytes } = UPLOAD_LIMITS }: PackDeps,
): Declaration =>
  defineOperation({
    name: "packs.upload",
    summary: "Take a .zip or .rumipack that is sent in the request's body into staging",
    http: { method: "POST", path: "/api/packs/upload" },
    input: Type.Object(
      {
        name: Type.Optional(
          Type.String({ minLength: 1, maxLength: 255, description: "What its sender calls the file; only shown." }),
        ),
        sha256: Type.Optional(Sha256("Of the archive; refused where another one arrives.")),
        reason: ReasonField,
        received: Type.Object({ sha256: Sha256("Of what arrived."), bytes: Type.Integer({ minimum: 0 }) }, closed),
      },
      closed,
    ),
    output: StagedPackAnswer,
    key: "header",
    upload: {
      media_types: ["application/zip", "application/octet-stream"],
      limit_bytes: upload_bytes,
      unread: NO_UPLOAD,
      receive: (body) => library.receive(body),
      tooLong: () => failure("RUMI-PACK-040", { limit: upload_bytes }),
    },
    // What was received is gone with the request: cut off before its outcome it never was, and is sent again.
    claimed: "with_outcome",
    permission: ["admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target: () => ({ resource_type: "pack_staging", resource_id: "*" }),
    gates: [],
    load: async (reader, { name = UNNAMED, sha256, received }, { store }): Promise<ImportFacts> => {
      const differs = sha256 !== undefined && sha256 !== received.sha256;
      if (differs) return { staged: err(digestDiffers(received.sha256, sha256)), known: undefined };
      const staged = await library.stageUpload(received.sha256, name);
      const known = staged.ok ? await readStaging(reader, store, staged.value.staging_id) : undefined;
      return { staged, known };
    },
    decide: (facts: ImportFacts, { name = UNNAMED }, context) =>
      decideImport(facts, `upload:${printable(name)}`, context),
  });

const digestDiffers = (found: string, expected: string): Failure => failure("RUMI-PACK-042", { found, expected });
