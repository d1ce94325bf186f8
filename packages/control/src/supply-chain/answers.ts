/** What the operations of the supply-chain gate answer. */
import { ID_PATTERNS } from "@rumi/kernel";
import { Type } from "@sinclair/typebox";
import { CountField, DigestHexField, InstantField, nullable, OPEN } from "../shared/answers.ts";
import { ROOT_STATES } from "./trust-roots.ts";

const root = {
  keyid: DigestHexField,
  name: Type.String(),
  state: Type.Union(ROOT_STATES.map((word) => Type.Literal(word))),
  public_key_pem: Type.String(),
  valid_from: InstantField,
  valid_until: InstantField,
  added_by: Type.String(),
  approval_id: Type.String(),
  added_at: InstantField,
  retired_by: nullable(Type.String()),
  revoked_at: nullable(InstantField),
  revoked_by: nullable(Type.String()),
  reason: Type.String(),
} as const;
export const TrustRootAnswer = Type.Object({ ...root, changed: Type.Optional(Type.Boolean()) }, OPEN);
export const TrustRootsAnswer = Type.Object({ trust_roots: Type.Array(TrustRootAnswer), count: CountField }, OPEN);

const signature = {
  artifact_id: Type.String({ pattern: ID_PATTERNS.digest }),
  signature_id: DigestHexField,
  keyids: Type.Array(Type.String(), { description: "As the envelope names them; whether they are true is judged." }),
  added_by: Type.String(),
  added_at: InstantField,
} as const;
export const SignatureAnswer = Type.Object({ ...signature, changed: Type.Boolean() }, OPEN);
export const SignaturesAnswer = Type.Object(
  {
    signatures: Type.Array(Type.Object({ ...signature, envelope: Type.Object({}, OPEN) }, OPEN)),
    count: CountField,
  },
  OPEN,
);
