/** C2SP signed notes and tlog checkpoints: parse, and check the log's Ed25519 signature with WebCrypto. */
import { concat, equalBytes, fromBase64, hex, type Hash } from "./merkle.ts";

export type Checkpoint = {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
  readonly text: string;
};

export type VerifierKey = {
  readonly name: string;
  readonly id: Uint8Array;
  readonly key: Hash;
  /** The line it was read from. */
  readonly text: string;
};

const ED25519 = 1;

export async function parseVerifierKey(text: string): Promise<VerifierKey> {
  const [name, idHex, encoded] = splitKey(text.trim());
  const material = fromBase64(encoded);
  if (material[0] !== ED25519 || material.length !== 33) throw new Error("the log's key is not Ed25519");
  const named = concat(new TextEncoder().encode(`${name}\n`), material);
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", named)).slice(0, 4);
  if (hex(id) !== idHex) throw new Error("the log's key has another key id");
  return { name, id, key: material.slice(1), text: text.trim() };
}

let ed25519: Promise<boolean> | undefined;

/** Older browsers have WebCrypto without Ed25519, and pages that are not on a secure origin have none at all. */
export function supportsEd25519(): Promise<boolean> {
  ed25519 ??= (async () => {
    try {
      const raw = new Uint8Array(32).fill(1);
      await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
      return true;
    } catch {
      return false;
    }
  })();
  return ed25519;
}

/** Throws when the note is malformed or carries no valid signature of `key`. */
export async function openCheckpoint(text: string, key: VerifierKey): Promise<Checkpoint> {
  const split = text.lastIndexOf("\n\n");
  if (split < 0) throw new Error("the checkpoint is not a signed note");
  const body = text.slice(0, split + 1);
  const signatures = text
    .slice(split + 2)
    .split("\n")
    .filter((line) => line !== "");
  const own = signatures
    .map((line) => parseSignature(line))
    .find((found) => found.name === key.name && equalBytes(found.id, key.id));
  if (own === undefined) throw new Error("the checkpoint is not signed by this log");
  const imported = await crypto.subtle.importKey("raw", key.key, { name: "Ed25519" }, false, ["verify"]);
  if (!(await crypto.subtle.verify("Ed25519", imported, own.signature, new TextEncoder().encode(body)))) {
    throw new Error("the checkpoint's signature is wrong");
  }
  const [origin, sizeText, rootText] = body.split("\n");
  if (origin !== key.name) throw new Error("the checkpoint is of another log");
  if (rootText === undefined || !/^(0|[1-9]\d{0,15})$/.test(sizeText ?? ""))
    throw new Error("the checkpoint is malformed");
  return { origin, size: Number(sizeText), root: fromBase64(rootText), text };
}

function parseSignature(line: string): {
  readonly name: string;
  readonly id: Uint8Array;
  readonly signature: Hash;
} {
  const match = /^— (\S+) (\S+)$/.exec(line);
  if (match === null) throw new Error("a signature line is malformed");
  const bytes = fromBase64(match[2] ?? "");
  return { name: match[1] ?? "", id: bytes.slice(0, 4), signature: bytes.slice(4) };
}

function splitKey(text: string): readonly [string, string, string] {
  const match = /^(.+?)\+([0-9a-f]{8})\+(\S+)$/.exec(text);
  if (match === null) throw new Error("the log's key is malformed");
  return [match[1] ?? "", match[2] ?? "", match[3] ?? ""];
}
