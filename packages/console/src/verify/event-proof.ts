/**
 * Everything that an audit event's proof must show, checked in this browser with the log's public key alone.
 *
 * The steps are in the order of trust: the head is signed, the leaf is under the head, the payload is the one that the
 * leaf committed to, and both say what the page shows. Written apart from the server's code on purpose.
 *
 * Invariant (event-proof.test.ts): the golden proof passes; any changed part fails at the step that names it.
 */
import type { AuditEvent } from "../answers/answers.ts";
import { concat, equalBytes, fromBase64, hex, leafHash, rootFromInclusion } from "./merkle.ts";
import { openCheckpoint, type Checkpoint, type VerifierKey } from "./note.ts";

export const PROOF_STEPS = ["signature", "inclusion", "commitment", "story"] as const;
export type ProofStep = (typeof PROOF_STEPS)[number];

/** The answer of `GET /api/audit/proof/{event_id}`; bytes are standard base64. */
export type EventProof = {
  readonly schema_version: number;
  readonly index: number;
  readonly leaf: string;
  readonly salt: string | null;
  readonly payload: string | null;
  readonly hashes: readonly string[];
  readonly checkpoint: string;
};

/** What the page shows of the event; the proof must be about exactly this. */
export type ShownEvent = Pick<
  AuditEvent,
  | "event_id"
  | "log_index"
  | "action"
  | "actor"
  | "resource_type"
  | "resource_id"
  | "outcome"
  | "occurred_at"
  | "details"
>;

export type ProofVerdict =
  | { readonly kind: "proven"; readonly head: Checkpoint; readonly payload: "opened" | "erased" }
  | { readonly kind: "failed"; readonly step: ProofStep; readonly problem: string };

export async function verifyEventProof(proof: EventProof, key: VerifierKey, shown: ShownEvent): Promise<ProofVerdict> {
  let step: ProofStep = "signature";
  try {
    if (proof.schema_version !== 1) throw new Error(`schema_version ${proof.schema_version}`);
    const head = await openCheckpoint(proof.checkpoint, key);
    step = "inclusion";
    if (proof.index !== shown.log_index) throw new Error(`the proof is about entry ${proof.index}`);
    const leaf = fromBase64(proof.leaf);
    const root = await rootFromInclusion({
      leaf: await leafHash(leaf),
      index: proof.index,
      size: head.size,
      path: proof.hashes.map(fromBase64),
    });
    if (root === null || !equalBytes(root, head.root))
      throw new Error("leaf and hashes do not lead to the signed root");
    step = "commitment";
    const record = parseObject(new TextDecoder("utf-8", { fatal: true }).decode(leaf));
    const isErased = proof.payload === null || proof.salt === null;
    if (!isErased) {
      const mac = await hmac(fromBase64(proof.salt), new TextEncoder().encode(proof.payload));
      if (hex(mac) !== record["commitment"]) throw new Error("the payload is not the one that the leaf committed to");
    }
    step = "story";
    compare(record, leafOf(shown), "leaf");
    if (isErased) compareErased(shown.details);
    else {
      const payload = parseObject(proof.payload);
      compare(payload, payloadOf(shown), "payload");
      compareDetails(payload["details"] ?? payload, shown.details);
    }
    return { kind: "proven", head, payload: isErased ? "erased" : "opened" };
  } catch (problem) {
    return { kind: "failed", step, problem: messageOf(problem) };
  }
}

export function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

type Words = Readonly<Record<string, unknown>>;

function leafOf(of: ShownEvent): Words {
  const subject = `${of.resource_type}:${of.resource_id}`;
  const { event_id, actor, action: type, occurred_at: time } = of;
  return { version: 1, event_id, actor, subject, type, time };
}

function payloadOf(of: ShownEvent): Words {
  const { event_id, action, actor, resource_type, resource_id, outcome, occurred_at } = of;
  return { event_id, action, actor, resource_type, resource_id, outcome, occurred_at };
}

function compare(found: Words, expected: Words, what: string): void {
  for (const [name, value] of Object.entries(expected)) {
    if (found[name] !== value)
      throw new Error(
        `the ${what} says ${name} ${JSON.stringify(found[name])}, the page shows ${JSON.stringify(value)}`,
      );
  }
}

/** The reason that stands beside an event is one of them. */
function compareDetails(logged: unknown, shown: unknown): void {
  if (canonical(logged) !== canonical(shown)) throw new Error("the page shows other details than the payload has");
}

/** What is left of the details of an erased event is not in any payload. */
const LEFT: readonly string[] = ["erased", "trace_id", "run_id", "request_id"];
function compareErased(shown: Words): void {
  const more = Object.keys(shown).filter((name) => !LEFT.includes(name));
  if (more.length > 0) throw new Error(`the page shows details of an erased payload: ${more.join(", ")}`);
}

/** The same text for the same JSON, in whatever order its members came. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, of]) => `${JSON.stringify(name)}:${canonical(of)}`).join(",")}}`;
}

function parseObject(text: string): Words {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is not a JSON object");
  return value as Words;
}

async function hmac(salt: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", concat(salt), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}
