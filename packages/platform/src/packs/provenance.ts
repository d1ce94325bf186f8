/**
 * Where a pack's bytes come from, in a file of the pack: `provenance.dsse.json`, a signed in-toto statement that names the run
 * whose tree the pack is, what its checks said and who decided on it. Pure.
 *
 * How to think: the statement is about the digest of everything else in the pack (the content digest), so it cannot name
 * another pack; the pack's own digest covers the file, so an approval pins the statement too. A pack without the file has no
 * provenance, and a pack whose file is not believed is refused: nobody should approve a story that is not true.
 *
 * Invariants (provenance.test.ts)
 * - One changed byte of the statement, of its signature or of any other file of the pack is refused.
 * - What another key signed, or another program wrote that means another thing, is refused and nothing throws.
 */
import { canonicalJson, err, failure, ok, sha256Hex, type Failure, type Json, type Result } from "@rumi/kernel";
import { openEnvelope } from "@rumi/ledger";
import { Type, type Static, type TObject, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { packDigest, type PackEntry } from "./digest.ts";
import type { PackLimits } from "./limits.ts";
import type { PackManifest } from "./manifest.ts";

export const PROVENANCE_FILE = "provenance.dsse.json";
export const PROVENANCE_PREDICATE = "urn:rumi:pack-provenance:v1";
export const PROVENANCE_LIMITS = { file_bytes: 1_048_576, keys: 128 } as const;

const closed = <T extends Parameters<typeof Type.Object>[0]>(members: T): TObject<T> =>
  Type.Object(members, { additionalProperties: false });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const text = Type.String({ maxLength: 8_192 });
const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const object = Type.String({ pattern: "^[0-9a-f]{40}([0-9a-f]{24})?$" });
const whole = Type.Integer({ minimum: 0 });

export const PROVENANCE_SCHEMA = closed({
  pack_id: text,
  version: text,
  /** Of every file but this one. */
  content_digest: Type.String({ pattern: "^sha256:[0-9a-f]{64}$" }),
  run: closed({
    run_id: Type.Integer({ minimum: 1 }),
    repository: text,
    /** The pack's folder in the run's tree; empty for its root. */
    path: text,
    object_format: Type.Union([Type.Literal("sha1"), Type.Literal("sha256")]),
    base_sha: object,
    head_sha: object,
    snapshot_sha: object,
    /** The git tree of that folder. */
    tree_sha: object,
    prompt_hash: sha256,
    exit_code: orNull(Type.Integer()),
    cancelled: Type.Boolean(),
  }),
  proof: closed({ revision: Type.Integer({ minimum: 1 }), bundle_sha256: sha256, attestation_sha256: sha256 }),
  checks: Type.Array(
    closed({
      check_key: text,
      required: Type.Boolean(),
      status: Type.Union([Type.Literal("passed"), Type.Literal("failed"), Type.Literal("pending")]),
      exit_code: orNull(Type.Integer()),
      executed_nothing: orNull(Type.Boolean()),
      log_sha256: orNull(sha256),
    }),
  ),
  decisions: Type.Array(
    closed({
      violation_id: whole,
      path: text,
      approved_status: Type.Literal("approved"),
      decided_at: text,
      decided_by: text,
      reason: text,
    }),
  ),
  built_by: text,
  built_at: text,
});
export type PackProvenance = Static<typeof PROVENANCE_SCHEMA>;

/** A public key whose word on provenance counts here. */
export type ProvenanceKey = { readonly keyid: string; readonly public_pem: string };
export type VerifiedProvenance = {
  readonly provenance: PackProvenance;
  readonly keyid: string;
  /** Of the file. */
  readonly sha256: string;
};

/** The digest of a pack without its provenance. */
export function contentDigest(entries: readonly PackEntry[], limits: PackLimits): ReturnType<typeof packDigest> {
  return packDigest(
    entries.filter(({ path }) => path !== PROVENANCE_FILE),
    limits,
  );
}

/** What is signed; whoever checks it needs nothing of ours. */
export function provenanceStatement(of: PackProvenance): string {
  const { run, proof } = of;
  return canonicalJson({
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      { name: `${of.pack_id}@${of.version}`, digest: { sha256: of.content_digest.slice("sha256:".length) } },
      { name: `refs/rumi/runs/${run.run_id}`, digest: { gitCommit: run.snapshot_sha } },
      { name: `runs/${run.run_id}/proof-${proof.revision}.json`, digest: { sha256: proof.bundle_sha256 } },
    ],
    predicateType: PROVENANCE_PREDICATE,
    predicate: of,
  });
}

