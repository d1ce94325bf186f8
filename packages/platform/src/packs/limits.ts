/** Limits of a pack, wherever it comes from; each is reached by a test (library.test.ts, staging.test.ts, digest.test.ts). */
export type PackLimits = {
  readonly files: number;
  readonly bytes: number;
  readonly manifest_bytes: number;
  readonly path_bytes: number;
  readonly path_depth: number;
};

export const PACK_LIMITS: PackLimits = {
  files: 2_000,
  bytes: 500_000_000,
  manifest_bytes: 1_048_576,
  path_bytes: 512,
  path_depth: 20,
};
