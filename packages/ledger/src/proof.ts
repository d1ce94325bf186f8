/**
 * The offline proof of one event: leaf, opened payload, inclusion hashes and the signed head, in one file.
 *
 * How to think: whoever has this file and the log's public key needs nothing else, and nobody. The JSON
 * form (schema_version 1) proves what the event says; the `.tlog-proof` text of C2SP proves that the leaf
 * is in the log, for tools that were not written here. docs/formats/tlog.md describes both.
 *
 * Invariants
 * - A proof verifies after writing and reading; any changed part does not (proof.test.ts).
 */
import { type Failure, type Json, type Result, err, failure, ok } from "@rumi/kernel";
import { type Checkpoint, verifyCheckpoint } from "./checkpoint.ts";
import type { LedgerEvent } from "./event.ts";
import { leafHash } from "./hashing.ts";
import { openLeaf, parseLeaf } from "./leaf.ts";
import { verifyInclusion } from "./merkle.ts";
import { type NoteVerifier, base64, fromBase64 } from "./note.ts";
import type { LogSource, OpenedPayload } from "./source.ts";
import { inclusionProof } from "./tile-tree.ts";

export const PROOF_SCHEMA_VERSION = 1;
const HASHES_MAX = 63;
const TLOG_PROOF_HEADER = "c2sp.org/tlog-proof@v1";

/** The proof as JSON; bytes are standard base64. */
export type EventProof = {
  readonly schema_version: typeof PROOF_SCHEMA_VERSION;
  readonly index: number;
  readonly leaf: string;
  /** null after erasure: then the proof shows that the leaf is logged, not what the payload said. */
  readonly salt: string | null;
  readonly payload: string | null;
  readonly hashes: readonly string[];
  readonly checkpoint: string;
};

export type ProvenEvent = {
  readonly checkpoint: Checkpoint;
  readonly index: number;
  /** null where the payload was erased. */
  readonly event: LedgerEvent | null;
};

export async function proveEvent(
  source: LogSource,
  index: number,
  opened: OpenedPayload | undefined,
): Promise<Result<EventProof, Failure>> {
  const note = await source.checkpoint();
  const size = note === undefined ? 0 : Number(note.split("\n")[1]);
  const hashes = await inclusionProof(index, size, (level, tile) => source.tile(level, tile));
  if (!hashes.ok) return hashes;
  const leaves = await source.leaves(index, index + 1);
  if (!leaves.ok) return leaves;
  const [leaf] = leaves.value;
  if (leaf === undefined || note === undefined) return err(failure("RUMI-LOG-023", { index, size }));
  return ok({
    schema_version: PROOF_SCHEMA_VERSION,
    index,
    leaf: base64(leaf),
    salt: opened === undefined ? null : base64(opened.salt),
    payload: opened?.payload ?? null,
    hashes: hashes.value.map(base64),
    checkpoint: note,
  });
}

/** Trusts the verifier's key only. */
export function verifyProof(proof: EventProof, verifier: NoteVerifier | string): Result<ProvenEvent, Failure> {
  const checkpoint = verifyCheckpoint(proof.checkpoint, verifier);
  if (!checkpoint.ok) return checkpoint;
  const leaf = fromBase64(proof.leaf);
  const hashes = proof.hashes.map(fromBase64);
  if (leaf === undefined || !hashes.every((hash) => hash !== undefined)) return bad("a field is not base64");
  const { size, root } = checkpoint.value;
  const included = verifyInclusion({ index: proof.index, size, leaf_hash: leafHash(leaf), proof: hashes }, root);
  if (!included) return bad("the leaf and the hashes do not lead to the signed root");
  if (proof.payload === null || proof.salt === null) {
    const record = parseLeaf(leaf);
    return record.ok ? ok({ checkpoint: checkpoint.value, index: proof.index, event: null }) : record;
  }
  const salt = fromBase64(proof.salt);
  if (salt === undefined) return bad("a field is not base64");
  const opened = openLeaf(leaf, salt, proof.payload);
  return opened.ok ? ok({ checkpoint: checkpoint.value, index: proof.index, event: opened.value.event }) : opened;
}

/** Reads a proof file; closed, every field checked for its type. */
export function parseProof(text: string): Result<EventProof, Failure> {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    return err(failure("RUMI-LOG-019", { problem: "it is no JSON" }, { cause }));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return bad("it is no JSON object");
  const { schema_version, index, leaf, salt, payload, hashes, checkpoint, ...rest } = value as Readonly<
    Record<string, Json>
  >;
  const nullableTexts = [salt, payload].every((field) => field === null || typeof field === "string");
  const listed =
    Array.isArray(hashes) && hashes.length <= HASHES_MAX && hashes.every((hash: Json) => typeof hash === "string");
  if (schema_version !== PROOF_SCHEMA_VERSION) return bad("its schema_version is not 1");
  if (
    typeof index !== "number" ||
    typeof leaf !== "string" ||
    typeof checkpoint !== "string" ||
    !nullableTexts ||
    !listed
  )
    return bad("a field has the wrong type");
  if (Object.keys(rest).length > 0) return bad(`it has unknown fields: ${Object.keys(rest).join(", ")}`);
  return ok(value as unknown as EventProof);
}

/** The same as a C2SP `.tlog-proof` text: header, index, hashes, a blank line, the checkpoint. */
export function tlogProofText(proof: EventProof): string {
  return [TLOG_PROOF_HEADER, `index ${proof.index}`, ...proof.hashes, "", proof.checkpoint].join("\n");
}

/** Verifies a `.tlog-proof` text for the leaf it came with. */
export function verifyTlogProof(
  text: string,
  leaf: Uint8Array,
  verifier: NoteVerifier | string,
): Result<Checkpoint, Failure> {
  const split = text.indexOf("\n\n");
  const [header, ...lines] = text.slice(0, Math.max(0, split)).split("\n");
  if (lines[0]?.startsWith("extra ") === true) lines.shift(); // unauthenticated by the standard's own word
  const [indexLine = "", ...hashes] = lines;
  const index = /^index (0|[1-9]\d*)$/.exec(indexLine)?.[1];
  if (split < 0 || header !== TLOG_PROOF_HEADER || index === undefined || hashes.length > HASHES_MAX)
    return bad("it is no tlog-proof v1");
  const checkpoint = verifyCheckpoint(text.slice(split + 2), verifier);
  if (!checkpoint.ok) return checkpoint;
  const proof = hashes.map(fromBase64);
  if (!proof.every((hash) => hash !== undefined)) return bad("a hash is not base64");
  const { size, root } = checkpoint.value;
  const included = verifyInclusion({ index: Number(index), size, leaf_hash: leafHash(leaf), proof }, root);
  return included ? checkpoint : bad("the leaf and the hashes do not lead to the signed root");
}

const bad = (problem: string): Result<never, Failure> => err(failure("RUMI-LOG-019", { problem }));
