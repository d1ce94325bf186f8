/**
 * C2SP signed notes with Ed25519: a text, a blank line, and signature lines `— <name> <base64>`.
 *
 * How to think: a key is a name and 32 bytes; four bytes of a hash over both travel with each signature,
 * so that a reader finds the signature that is meant for its key and skips the others unread.
 *
 * Invariants
 * - Notes written here open with golang.org/x/mod/sumdb/note (foreign.test.ts).
 * - A changed byte of text, name or signature is refused (note.test.ts).
 * - Only the standard's one spelling of base64, names and lines is accepted.
 */
import { type KeyObject, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { type Failure, type Random, type Result, err, failure, ok, sha256 } from "@rumi/kernel";
import { equalBytes } from "./hashing.ts";

export const NOTE_LIMITS = { text_bytes: 1_000_000, signatures: 100, name_bytes: 255 } as const;

const ED25519 = 0x01;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** DER around a raw Ed25519 seed (RFC 8410 PKCS #8) and a raw public key (SubjectPublicKeyInfo). */
const SEED_DER = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_DER = Buffer.from("302a300506032b6570032100", "hex");

/** Who may verify: parsed from a vkey line `<name>+<key id>+<base64>`. */
export type NoteVerifier = {
  readonly name: string;
  readonly id: Uint8Array;
  readonly raw: Uint8Array;
  readonly key: KeyObject;
};
/** Who may sign; `seed` is the secret. */
export type NoteSigner = NoteVerifier & { readonly seed: Uint8Array; readonly secret: KeyObject };
export type NoteSignature = { readonly name: string; readonly id: Uint8Array; readonly signature: Uint8Array };
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

export function isKeyName(name: string): boolean {
  return (
    name.length > 0 &&
    Buffer.byteLength(name) <= NOTE_LIMITS.name_bytes &&
    name.isWellFormed() &&
    !/[\s+\p{Cc}]/u.test(name)
  );
}

export function generateSigner(name: string, random: Random): NoteSigner {
  return signerFromSeed(name, random.bytes(KEY_BYTES));
}

/** The key pair of a 32-byte Ed25519 seed. The name must be a key name: no spaces, no plus sign. */
export function signerFromSeed(name: string, seed: Uint8Array): NoteSigner {
  if (!isKeyName(name)) throw new RangeError(`not a key name: ${JSON.stringify(name)}`);
  if (seed.length !== KEY_BYTES) throw new RangeError(`a seed of ${seed.length} bytes`);
  const secret = createPrivateKey({ key: Buffer.concat([SEED_DER, seed]), format: "der", type: "pkcs8" });
  const raw = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(PUBLIC_DER.length);
  return { ...verifierOf(name, new Uint8Array(raw)), seed: new Uint8Array(seed), secret };
}

/** The key pair of an Ed25519 private key file (PKCS #8, PEM). */
export function signerFromPem(name: string, pem: string): Result<NoteSigner, Failure> {
  let secret: KeyObject;
  try {
    secret = createPrivateKey(pem);
  } catch (cause) {
    return badKey("the file is no private key", cause);
  }
  if (secret.asymmetricKeyType !== "ed25519")
    return badKey(`it is of type ${secret.asymmetricKeyType ?? "unknown"}, not Ed25519`);
  const der = secret.export({ format: "der", type: "pkcs8" });
  return isKeyName(name)
    ? ok(signerFromSeed(name, der.subarray(der.length - KEY_BYTES)))
    : badKey("its name is no key name");
}

/** `<name>+<key id as 8 hexadecimal digits>+<base64 of type and key>`: what log.vkey holds. */
export function encodeVerifier(of: NoteVerifier): string {
  return `${of.name}+${hex(of.id)}+${base64(Buffer.concat([Buffer.of(ED25519), of.raw]))}`;
}

export function parseVerifier(vkey: string): Result<NoteVerifier, Failure> {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim());
  const bytes = match === null ? undefined : fromBase64(match[3] ?? "");
  if (match === null || bytes === undefined) return badKey("it is no line NAME+ID+KEY");
  if (bytes[0] !== ED25519 || bytes.length !== 1 + KEY_BYTES) return badKey("it is no Ed25519 key");
  if (!isKeyName(match[1] ?? "")) return badKey("its name is no key name");
  const verifier = verifierOf(match[1] ?? "", new Uint8Array(bytes.subarray(1)));
  return hex(verifier.id) === match[2] ? ok(verifier) : badKey("its id does not belong to its name and bytes");
}

/** The signing key in the form Go's note package reads: `PRIVATE+KEY+<name>+<id>+<base64>`. A secret. */
export function encodeSigner(of: NoteSigner): string {
  return `PRIVATE+KEY+${of.name}+${hex(of.id)}+${base64(Buffer.concat([Buffer.of(ED25519), of.seed]))}`;
}

export function parseSigner(text: string): Result<NoteSigner, Failure> {
  const match = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  const bytes = match === null ? undefined : fromBase64(match[3] ?? "");
  if (match === null || bytes === undefined) return badKey("it is no line PRIVATE+KEY+NAME+ID+KEY");
  if (bytes[0] !== ED25519 || bytes.length !== 1 + KEY_BYTES || !isKeyName(match[1] ?? ""))
    return badKey("it is no Ed25519 key");
  const signer = signerFromSeed(match[1] ?? "", new Uint8Array(bytes.subarray(1)));
  return hex(signer.id) === match[2] ? ok(signer) : badKey("its id does not belong to its name and bytes");
}

/** Signs a text, which must end with a newline. */
export function signNote(text: string, signer: NoteSigner): string {
  if (!isNoteText(text)) throw new RangeError("a note's text ends with a newline and holds no control characters");
  const signature = sign(null, Buffer.from(text), signer.secret);
  return `${text}\n— ${signer.name} ${base64(Buffer.concat([signer.id, signature]))}\n`;
}

/** Splits a note; checks its form only. */
export function parseNote(note: string): Result<Note, Failure> {
  if (Buffer.byteLength(note) > NOTE_LIMITS.text_bytes)
    return badNote(`it has more than ${NOTE_LIMITS.text_bytes} bytes`);
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) return badNote("no blank line separates text and signatures");
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split("\n");
  if (!isNoteText(text)) return badNote("its text holds control characters");
  if (lines.length > NOTE_LIMITS.signatures) return badNote(`it has more than ${NOTE_LIMITS.signatures} signatures`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const match = /^— (\S+) (\S+)$/.exec(line);
    const bytes = match === null ? undefined : fromBase64(match[2] ?? "");
    if (match === null || bytes === undefined || bytes.length < 5 || !isKeyName(match[1] ?? ""))
      return badNote("a signature line is malformed");
    signatures.push({ name: match[1] ?? "", id: bytes.subarray(0, 4), signature: bytes.subarray(4) });
  }
  return ok({ text, signatures });
}

