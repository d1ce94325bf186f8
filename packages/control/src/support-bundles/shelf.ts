/** Where archives lie and what only the program knows; the composition root hands it in. */
export interface BundleShelf {
  /** Durable when it returns. */
  put(bundle_id: string, archive: Uint8Array): void;
  /** Undefined where there is none. */
  get(bundle_id: string): Uint8Array | undefined;
  remove(bundle_id: string): void;
  /** Where a person finds it on the machine; null where it is only in memory. */
  path(bundle_id: string): string | null;
}

export type BundleSources = {
  readonly shelf: BundleShelf;
  /** Texts by path: versions, settings, health, metrics, ends of logs. */
  readonly texts: () => Promise<Readonly<Record<string, string>>>;
  /** Keys of the home, its token, credentials of the environment: whatever must never be in a bundle. */
  readonly secrets: () => readonly string[];
};

/** For tests and for programs without a disk of their own. */
export function memoryShelf(): BundleShelf {
  const kept = new Map<string, Uint8Array>();
  return {
    put: (bundle_id, archive) => void kept.set(bundle_id, archive),
    get: (bundle_id) => kept.get(bundle_id),
    remove: (bundle_id) => void kept.delete(bundle_id),
    path: () => null,
  };
}

export const NO_SOURCES = (): BundleSources => ({
  shelf: memoryShelf(),
  texts: () => Promise.resolve({}),
  secrets: () => [],
});
