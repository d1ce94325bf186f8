/** RFC 6962 Merkle tree hash over the records of one segment, grown leaf by leaf in O(log n) memory. */
import { sha256Buffer } from "@rumi/kernel";

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

export class MerkleRoot {
  /** Roots of perfect subtrees, largest first, with their heights. */
  readonly #peaks: { hash: Buffer; height: number }[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(leaf: Uint8Array): void {
    let hash: Buffer = sha256Buffer(LEAF, leaf);
    let height = 0;
    for (let top = this.#peaks.at(-1); top !== undefined && top.height === height; top = this.#peaks.at(-1)) {
      this.#peaks.pop();
      hash = node(top.hash, hash);
      height += 1;
    }
    this.#peaks.push({ hash, height });
    this.#size += 1;
  }

  /** Hexadecimal; of no leaves it is SHA-256 of nothing. */
  rootHex(): string {
    let root: Buffer | undefined;
    for (let i = this.#peaks.length - 1; i >= 0; i -= 1) {
      const peak = this.#peaks[i];
      if (peak !== undefined) root = root === undefined ? peak.hash : node(peak.hash, root);
    }
    return (root ?? sha256Buffer("")).toString("hex");
  }
}

function node(left: Buffer, right: Buffer): Buffer {
  return sha256Buffer(NODE, left, right);
}