/** The text of a note, once the verifier's own signature on it holds. */
export function openNote(note: string, verifier: NoteVerifier): Result<string, Failure> {
  const parsed = parseNote(note);
  if (!parsed.ok) return parsed;
  const own = parsed.value.signatures.filter((line) => line.name === verifier.name && equalBytes(line.id, verifier.id));
  const first = own[0];
  const holds =
    own.length === 1 &&
    first !== undefined &&
    first.signature.length === SIGNATURE_BYTES &&
    verify(null, Buffer.from(parsed.value.text), verifier.key, first.signature);
  return holds ? ok(parsed.value.text) : err(failure("RUMI-LOG-006", { name: verifier.name }));
}

function verifierOf(name: string, raw: Uint8Array): NoteVerifier {
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: "der", type: "spki" });
  return { name, id: sha256(name, "\n", Buffer.of(ED25519), raw).slice(0, 4), raw, key };
}

function isNoteText(text: string): boolean {
  return text.endsWith("\n") && text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** Bytes of standard, padded base64; undefined for every other spelling. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const badKey = (problem: string, cause?: unknown): Result<never, Failure> =>
  err(failure("RUMI-LOG-008", { problem }, { cause }));
const badNote = (problem: string): Result<never, Failure> => err(failure("RUMI-LOG-007", { problem }));
