import { generateKeyPairSync } from "node:crypto";
import { seededRandom } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { ORIGIN, SIGNER, codeOf, must } from "../test/support.ts";
import { checkpointText, logOrigin, parseCheckpoint, signCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import {
  NOTE_LIMITS,
  encodeSigner,
  encodeVerifier,
  generateSigner,
  openNote,
  parseNote,
  parseSigner,
  parseVerifier,
  signNote,
  signerFromPem,
} from "./note.ts";

const root = new Uint8Array(32).fill(7);
const note = signCheckpoint({ origin: ORIGIN, size: 42, root }, SIGNER);
const vkey = encodeVerifier(SIGNER);

describe("signed notes", () => {
  it("reads the signed-note specification's own example", () => {
    const key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const example = `${text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;
    expect(openNote(example, must(parseVerifier(key)))).toEqual({ ok: true, value: text });
  });

  it("[L-26] every changed byte of a checkpoint is refused", () => {
    const bytes = Buffer.from(note);
    for (let i = 0; i < bytes.length; i += 1) {
      const bent = Buffer.from(bytes);
      bent[i] = (bent[i] ?? 0) ^ 1;
      expect(verifyCheckpoint(bent.toString("utf8"), vkey).ok, `byte ${i}`).toBe(false);
    }
    expect(verifyCheckpoint(note, vkey)).toEqual({ ok: true, value: { origin: ORIGIN, size: 42, root } });
  });

  it("keys survive writing and reading, in all three forms", () => {
    expect(must(parseVerifier(vkey)).raw).toEqual(SIGNER.raw);
    expect(must(parseSigner(encodeSigner(SIGNER))).raw).toEqual(SIGNER.raw);
    const pem = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }) as string;
    const signer = must(signerFromPem(ORIGIN, pem));
    expect(verifyCheckpoint(signCheckpoint({ origin: ORIGIN, size: 0, root }, signer), encodeVerifier(signer)).ok).toBe(
      true,
    );
  });

  it("malformed keys are named: other type, other id, other name, other spelling", () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      format: "pem",
      type: "pkcs8",
    }) as string;
    const [name = "", id = "", key = ""] = vkey.split("+");
    const zeroId = `${name}+00000000+${key}`;
    for (const bad of [
      "",
      "x",
      zeroId,
      `${name}+${id}`,
      vkey.replace(ORIGIN, "rumi.local/prod/x"),
      `${vkey}=`,
      `${vkey}\nmore`,
    ]) {
      expect(codeOf(parseVerifier(bad)), bad).toBe("RUMI-LOG-008");
    }
    expect(codeOf(signerFromPem(ORIGIN, ec))).toBe("RUMI-LOG-008");
    expect(codeOf(signerFromPem(ORIGIN, "no key"))).toBe("RUMI-LOG-008");
    expect(codeOf(parseSigner("PRIVATE+KEY+a+00000000+AAAA"))).toBe("RUMI-LOG-008");
  });

  it("other signatures beside ours are skipped; a second line under our key is refused", () => {
    const text = checkpointText({ origin: ORIGIN, size: 42, root });
    const other = signNote(text, generateSigner("witness.example/w", seededRandom("w"))).split("\n\n")[1] ?? "";
    expect(verifyCheckpoint(`${note}${other}`, vkey).ok).toBe(true);
    const own = note.split("\n\n")[1] ?? "";
    expect(codeOf(verifyCheckpoint(`${note}${own}`, vkey))).toBe("RUMI-LOG-006");
  });

  it("a checkpoint of another home or environment never passes", () => {
    const origin = logOrigin("prod", "0192f0c8-0000-7000-8000-000000000001");
    const other = signCheckpoint({ origin, size: 1, root }, generateSigner(origin, seededRandom("other")));
    expect(codeOf(verifyCheckpoint(other, vkey))).toBe("RUMI-LOG-024");
    expect(() => signCheckpoint({ origin, size: 1, root }, SIGNER)).toThrow(RangeError);
  });

  it("the limits of a note are reached", () => {
    const line = note.split("\n\n")[1] ?? "";
    const text = note.split("\n\n")[0] ?? "";
    expect(parseNote(`${text}\n\n${line.repeat(NOTE_LIMITS.signatures)}`).ok).toBe(true);
    expect(codeOf(parseNote(`${text}\n\n${line.repeat(NOTE_LIMITS.signatures + 1)}`))).toBe("RUMI-LOG-007");
    expect(codeOf(parseNote(`${"x".repeat(NOTE_LIMITS.text_bytes)}\n\n${line}`))).toBe("RUMI-LOG-007");
    expect(() => generateSigner("a b", seededRandom(""))).toThrow(RangeError);
    expect(() => generateSigner("x".repeat(NOTE_LIMITS.name_bytes + 1), seededRandom(""))).toThrow(RangeError);
  });

  it("malformed checkpoints are refused by form", () => {
    for (const body of [
      "a\n1\n",
      "a\n01\nx\n",
      `a\n-1\n${Buffer.from(root).toString("base64")}\n`,
      "a\n1\nAAAA\n",
      "\n1\nAAAA\n",
    ]) {
      expect(codeOf(parseCheckpoint(`${body}\n${note.split("\n\n")[1] ?? ""}`)), body).toBe("RUMI-LOG-007");
    }
  });
});
