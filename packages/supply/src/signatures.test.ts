import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { micros } from "@rumi/kernel";
import { attesterFromPem } from "@rumi/ledger";
import { checkSignature, SIGNATURE_LIMITS, STATEMENT_V1, type SignatureVerdict, type TrustRoot } from "./signatures.ts";

const attester = (curve = "P-256") =>
  attesterFromPem(
    generateKeyPairSync("ec", { namedCurve: curve }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  );
const HEX = "ab".repeat(32);
const DIGEST = `sha256:${HEX}`;
const NOW = micros(1_000_000_000);
const ours = attester();
const other = attester();

const statement = (changes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    _type: STATEMENT_V1,
    subject: [{ name: "pack", digest: { sha256: HEX } }],
    predicateType: "https://example.org/build/v1",
    predicate: {},
    ...changes,
  });
const root = (changes: Partial<TrustRoot> = {}): TrustRoot => ({
  keyid: ours.keyid,
  public_pem: ours.public_pem,
  not_before: micros(0),
  not_after: null,
  revoked_at: null,
  ...changes,
});
const signed = (text = statement()): unknown => ours.sign(text);
const codes = (verdict: SignatureVerdict): readonly string[] => verdict.reasons.map(({ code }) => code);

describe("[L-51.1] signatures of an artifact", () => {
  it("[L-51.1] one good envelope is enough, and what was wrong with the others is said", () => {
    const verdict = checkSignature([null, other.sign(statement()), signed()], DIGEST, [root()], NOW);
    expect(verdict).toMatchObject({
      verified: true,
      keyid: ours.keyid,
      predicate_type: "https://example.org/build/v1",
      envelope: 2,
      valid_until: null,
    });
    expect(codes(verdict)).toEqual(["ENVELOPE_INVALID", "KEY_NOT_TRUSTED"]);
    expect(verdict.reasons[0]?.envelope).toBe(0);
  });

  it("[L-51.1] another digest, statement, time or key is refused with its reason", () => {
    const refused: readonly (readonly [string, unknown, TrustRoot])[] = [
      ["SUBJECT_DIFFERS", signed(statement({ subject: [{ digest: { sha256: "cd".repeat(32) } }] })), root()],
      [
        "SUBJECT_DIFFERS",
        signed(statement({ subject: [{ digest: { sha512: HEX } }, null, { digest: null }] })),
        root(),
      ],
      ["STATEMENT_INVALID", signed(statement({ subject: [] })), root()],
      ["STATEMENT_INVALID", signed(statement({ _type: "https://in-toto.io/Statement/v0.1" })), root()],
      ["STATEMENT_INVALID", signed(statement({ predicateType: "" })), root()],
      ["STATEMENT_INVALID", signed("no json"), root()],
      ["STATEMENT_INVALID", signed("null"), root()],
      ["STATEMENT_INVALID", signed(`${statement().slice(0, -1)},"_type":"${STATEMENT_V1}"}`), root()],
      ["KEY_NOT_YET_VALID", signed(), root({ not_before: micros(NOW + 1) })],
      ["KEY_EXPIRED", signed(), root({ not_after: NOW })],
      ["KEY_REVOKED", signed(), root({ revoked_at: NOW })],
      ["KEY_UNUSABLE", signed(), root({ public_pem: "no key" })],
      ["KEY_UNUSABLE", signed(), root({ public_pem: other.public_pem })],
      ["KEY_NOT_TRUSTED", other.sign(statement()), root()],
      ["KEY_NOT_TRUSTED", { payloadType: "t", payload: "", signatures: [] }, root()],
      ["SIGNATURE_WRONG", { ...ours.sign(statement()), payload: "e30=" }, root()],
      ["ENVELOPE_INVALID", { payload: 1, signatures: [] }, root()],
      ["ENVELOPE_INVALID", { payload: "x".repeat(SIGNATURE_LIMITS.payload_characters + 1), signatures: [] }, root()],
    ];
    for (const [code, envelope, trusted] of refused) {
      const verdict = checkSignature([envelope], DIGEST, [trusted], NOW);
      expect([code, verdict.verified, codes(verdict)]).toEqual([code, false, [code]]);
    }
  });

  it("[L-51.1] a key counts from its first moment to the one before its end, and says when that is", () => {
    const ends = root({ not_before: NOW, not_after: micros(NOW + 5), revoked_at: micros(NOW + 2) });
    expect(checkSignature([signed()], DIGEST, [ends], NOW)).toMatchObject({ verified: true, valid_until: NOW + 2 });
    expect(checkSignature([signed()], DIGEST, [ends], micros(NOW + 1)).verified).toBe(true);
    expect(checkSignature([signed()], DIGEST, [ends], micros(NOW + 2)).verified).toBe(false);
  });

  it("[L-51.1] a rotated key: the new root's envelope counts where the old one is over", () => {
    const roots = [root({ not_after: NOW }), root({ keyid: other.keyid, public_pem: other.public_pem })];
    const verdict = checkSignature([signed(), other.sign(statement())], DIGEST, roots, NOW);
    expect(verdict).toMatchObject({ verified: true, keyid: other.keyid, envelope: 1 });
    expect(codes(verdict)).toEqual(["KEY_EXPIRED"]);
  });

  it("[L-51.1] a key on another curve is no trust root", () => {
    const foreign = attester("secp256k1");
    const trusted = root({ keyid: foreign.keyid, public_pem: foreign.public_pem });
    expect(codes(checkSignature([foreign.sign(statement())], DIGEST, [trusted], NOW))).toEqual(["KEY_UNUSABLE"]);
  });

  it("[L-51.1] nothing to look at, or too much of it, verifies nothing", () => {
    expect(codes(checkSignature([], DIGEST, [root()], NOW))).toEqual(["NO_ENVELOPE"]);
    expect(codes(checkSignature([signed()], DIGEST, [], NOW))).toEqual(["NO_TRUST_ROOT"]);
    const many = Array.from({ length: SIGNATURE_LIMITS.envelopes + 1 }, () => signed());
    expect(codes(checkSignature(many, DIGEST, [root()], NOW))).toEqual(["TOO_MANY"]);
    expect(checkSignature([signed()], "sha1:00", [root()], NOW).verified).toBe(false);
  });
});
