/**
 * Whether an artifact's digest is signed by somebody who is trusted: DSSE envelopes that hold in-toto statements, checked
 * against trust roots with a time of their own. Pure.
 *
 * How to think: one good envelope is enough, and everything that is wrong with the others is said. A signature bears no
 * time that anybody vouches for, so a root counts by the clock of whoever checks: what an expired or revoked key signed is
 * not trusted, even if it was signed before. Rotation is an overlap of two roots and a second envelope.
 *
 * Invariants (signatures.test.ts)
 * - An envelope counts only if its statement names this digest, by a key that is P-256, in time and not revoked.
 * - Nothing that is given as an envelope or as a root makes it throw.
 */
import { createHash, createPublicKey } from "node:crypto";
import type { Micros } from "@rumi/kernel";
import { openEnvelope } from "@rumi/ledger";
import { isRecord, readJson, type JsonValue } from "./json.ts";

export const STATEMENT_V1 = "https://in-toto.io/Statement/v1";

export const SIGNATURE_LIMITS = {
  envelopes: 64,
  roots: 64,
  /** Base64 of one statement. */
  payload_characters: 4_194_304,
} as const;

export type TrustRoot = {
  /** SHA-256 of the public key's DER (SubjectPublicKeyInfo), lower-case hexadecimal. */
  readonly keyid: string;
  readonly public_pem: string;
  readonly not_before: Micros;
  /** The first moment at which it counts no more; null for no end. */
  readonly not_after: Micros | null;
  readonly revoked_at: Micros | null;
};

export type SignatureProblem =
  | "NO_ENVELOPE"
  | "NO_TRUST_ROOT"
  | "TOO_MANY"
  | "ENVELOPE_INVALID"
  | "KEY_NOT_TRUSTED"
  | "KEY_UNUSABLE"
  | "KEY_NOT_YET_VALID"
  | "KEY_EXPIRED"
  | "KEY_REVOKED"
  | "SIGNATURE_WRONG"
  | "STATEMENT_INVALID"
  | "SUBJECT_DIFFERS";

export type SignatureReason = {
  readonly code: SignatureProblem;
  readonly what: string;
  /** Which envelope, from 0; null where it concerns none. */
  readonly envelope: number | null;
  readonly keyid: string | null;
};

export type SignatureVerdict = {
  readonly verified: boolean;
  /** Who signed it, and what the statement states; null unless verified. */
  readonly keyid: string | null;
  readonly predicate_type: string | null;
  /** The good envelope's place in the list; null unless verified. */
  readonly envelope: number | null;
  /** Until when the key counts, as far as is known now; null for no end or not verified. */
  readonly valid_until: Micros | null;
  /** All that was wrong, also beside a good envelope. */
  readonly reasons: readonly SignatureReason[];
};

type Good = Pick<SignatureVerdict, "keyid" | "predicate_type" | "envelope" | "valid_until">;

/** `digest`: `sha256:…`, what has to be among the statement's subjects. */
export function checkSignature(
  envelopes: readonly unknown[],
  digest: string,
  roots: readonly TrustRoot[],
  now: Micros,
): SignatureVerdict {
  const reasons: SignatureReason[] = [];
  const say = (code: SignatureProblem, what: string, envelope: number | null = null, keyid: string | null = null) => {
    reasons.push({ code, what, envelope, keyid });
  };
  if (roots.length === 0) say("NO_TRUST_ROOT", "no trust root is set, so no signature can be trusted");
  if (envelopes.length === 0) say("NO_ENVELOPE", "the artifact comes without a signature");
  if (envelopes.length > SIGNATURE_LIMITS.envelopes || roots.length > SIGNATURE_LIMITS.roots)
    say(
      "TOO_MANY",
      `at most ${SIGNATURE_LIMITS.envelopes} envelopes and ${SIGNATURE_LIMITS.roots} roots are looked at`,
    );
  let good: Good | undefined;
  if (reasons.length === 0)
    for (const [at, envelope] of envelopes.entries()) {
      const found = checkOne(envelope, digest, roots, now, (code, what, keyid) => {
        say(code, what, at, keyid);
      });
      if (found !== undefined) good ??= { ...found, envelope: at };
    }
  if (good === undefined)
    return { verified: false, keyid: null, predicate_type: null, envelope: null, valid_until: null, reasons };
  return { verified: true, ...good, reasons };
}

type Say = (code: SignatureProblem, what: string, keyid: string | null) => void;

