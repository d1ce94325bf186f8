/**
 * Asks others for ranges of the log before their turn comes, and hands out the answers in the log's order.
 *
 * Only whole ranges without anything special inside are asked for. Whoever ends early waits for what was asked:
 * nobody may still read a store that is about to be closed.
 */
import { invariant } from "@rumi/kernel";
import type { RangeVouchers } from "../source.ts";
import { TILE_WIDTH } from "../tiles.ts";
import { RANGE_ENTRIES, RANGE_ROOT_BYTES } from "./vouch.ts";

export type AheadOptions = {
  readonly vouchers: RangeVouchers | undefined;
  readonly size: number;
  /** Entries below were pruned. */
  readonly minimum_index: number;
  /** Sizes whose roots are wanted. */
  readonly anchors: readonly number[];
};

export class Ahead {
  readonly #options: AheadOptions;
  readonly #asked = new Map<number, Promise<Uint8Array | undefined>>();
  #next: number;

  constructor(options: AheadOptions) {
    this.#options = options;
    this.#next = Math.ceil(options.minimum_index / RANGE_ENTRIES) * RANGE_ENTRIES;
  }

  /** Roots of the tiles of the range that begins at `first`; undefined where it has to be read here. */
  async roots(first: number): Promise<Uint8Array | undefined> {
    this.#ask();
    const asked = this.#asked.get(first);
    if (asked === undefined) return undefined;
    const roots = await asked;
    this.#asked.delete(first);
    invariant(roots === undefined || roots.length === RANGE_ROOT_BYTES, `${roots?.length} bytes of roots`);
    return roots;
  }

  /** Asks for nothing more; what was asked is over when this answers. */
  async end(): Promise<void> {
    this.#next = Number.POSITIVE_INFINITY;
    await Promise.allSettled(this.#asked.values());
    this.#asked.clear();
  }

  #ask(): void {
    const { vouchers, size } = this.#options;
    if (vouchers === undefined || size < vouchers.least_size) return;
    for (; this.#asked.size < vouchers.at_once && this.#next + RANGE_ENTRIES <= size; this.#next += RANGE_ENTRIES) {
      if (this.#isCut(this.#next)) continue;
      const asked = vouchers.vouch(this.#next);
      asked.catch(() => {}); // told when its turn comes
      this.#asked.set(this.#next, asked);
    }
  }

  /** Whether a root is wanted at a place inside a tile of the range: its entries must then come one by one. */
  #isCut(first: number): boolean {
    return this.#options.anchors.some(
      (anchor) => anchor > first && anchor < first + RANGE_ENTRIES && anchor % TILE_WIDTH !== 0,
    );
  }
}
