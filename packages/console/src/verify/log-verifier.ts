/**
 * What the verification badge stands for: this browser checked the log's signature, rebuilt its root from the
 * tiles, and found the last head it remembers still inside it.
 *
 * The remembered head outlives the page (local storage), so a log that was cut back or rewritten since is found.
 * The first key a browser sees of a log is the one it keeps. A log of another name is another log: it is told until
 * somebody says that it is meant, so that nobody's log is replaced by a new one without a word.
 *
 * Invariants (log-verifier.test.ts): a changed tile, head or key, a shorter log and a rewritten one are `broken`; a
 * server that does not answer is `unreachable`, which is no statement about the log.
 */
import { messageOf } from "./event-proof.ts";
import { equalBytes, fromBase64, rootOfPrefix, toBase64, type SubtreeReader } from "./merkle.ts";
import { openCheckpoint, parseVerifierKey, supportsEd25519, type Checkpoint, type VerifierKey } from "./note.ts";
import { tileReader } from "./tiles.ts";

export type LogVerdict =
  | {
      readonly kind: "verified";
      readonly size: number;
      /** Entries that an earlier visit had already seen. */
      readonly remembered: number;
      readonly origin: string;
      /** Another log was served here before, and nobody said yet that this one is meant. */
      readonly instead_of: string | null;
    }
  | { readonly kind: "broken"; readonly problem: string }
  | { readonly kind: "empty" | "unsupported" | "unreachable"; readonly problem: string };

/** Where heads are remembered; the browser's local storage, or a map in a test. */
export type Memory = {
  readonly getItem: (name: string) => string | null;
  readonly setItem: (name: string, value: string) => void;
};

/** Answers under `/tlog/`; null where there is nothing (404). Throws when the server does not answer. */
export type ReadLog = (path: string) => Promise<Uint8Array<ArrayBuffer> | null>;

export interface LogVerifier {
  verify(): Promise<LogVerdict>;
  /** Somebody said that this is the log that is meant here. */
  accept(origin: string): void;
  /** The key that this browser keeps for the log. */
  key(): Promise<VerifierKey>;
  /** Whether a head that was signed earlier, or just now, belongs to this very tree. */
  contains(head: Checkpoint): Promise<boolean>;
}

type Remembered = { readonly key: string; readonly size: number; readonly root: string };

class BrokenLog extends Error {}

export function createLogVerifier(read: ReadLog, memory: Memory): LogVerifier {
  const cache = new Map<string, Uint8Array>();
  let last: { readonly note: string; readonly verdict: LogVerdict } | undefined;

  const bytes = async (path: string): Promise<Uint8Array<ArrayBuffer>> => {
    const found = await read(path);
    if (found === null) throw new BrokenLog(`${path} is missing`);
    return found;
  };
  const text = async (path: string): Promise<string> => new TextDecoder().decode(await bytes(path));
  const key = async (): Promise<VerifierKey> => {
    const given = (await text("log.vkey")).trim();
    const parsed = await parseVerifierKey(given);
    const before = readRemembered(memory, parsed.name);
    if (before !== null && before.key !== given)
      throw new BrokenLog(`the log has another key than this browser remembers`);
    return parsed;
  };
  const check = async (): Promise<LogVerdict> => {
    const of = await key();
    const found = await read("checkpoint");
    const before = readRemembered(memory, of.name);
    if (found === null) {
      if (before !== null) throw new BrokenLog(`the log is gone; ${before.size} entries were seen`);
      return { kind: "empty", problem: "" };
    }
    const note = new TextDecoder().decode(found);
    const head = await openCheckpoint(note, of);
    if (last?.note === note && last.verdict.kind === "verified") return last.verdict;
    const reader = tileReader(head.size, bytes, cache);
    if (!equalBytes(await rootOfPrefix(head.size, reader), head.root))
      throw new BrokenLog("the tiles do not add up to the signed root");
    if (before !== null) await compareWithMemory(before, head, reader);
    const kept: Remembered = { key: of.text, size: head.size, root: toBase64(head.root) };
    memory.setItem(slot(of.name), JSON.stringify(kept));
    const meant = memory.getItem(MEANT) ?? head.origin;
    memory.setItem(MEANT, meant);
    const verdict = {
      kind: "verified",
      size: head.size,
      remembered: before?.size ?? 0,
      origin: head.origin,
      instead_of: meant === head.origin ? null : meant,
    } as const;
    last = { note, verdict };
    return verdict;
  };
  return {
    key,
    accept: (origin) => {
      memory.setItem(MEANT, origin);
      last = undefined;
    },
    verify: async () => {
      if (!(await supportsEd25519())) return { kind: "unsupported", problem: "this browser has no Ed25519" };
      try {
        return await check();
      } catch (problem) {
        cache.clear(); // a tile that did not fit is fetched again
        last = undefined;
        const kind = problem instanceof UnreachableLog ? "unreachable" : "broken";
        return { kind, problem: messageOf(problem) };
      }
    },
    contains: async (head) => {
      const newest = await openCheckpoint(await text("checkpoint"), await key());
      if (head.size > newest.size) return false;
      const reader = tileReader(newest.size, bytes, cache);
      const [then, now] = [await rootOfPrefix(head.size, reader), await rootOfPrefix(newest.size, reader)];
      return equalBytes(then, head.root) && equalBytes(now, newest.root);
    },
  };
}

/** The log's server does not answer; nothing can be said about the log. */
export class UnreachableLog extends Error {}

/** Reads `/tlog/` of the server that this page came from. */
export const readServedLog: ReadLog = async (path) => {
  let response: Response;
  try {
    response = await fetch(`/tlog/${path}`, {
      cache: "no-store",
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    throw new UnreachableLog("the log cannot be reached", { cause });
  }
  if (response.status === 404) return null;
  if (!response.ok) throw new UnreachableLog(`${path} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

async function compareWithMemory(before: Remembered, head: Checkpoint, reader: SubtreeReader): Promise<void> {
  if (before.size > head.size)
    throw new BrokenLog(`the log has ${head.size} entries; this browser has seen ${before.size}`);
  if (!equalBytes(await rootOfPrefix(before.size, reader), fromBase64(before.root)))
    throw new BrokenLog(`the first ${before.size} entries were rewritten`);
}

/** The name of the log that is meant at this address. */
const MEANT = "rumi.log";
const slot = (origin: string): string => `rumi.head.${origin}`;

function readRemembered(memory: Memory, origin: string): Remembered | null {
  const kept = memory.getItem(slot(origin));
  return kept === null ? null : (JSON.parse(kept) as Remembered);
}
