/**
 * RFC 6962 in the browser: the console checks the log itself instead of believing the program that serves it.
 * Written apart from the server's code on purpose; two implementations must agree.
 */
export type Hash = Uint8Array<ArrayBuffer>;

export async function leafHash(entry: Uint8Array): Promise<Hash> {
  return digest(concat(Uint8Array.of(0), entry));
}

export async function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Hash> {
  return digest(concat(Uint8Array.of(1), left, right));
}

/** The root that an inclusion proof leads to, or null when the proof has the wrong length. */
export async function rootFromInclusion(options: {
  readonly leaf: Hash;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Hash[];
}): Promise<Hash | null> {
  let [node, last] = [options.index, options.size - 1];
  if (!Number.isSafeInteger(node) || node < 0 || node > last) return null;
  let hash = options.leaf;
  let used = 0;
  while (last > 0) {
    const isRight = node % 2 === 1;
    if (isRight || node < last) {
      const sibling = options.path[used];
      if (sibling === undefined) return null;
      hash = isRight ? await nodeHash(sibling, hash) : await nodeHash(hash, sibling);
      used += 1;
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return used === options.path.length ? hash : null;
}

/** Reads hashes of complete subtrees: `level` counts doublings, `index` counts subtrees of that size. */
export type SubtreeReader = (level: number, index: number) => Promise<Hash>;

/** The root of the first `size` leaves, from complete subtrees only. */
export async function rootOfPrefix(size: number, read: SubtreeReader): Promise<Hash> {
  if (size === 0) return digest(new Uint8Array());
  const peaks: Hash[] = [];
  let start = 0;
  for (let level = Math.floor(Math.log2(size)); level >= 0; level -= 1) {
    const width = 2 ** level;
    if (size - start < width) continue;
    peaks.push(await read(level, start / width));
    start += width;
  }
  let root = peaks.pop();
  while (root !== undefined && peaks.length > 0) {
    const left = peaks.pop();
    if (left !== undefined) root = await nodeHash(left, root);
  }
  if (root === undefined) throw new Error("a tree without peaks");
  return root;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function fromBase64(text: string): Hash {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function concat(...parts: readonly Uint8Array[]): Hash {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function digest(bytes: Hash): Promise<Hash> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
