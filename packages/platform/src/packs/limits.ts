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

/** Limits of archives that come in a request's body; each is reached by a test (uploads.test.ts). */
export type UploadLimits = {
  /** One archive. It has to arrive within the time that any request has; a longer one comes by its path. */
  readonly upload_bytes: number;
  /** Archives that are received at the same time. */
  readonly uploads_at_once: number;
};

export const UPLOAD_LIMITS: UploadLimits = {
  upload_bytes: 100_000_000,
  uploads_at_once: 4,
};
