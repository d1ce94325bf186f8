/**
 * Keeping signatures of artifacts. Whether one counts is judged where an artifact is judged, against the keys of that
 * moment, and never here: a signature may arrive before its key, and a key may be revoked after it.
 */
import { canonicalJson, err, failure, ok, sha256Hex } from "@rumi/kernel";
import type { Envelope } from "@rumi/ledger";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { iso } from "../challenges/model.ts";
import { CLOSED, CommandIdField, DigestField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { feed, jsonOf } from "../shared/sql.ts";
import { SignatureAnswer, SignaturesAnswer } from "./answers.ts";
import { SUPPLY_LIMITS } from "./limits.ts";
import { insertSignature, readSignatures, type SignatureRow } from "./tables.ts";

export const signatureDeclarations = (): readonly Declaration[] => [listSignatures, addSignature];

const EnvelopeField = Type.Object(
  {
    payloadType: Type.String({ minLength: 1, maxLength: 128 }),
    payload: Type.String({
      maxLength: SUPPLY_LIMITS.payload_characters,
      pattern: "^[A-Za-z0-9+/]+={0,2}$",
      description: "Base64 of an in-toto statement whose subject is the artifact's digest.",
    }),
    signatures: Type.Array(
      Type.Object(
        {
          keyid: Type.String({ minLength: 1, maxLength: 256 }),
          sig: Type.String({ maxLength: 1_024, pattern: "^[A-Za-z0-9+/]+={0,2}$" }),
        },
        CLOSED,
      ),
      { minItems: 1, maxItems: 16 },
    ),
  },
  { ...CLOSED, description: "A DSSE envelope; `rumi packs sign` makes one." },
);

function view({ artifact_id, signature_id, envelope, added_by, added_at }: SignatureRow) {
  const keyids = jsonOf<Envelope>(envelope).signatures.map(({ keyid }) => keyid);
  return { artifact_id, signature_id, keyids, added_by, added_at: iso(added_at) };
}

const listSignatures: Declaration = defineQuery({
  name: "supply_chain.signatures",
  summary: "Signatures that are kept of an artifact, as they came",
  http: { method: "GET", path: "/api/supply_chain/signatures" },
  input: Type.Object({ artifact_id: DigestField }, CLOSED),
  output: SignaturesAnswer,
  permission: EVERYONE,
  read: async (reader, { artifact_id }, { store }) => {
    const rows = await readSignatures(reader, store, artifact_id);
    return ok({
      signatures: rows.map((row) => ({ ...view(row), envelope: jsonOf<Envelope>(row.envelope) })),
      count: rows.length,
    });
  },
});

const addSignature: Declaration = defineOperation({
  name: "supply_chain.signature_add",
  summary: "Keep a signature of an artifact; whether it counts is judged by the gate",
  http: { method: "POST", path: "/api/supply_chain/signatures" },
  input: Type.Object(
    { command_id: CommandIdField, artifact_id: DigestField, envelope: EnvelopeField, reason: ReasonField },
    CLOSED,
  ),
  output: SignatureAnswer,
  success: [200, 201],
  key: "command_id",
  permission: ["operator", "admin"],
  risk: () => "neutral",
  danger: noDanger,
  target: ({ artifact_id }) => ({ resource_type: "artifact", resource_id: artifact_id }),
  gates: [],
  load: (reader, { artifact_id }, { store }) => readSignatures(reader, store, artifact_id),
  decide: (known: readonly SignatureRow[], { artifact_id, envelope }, { now, principal, store }) => {
    const text = canonicalJson(envelope);
    const signature_id = sha256Hex(text);
    const same = known.find((row) => row.signature_id === signature_id);
    if (same !== undefined) return ok({ writes: [], events: [], outbox: [], data: { ...view(same), changed: false } });
    const limit = SUPPLY_LIMITS.signatures;
    if (known.length >= limit)
      return err(
        failure("RUMI-CMD-027", { what: "signatures of this artifact", limit }, { reasonCode: "L.SUPPLY_CHAIN.FULL" }),
      );
    const row: SignatureRow = { artifact_id, signature_id, envelope: text, added_by: principal.id, added_at: now };
    const data = view(row);
    return ok({
      writes: [insertSignature(store, row), feed(store, "artifact", artifact_id, { artifact_id, signature_id }, now)],
      events: [
        {
          action: "supply_chain.signature.added",
          resource_type: "artifact",
          resource_id: artifact_id,
          outcome: "SUCCESS",
          details: { artifact_id, signature_id, keyids: data.keyids },
        },
      ],
      outbox: [],
      status: 201,
      data: { ...data, changed: true },
    });
  },
});
