/** The store's only door to the ledger's formats: preparing leaves, planning rows, signing and opening heads. */
import { failure, err, ok, canonicalJson, sha256, type Failure, type Json, type Result } from "@rumi/kernel";
import { planAppend, type AppendPlan, type LedgerEvent, type LogHead, type PreparedLeaf } from "@rumi/ledger";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { SqlValue } from "../values.ts";

/** Who signs checkpoints: the log's origin line, the key's name and its Ed25519 private key (PKCS#8 PEM). */
export type LogSigner = { readonly origin: string; readonly key_name: string; readonly private_key_pem: string };

const SALT_BYTES = 32;

export function leafOf(event: LedgerEvent, randomBytes: (count: number) => Uint8Array): Result<PreparedLeaf, Failure> {
  const salt = randomBytes(SALT_BYTES);
  const payload = canonicalJson(event as unknown as Json);
  return ok({ event_id: event.event_id, salt, payload, leaf: sha256(salt, payload) });
}

export function planLeaves(head: LogHead, leaves: readonly PreparedLeaf[]): AppendPlan {
  return planAppend(head, leaves);
}

export function signHead(signer: LogSigner, size: number, root: Uint8Array): string {
  const body = `${signer.origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
  return `${body}\n${sign(null, Buffer.from(body), createPrivateKey(signer.private_key_pem)).toString("base64")}\n`;
}

/** Size and root of a signed head; undefined when it is not this signer's. */
export function openNote(signer: LogSigner, note: string): { readonly size: number; readonly root: Uint8Array } | undefined {
  const [body = "", sig = ""] = note.split("\n\n");
  const [origin, size, root = ""] = body.split("\n");
  if (origin !== signer.origin || !verify(null, Buffer.from(`${body}\n`), createPublicKey(signer.private_key_pem), Buffer.from(sig.trim(), "base64"))) return undefined;
  return { size: Number(size), root: new Uint8Array(Buffer.from(root, "base64")) };
}

/** Values of a log_entry row, in the order of its columns. */
export function entryValues(idx: number, event: LedgerEvent, leaf: Uint8Array): readonly SqlValue[] {
  const { trace_id, run_id, request_id } = event.details;
  return [idx, event.event_id, event.action, event.actor, event.resource_type, event.resource_id, event.outcome, event.occurred_at, trace_id, run_id, request_id, leaf];
}
