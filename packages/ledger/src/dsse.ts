/**
 * DSSE envelopes with ECDSA P-256: how a statement is signed so that whoever has the public key can check it anywhere,
 * with this code or any other that knows the format (https://github.com/secure-systems-lab/dsse, PAE version 1).
 *
 * Invariant (dsse.test.ts): one changed byte of payload, type or signature, or another key, verifies nothing.
 */
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";

export const STATEMENT_TYPE = "application/vnd.in-toto+json";
export type Envelope = {
  readonly payloadType: string;
  /** Base64 of the statement's bytes. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
};

export interface Attester {
  readonly keyid: string;
  readonly public_pem: string;
  sign(payload: string): Envelope;
}

/** `pem`: a P-256 private key, PKCS#8. */
export function attesterFromPem(pem: string): Attester {
  const key = createPrivateKey(pem);
  const open = createPublicKey(key);
  const keyid = keyIdOf(open);
  return {
    keyid,
    public_pem: open.export({ type: "spki", format: "pem" }).toString(),
    sign: (payload) => {
      const sig = sign("sha256", preAuth(STATEMENT_TYPE, Buffer.from(payload)), key).toString("base64");
      return {
        payloadType: STATEMENT_TYPE,
        payload: Buffer.from(payload).toString("base64"),
        signatures: [{ keyid, sig }],
      };
    },
  };
}

/** The statement's text, or why it is not to be believed. Throws nothing, whatever it is given. */
export function openEnvelope(envelope: unknown, public_pem: string): Result<string, Failure> {
  const refused = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-LOG-027", { problem }, { reasonCode: "L.ATTESTATION.INVALID" }));
  if (!isEnvelope(envelope)) return refused("it is no DSSE envelope");
  if (envelope.payloadType !== STATEMENT_TYPE) return refused(`its type is ${envelope.payloadType.slice(0, 64)}`);
  let key: KeyObject;
  try {
    key = createPublicKey(public_pem);
  } catch {
    return refused("the public key cannot be read");
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return refused("the public key is no P-256 key");
  const body = Buffer.from(envelope.payload, "base64");
  const keyid = keyIdOf(key);
  const own = envelope.signatures.filter((one) => one.keyid === keyid);
  if (own.length === 0) return refused("no signature of it is by this key");
  const isGood = own.some(({ sig }) =>
    verify("sha256", preAuth(envelope.payloadType, body), key, Buffer.from(sig, "base64")),
  );
  return isGood ? ok(body.toString("utf8")) : refused("the signature does not fit the statement");
}

/** A P-256 public key by its id, in the one form that is kept; undefined where the text is none. Throws nothing. */
export function publicKeyOf(pem: string): { readonly keyid: string; readonly public_pem: string } | undefined {
  try {
    const key = createPublicKey(pem);
    if (!pem.includes("BEGIN PUBLIC KEY") || key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return undefined;
    return { keyid: keyIdOf(key), public_pem: key.export({ type: "spki", format: "pem" }).toString() };
  } catch {
    return undefined;
  }
}

function preAuth(type: string, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body]);
}

const keyIdOf = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== "object" || value === null) return false;
  const { payloadType, payload, signatures } = value as Partial<Envelope>;
  return (
    typeof payloadType === "string" &&
    typeof payload === "string" &&
    Array.isArray(signatures) &&
    signatures.length <= 16 &&
    signatures.every((one: unknown) => {
      const { keyid, sig } = (one ?? {}) as Partial<Envelope["signatures"][number]>;
      return typeof keyid === "string" && typeof sig === "string";
    })
  );
}
