import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { attesterFromPem, openEnvelope } from "./dsse.ts";

const pem = (curve: string): string =>
  generateKeyPairSync("ec", { namedCurve: curve }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const attester = attesterFromPem(pem("P-256"));
const STATEMENT = '{"a":1}';
const code = (of: ReturnType<typeof openEnvelope>): string => (of.ok ? "fine" : String(of.error.params["problem"]));

describe("[L-N15] signed envelopes", () => {
  it("what was signed comes back as it was, under the public key that anybody may have", () => {
    const opened = openEnvelope(JSON.parse(JSON.stringify(attester.sign(STATEMENT))), attester.public_pem);
    expect(opened).toEqual({ ok: true, value: STATEMENT });
  });

  it("the bytes that are signed are those of the format: type and body with their lengths", () => {
    // DSSE's own example of a pre-authentication encoding, signed here and opened there.
    const key = pem("P-256");
    const own = attesterFromPem(key);
    const body = "hello world";
    const type = "application/vnd.in-toto+json";
    const sig = sign("sha256", Buffer.from(`DSSEv1 ${type.length} ${type} ${body.length} ${body}`), key);
    const envelope = {
      payloadType: type,
      payload: Buffer.from(body).toString("base64"),
      signatures: [{ keyid: own.keyid, sig: sig.toString("base64") }],
    };
    expect(openEnvelope(envelope, own.public_pem)).toEqual({ ok: true, value: body });
  });

  it("another statement, type, key, signature or form proves nothing", () => {
    const good = attester.sign(STATEMENT);
    const [signature = { keyid: "", sig: "" }] = good.signatures;
    const other = attesterFromPem(pem("P-256"));
    const rows: readonly (readonly [unknown, string])[] = [
      [{ ...good, payload: Buffer.from('{"a":2}').toString("base64") }, "the signature does not fit the statement"],
      [{ ...good, payloadType: "text/plain" }, "its type is text/plain"],
      [{ ...good, signatures: [] }, "no signature of it is by this key"],
      [{ ...good, signatures: [{ ...signature, keyid: other.keyid }] }, "no signature of it is by this key"],
      [
        { ...good, signatures: [{ keyid: signature.keyid, sig: other.sign(STATEMENT).signatures[0]?.sig }] },
        "the signature does not fit the statement",
      ],
      [{ ...good, signatures: [{ keyid: signature.keyid, sig: "" }] }, "the signature does not fit the statement"],
      [null, "it is no DSSE envelope"],
      [{ ...good, signatures: Array.from({ length: 17 }, () => signature) }, "it is no DSSE envelope"],
      ["text", "it is no DSSE envelope"],
    ];
    for (const [envelope, problem] of rows) expect(code(openEnvelope(envelope, attester.public_pem))).toBe(problem);
    expect(code(openEnvelope(good, other.public_pem))).toBe("no signature of it is by this key");
    for (const curve of ["P-384", "secp256k1"]) {
      const foreign = attesterFromPem(pem(curve));
      expect(code(openEnvelope(foreign.sign(STATEMENT), foreign.public_pem)), curve).toBe(
        "the public key is no P-256 key",
      );
    }
    expect(code(openEnvelope(good, "no key"))).toBe("the public key cannot be read");
  });
});
