/**
 * What the verification badge stands for: this browser checked the log's signature, rebuilt its root from the
 * tiles, and found the last head it remembers still inside it.
 *
 * The remembered head outlives the page (local storage), so a log that was cut back or rewritten since is found.
 */
import {
  equalBytes,
  fromBase64,
  leafHash,
  rootFromInclusion,
  rootOfPrefix,
  type SubtreeReader,
} from "./merkle.ts";
import { openCheckpoint, parseVerifierKey, type Checkpoint, type VerifierKey } from "./note.ts";
import { tileReader } from "./tiles.ts";

export type LogVerdict =
  | {
      readonly kind: "verified";
      readonly size: number;
      readonly remembered: number;
      readonly origin: string;
    }
  | { readonly kind: "broken"; readonly problem: string };

type Remembered = {
  readonly origin: string;
  readonly key: string;
  readonly size: number;
  readonly root: string;
};

export type EventProof = {
  readonly leaf: string;
  readonly log_index: number;
  readonly log_size: number;
  readonly path: readonly string[];
  readonly root: string;
};

const cache = new Map<string, Uint8Array>();

export async function verifyLog(): Promise<LogVerdict> {
  try {
    const keyText = await text("/tlog/log.vkey");
    const key = await parseVerifierKey(keyText);
    const head = await openCheckpoint(await text("/tlog/checkpoint"), key);
    const reader = tileReader(head.size, bytes, cache);
    const root = await rootOfPrefix(head.size, reader);
    if (!equalBytes(root, head.root))
      return { kind: "broken", problem: "the tiles do not add up to the signed root" };
    return remember(head, key, keyText, reader);
  } catch (problem) {
    return {
      kind: "broken",
      problem: problem instanceof Error ? problem.message : String(problem),
    };
  }
}

/** Whether a leaf is inside the log under a root this browser verified. */
export async function verifyInclusion(
  proof: EventProof,
  head: { readonly size: number },
): Promise<boolean> {
  if (proof.log_size > head.size) return false;
  const root = await rootFromInclusion({
    leaf: await leafHash(fromBase64(proof.leaf)),
    index: proof.log_index,
    size: proof.log_size,
    path: proof.path.map(fromBase64),
  });
  if (root === null || !equalBytes(root, fromBase64(proof.root))) return false;
  return equalBytes(await rootOfPrefix(proof.log_size, tileReader(head.size, bytes, cache)), root);
}

async function remember(
  head: Checkpoint,
  key: VerifierKey,
  keyText: string,
  reader: SubtreeReader,
): Promise<LogVerdict> {
  const slot = `rumi.head.${head.origin}`;
  const before = readRemembered(slot);
  if (before !== null) {
    if (before.key !== keyText.trim())
      return {
        kind: "broken",
        problem: `the log ${key.name} has another key than this browser remembers`,
      };
    if (before.size > head.size)
      return {
        kind: "broken",
        problem: `the log has ${head.size} entries; this browser has seen ${before.size}`,
      };
    const then = await rootOfPrefix(before.size, reader);
    if (!equalBytes(then, fromBase64(before.root)))
      return { kind: "broken", problem: `the first ${before.size} entries were rewritten` };
  }
  const now: Remembered = {
    origin: head.origin,
    key: keyText.trim(),
    size: head.size,
    root: btoa(String.fromCharCode(...head.root)),
  };
  localStorage.setItem(slot, JSON.stringify(now));
  return { kind: "verified", size: head.size, remembered: before?.size ?? 0, origin: head.origin };
}

function readRemembered(slot: string): Remembered | null {
  const kept = localStorage.getItem(slot);
  return kept === null ? null : (JSON.parse(kept) as Remembered);
}

async function get(path: string): Promise<Response> {
  const response = await fetch(path, { cache: "no-store" });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}

async function text(path: string): Promise<string> {
  return (await get(path)).text();
}

async function bytes(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await get(`/tlog/${path}`)).arrayBuffer());
}
