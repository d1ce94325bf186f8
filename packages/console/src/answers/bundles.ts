/** Answers about support bundles. */
import { integer, list, nullable, object, oneOf, optional, text, type Of } from "./shape.ts";

export const BUNDLE_STATES = ["REQUESTED", "READY", "FAILED", "REMOVED"] as const;
const bundle = object({
  bundle_id: text,
  state: oneOf(...BUNDLE_STATES),
  bot_id: nullable(text),
  reason: text,
  requested_by: text,
  created_at: text,
  ready_at: nullable(text),
  manifest: nullable(object({ files: list(object({ path: text, size_bytes: integer })) })),
  manifest_sha256: nullable(text),
  archive_bytes: nullable(integer),
  archive_sha256: nullable(text),
  path: nullable(text),
  failure: nullable(object({ error_code: text, reason_code: optional(text), error: text, suggestion: text })),
});
export type Bundle = Of<typeof bundle>;
export const bundlesAnswer = object({ bundles: list(bundle) });
export const bundleArchive = object({
  bundle_id: text,
  archive_format: oneOf("zip"),
  archive_sha256: text,
  archive_base64: text,
});
