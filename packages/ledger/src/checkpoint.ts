/**
 * C2SP tlog-checkpoints: the signed head of a log: origin, number of entries, root.
 *
 * How to think: whoever holds a checkpoint holds the whole log by its throat: every entry below its size
 * is provable against it, and no later checkpoint may contradict it. The origin names home and
 * environment, and the key's name is the origin, so a checkpoint of one home never passes for another's.
 */
import { type Environment, type Failure, type Result, err, failure, ok } from "@rumi/kernel";
import {
  type NoteSigner,
  type NoteVerifier,
  base64,
  fromBase64,
  isKeyName,
  openNote,
  parseNote,
  parseVerifier,
  signNote,
} from "./note.ts";

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Uint8Array };

/** `rumi.local/<environment>/<home>`; a restored home starts a new origin, so `home_id` changes then. */
export function logOrigin(environment: Environment, home_id: string): string {
  const origin = `rumi.local/${environment}/${home_id}`;
  if (!isKeyName(origin)) throw new RangeError(`not an origin: ${JSON.stringify(origin)}`);
  return origin;
}

export function checkpointText(of: Checkpoint): string {
  if (!isKeyName(of.origin)) throw new RangeError(`not an origin: ${JSON.stringify(of.origin)}`);
  if (!Number.isSafeInteger(of.size) || of.size < 0 || of.root.length !== 32) throw new RangeError("not a log head");
  return `${of.origin}\n${of.size}\n${base64(of.root)}\n`;
}

/** The signed note; the key's name must be the origin, as readers of the standard layout expect. */
export function signCheckpoint(of: Checkpoint, signer: NoteSigner): string {
  if (signer.name !== of.origin) throw new RangeError(`the key of ${signer.name} does not sign for ${of.origin}`);
  return signNote(checkpointText(of), signer);
}

/** Checks form and signature. The verifier is a parsed key or the one line of log.vkey. */
export function verifyCheckpoint(note: string, verifier: NoteVerifier | string): Result<Checkpoint, Failure> {
  const key = typeof verifier === "string" ? parseVerifier(verifier) : ok(verifier);
  if (!key.ok) return key;
  const stated = parseCheckpoint(note);
  if (!stated.ok) return stated;
  if (stated.value.origin !== key.value.name) {
    return err(failure("RUMI-LOG-024", { found: stated.value.origin, expected: key.value.name }));
  }
  const text = openNote(note, key.value);
  return text.ok ? stated : text;
}

/** What a checkpoint states, unproven: checks the form only. */
export function parseCheckpoint(note: string): Result<Checkpoint, Failure> {
  const parsed = parseNote(note);
  if (!parsed.ok) return parsed;
  const [origin = "", sizeText = "", rootText = "", ...rest] = parsed.value.text.split("\n");
  const size = Number(sizeText);
  const root = fromBase64(rootText);
  if (!isKeyName(origin)) return bad("its origin is malformed");
  if (!/^(0|[1-9]\d*)$/.test(sizeText) || !Number.isSafeInteger(size)) return bad("its size is no whole number");
  if (root === undefined || root.length !== 32) return bad("its root is no SHA-256 in base64");
  if (rest.slice(0, -1).some((line) => line === "")) return bad("it holds an empty line");
  return ok({ origin, size, root: new Uint8Array(root) });
}

const bad = (problem: string): Result<never, Failure> => err(failure("RUMI-LOG-007", { problem }));