/** What a provenance file says, once a key that counts has signed it. */
export function readProvenance(file: Uint8Array, keys: readonly ProvenanceKey[]): Result<VerifiedProvenance, Failure> {
  if (file.length > PROVENANCE_LIMITS.file_bytes)
    return refused(`it is larger than ${PROVENANCE_LIMITS.file_bytes} bytes`);
  const envelope = jsonOf(new TextDecoder().decode(file));
  const named = signersOf(envelope);
  if (named.length !== 1) return refused("it is no DSSE envelope with one signature");
  const known = keys.slice(0, PROVENANCE_LIMITS.keys).filter(({ keyid }) => named.includes(keyid));
  if (known.length === 0)
    return err(failure("RUMI-PACK-021", { path: PROVENANCE_FILE, keyid: (named[0] ?? "").slice(0, 64) }));
  let problem = "";
  for (const { keyid, public_pem } of known) {
    const opened = openEnvelope(envelope, public_pem);
    if (!opened.ok) {
      problem = String(opened.error.params["problem"]);
      continue;
    }
    const provenance = statementOf(opened.value);
    return typeof provenance === "string" ? refused(provenance) : ok({ provenance, keyid, sha256: sha256Hex(file) });
  }
  return refused(problem);
}

/** What a file says that was believed once and is the same bytes: who signed it may not count any more. */
export function signedProvenance(file: Uint8Array): Pick<VerifiedProvenance, "provenance" | "keyid"> | undefined {
  const envelope = jsonOf(new TextDecoder().decode(file));
  const [keyid] = signersOf(envelope);
  const { payload } = (envelope ?? {}) as { readonly payload?: unknown };
  if (keyid === undefined || typeof payload !== "string") return undefined;
  const provenance = statementOf(Buffer.from(payload, "base64").toString("utf8"));
  return typeof provenance === "string" ? undefined : { provenance, keyid };
}

/** The provenance that a tree brings; null where it brings none. */
export async function provenanceOf(
  tree: {
    readonly entries: readonly PackEntry[];
    readonly manifest: Pick<PackManifest, "pack_id" | "version">;
    readonly dataOf: (path: string) => Promise<Uint8Array | undefined> | Uint8Array | undefined;
  },
  keys: readonly ProvenanceKey[],
  limits: PackLimits,
): Promise<Result<VerifiedProvenance | null, Failure>> {
  const entry = tree.entries.find(({ path }) => path === PROVENANCE_FILE);
  if (entry === undefined) return ok(null);
  if (entry.bytes > PROVENANCE_LIMITS.file_bytes)
    return refused(`it is larger than ${PROVENANCE_LIMITS.file_bytes} bytes`);
  const file = await tree.dataOf(PROVENANCE_FILE);
  if (file === undefined || sha256Hex(file) !== entry.sha256) return refused("it changed while it was read");
  const read = readProvenance(file, keys);
  if (!read.ok) return read;
  const { pack_id, version, content_digest } = read.value.provenance;
  if (pack_id !== tree.manifest.pack_id || version !== tree.manifest.version)
    return refused(`it is about ${pack_id} ${version}`);
  const content = contentDigest(tree.entries, limits);
  if (!content.ok) return content;
  return content.value === content_digest
    ? read
    : refused(`it is about other bytes: ${content_digest}, and here lie ${content.value}`);
}

/** The statement's own word, or what is wrong with it. */
function statementOf(signed: string): PackProvenance | string {
  const value = jsonOf(signed);
  if (typeof value !== "object" || value === null) return "what is signed is no JSON object";
  if (canonicalJson(value as Json) !== signed) return "what is signed is not the canonical JSON of its value";
  const { predicateType, predicate } = value as { readonly predicateType?: unknown; readonly predicate?: unknown };
  if (predicateType !== PROVENANCE_PREDICATE) return `what is signed is no ${PROVENANCE_PREDICATE}`;
  if (!Value.Check(PROVENANCE_SCHEMA, predicate)) {
    const first = Value.Errors(PROVENANCE_SCHEMA, predicate).First();
    return `its member ${first?.path ?? ""} is not as ${PROVENANCE_PREDICATE} has it`;
  }
  return provenanceStatement(predicate) === signed ? predicate : "its subjects are not those of its own words";
}

function signersOf(envelope: unknown): readonly string[] {
  const { signatures } = (typeof envelope === "object" && envelope !== null ? envelope : {}) as {
    readonly signatures?: unknown;
  };
  if (!Array.isArray(signatures)) return [];
  return signatures.flatMap((one: unknown) => {
    const keyid = (one as { readonly keyid?: unknown } | null)?.keyid;
    return typeof keyid === "string" ? [keyid] : [];
  });
}

function jsonOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const refused = (problem: string): Result<never, Failure> =>
  err(failure("RUMI-PACK-020", { path: PROVENANCE_FILE, problem }));
