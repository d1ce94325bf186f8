/** The store's only door to the ledger's formats: preparing leaves, planning rows, signing and opening heads. */
import { createPrivateKey } from "node:crypto";
import { invariant, type Failure, type Result } from "@rumi/kernel";
import {
  parsePayload,
  planAppend,
  prepareLeaf,
  SALT_BYTES,
  signCheckpoint,
  signerFromSeed,
  verifyCheckpoint,
  type AppendPlan,
  type Checkpoint,
  type LedgerEvent,
  type LogHead,
  type NoteSigner,
  type PreparedLeaf,
} from "@rumi/ledger";
import type { SqlValue } from "../values.ts";

/** Who signs checkpoints, as plain data: the log's origin, which is also the key's name, and its Ed25519 key (PKCS#8 PEM). */
export type LogSigner = { readonly origin: string; readonly private_key_pem: string };

const SEED_BYTES = 32;

/** Throws for a key that is no Ed25519 private key: whoever opens a store has checked its keys before. */
export function noteSigner(of: LogSigner): NoteSigner {
  const key = createPrivateKey(of.private_key_pem);
  invariant(key.asymmetricKeyType === "ed25519", "the log is signed with an Ed25519 key");
  const der = key.export({ format: "der", type: "pkcs8" });
  return signerFromSeed(of.origin, new Uint8Array(der.subarray(der.length - SEED_BYTES)));
}

/** Throws for an event outside the ledger's catalogue. */
export function leafOf(event: LedgerEvent, randomBytes: (count: number) => Uint8Array): Result<PreparedLeaf, Failure> {
  return prepareLeaf(event, randomBytes(SALT_BYTES));
}

export function planLeaves(head: LogHead, leaves: readonly Pick<PreparedLeaf, "leaf">[]): AppendPlan {
  return planAppend(head, leaves);
}

export function signHead(signer: NoteSigner, size: number, root: Uint8Array): string {
  return signCheckpoint({ origin: signer.name, size, root }, signer);
}

export function openHead(signer: NoteSigner, note: string): Result<Checkpoint, Failure> {
  return verifyCheckpoint(note, signer);
}

/** A log_entry row between idx and leaf, in the order of its columns. */
export function entryColumns(event: LedgerEvent): readonly SqlValue[] {
  const { trace_id, run_id, request_id } = event.details;
  return [
    event.event_id,
    event.action,
    event.actor,
    event.resource_type,
    event.resource_id,
    event.outcome,
    event.occurred_at,
    trace_id,
    run_id,
    request_id,
  ];
}

/** The event that a stored payload tells; throws on a payload that this store cannot have written. */
export function eventOf(payload: string): LedgerEvent {
  const event = parsePayload(payload);
  invariant(event.ok, "the store holds a payload that the ledger cannot read");
  return event.value;
}