function checkOne(
  envelope: unknown,
  digest: string,
  roots: readonly TrustRoot[],
  now: Micros,
  say: Say,
): Omit<Good, "envelope"> | undefined {
  const named = keyIdsOf(envelope);
  if (typeof named === "string") {
    say("ENVELOPE_INVALID", named, null);
    return undefined;
  }
  const own = roots.filter((root) => named.has(root.keyid));
  if (own.length === 0)
    say("KEY_NOT_TRUSTED", `signed by ${[...named].join(", ") || "nobody"}, who is no trust root`, null);
  for (const root of own) {
    const problem = rootProblem(root, now);
    if (problem !== undefined) {
      say(problem[0], problem[1], root.keyid);
      continue;
    }
    const opened = openEnvelope(envelope, root.public_pem);
    if (!opened.ok) {
      say("SIGNATURE_WRONG", String(opened.error.params["problem"]), root.keyid);
      continue;
    }
    const statement = readStatement(opened.value, digest);
    if ("problem" in statement) say(statement.problem, statement.what, root.keyid);
    else return { keyid: root.keyid, predicate_type: statement.predicate_type, valid_until: endOf(root) };
  }
  return undefined;
}

function keyIdsOf(envelope: unknown): ReadonlySet<string> | string {
  if (typeof envelope !== "object" || envelope === null) return "it is no DSSE envelope";
  const { payload, signatures } = envelope as { readonly payload?: unknown; readonly signatures?: unknown };
  if (typeof payload !== "string" || !Array.isArray(signatures)) return "it is no DSSE envelope";
  if (payload.length > SIGNATURE_LIMITS.payload_characters) return "its statement is too long";
  const ids = signatures.map((one: unknown) => (one as { readonly keyid?: unknown } | null)?.keyid);
  return new Set(ids.filter((id) => typeof id === "string").map((id) => id.slice(0, 128)));
}

function rootProblem(root: TrustRoot, now: Micros): readonly [SignatureProblem, string] | undefined {
  if (root.revoked_at !== null && root.revoked_at <= now) return ["KEY_REVOKED", "the key was revoked"];
  if (now < root.not_before) return ["KEY_NOT_YET_VALID", "the key does not count yet"];
  if (root.not_after !== null && now >= root.not_after) return ["KEY_EXPIRED", "the key's time is over"];
  try {
    const key = createPublicKey(root.public_pem);
    const id = createHash("sha256")
      .update(key.export({ type: "spki", format: "der" }))
      .digest("hex");
    if (id !== root.keyid) return ["KEY_UNUSABLE", "the root's key id is not that of its public key"];
    if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return ["KEY_UNUSABLE", "the root is no P-256 key"];
  } catch {
    return ["KEY_UNUSABLE", "the root's public key cannot be read"];
  }
  return undefined;
}

/** A revocation that lies ahead ends it as its own end does. */
function endOf({ not_after, revoked_at }: TrustRoot): Micros | null {
  if (not_after === null || revoked_at === null) return not_after ?? revoked_at;
  return not_after < revoked_at ? not_after : revoked_at;
}

type Statement =
  | { readonly predicate_type: string }
  | { readonly problem: "STATEMENT_INVALID" | "SUBJECT_DIFFERS"; readonly what: string };

function readStatement(text: string, digest: string): Statement {
  const invalid = (what: string): Statement => ({ problem: "STATEMENT_INVALID", what });
  const read = readJson(text);
  if (!read.ok) return invalid(`the statement is no JSON that means one thing: ${read.error.problem}`);
  if (!isRecord(read.value.value)) return invalid("the statement is no object");
  const { _type, subject, predicateType } = read.value.value;
  if (_type !== STATEMENT_V1) return invalid(`the statement's _type is not ${STATEMENT_V1}`);
  if (typeof predicateType !== "string" || predicateType === "") return invalid("the statement has no predicateType");
  if (!Array.isArray(subject) || subject.length === 0) return invalid("the statement has no subject");
  const hex = digest.startsWith("sha256:") ? digest.slice("sha256:".length) : "";
  const isNamed = (subject as readonly JsonValue[]).some((one) => {
    const digests = isRecord(one) ? one["digest"] : undefined;
    return hex.length === 64 && isRecord(digests) && digests["sha256"] === hex;
  });
  return isNamed
    ? { predicate_type: predicateType }
    : { problem: "SUBJECT_DIFFERS", what: "the statement is about something else: no subject has this digest" };
}
