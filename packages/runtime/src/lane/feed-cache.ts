/**
 * Feeds by what they are made of: instances of one lane that follow the same recordings read the same columns.
 *
 * Nobody writes to a feed once it is loaded. The last one that gives it back lets it go (feed-cache.test.ts).
 */
import { canonicalJson, type Failure, type Result } from "@rumi/kernel";
import type { MarketFeed } from "@rumi/venues";
import type { InstanceSpec } from "../protocol.ts";

type Source = Pick<InstanceSpec, "venue" | "instruments">;
type Loaded = Result<MarketFeed, Failure>;
type Held = { readonly loaded: Promise<Loaded>; users: number };

export class FeedCache {
  readonly #load: (source: Source) => Promise<Loaded>;
  readonly #held = new Map<string, Held>();

  constructor(load: (source: Source) => Promise<Loaded>) {
    this.#load = load;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Every successful `take` wants one `giveBack` with the same source. */
  async take(source: Source): Promise<Loaded> {
    const key = keyOf(source);
    const held: Held = this.#held.get(key) ?? { loaded: this.#load(source), users: 0 };
    this.#held.set(key, held);
    held.users += 1;
    try {
      const loaded = await held.loaded;
      if (!loaded.ok) this.#leave(key, held);
      return loaded;
    } catch (error) {
      this.#leave(key, held);
      throw error;
    }
  }

  giveBack(source: Source): void {
    const key = keyOf(source);
    const held = this.#held.get(key);
    if (held !== undefined) this.#leave(key, held);
  }

  #leave(key: string, held: Held): void {
    held.users -= 1;
    if (held.users <= 0 && this.#held.get(key) === held) this.#held.delete(key);
  }
}

/** Path, digest and layout of each file, and the order in which its instruments are numbered. */
const keyOf = ({ venue, instruments }: Source): string => canonicalJson({ files: venue.files, instruments });
