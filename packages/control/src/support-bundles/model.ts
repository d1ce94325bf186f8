/**
 * A support bundle: what a helper needs to understand a home, in one archive that may be given away. Pure.
 *
 * How to think: texts come in from whoever knows something; every one passes the redactor, then the limits; what is left
 * is listed in a manifest (contract support_bundle_manifest) whose hash the audit log keeps.
 *
 * Invariants (model.test.ts)
 * - Redacted first and cut afterwards, so that no cut leaves half a secret; of a long text its end is kept.
 * - No limit is passed: what is too much is left out and named in `left_out.txt`.
 * - The manifest's hash is that of `manifest.json` within the archive, byte for byte, and of its canonical JSON.
 */
import { canonicalJson, isoFromMicros, sha256Hex, type Json, type Micros } from "@rumi/kernel";
import type { Redactor } from "./redactor.ts";
import { zipOf, type BundleFile } from "./zip.ts";

export const BUNDLE_POLICY = {
  archive_format: "zip",
  max_total_bytes: 16_777_216,
  max_files: 64,
  max_single_file_bytes: 1_048_576,
  max_path_len: 100,
} as const;
export type BundlePolicy = Omit<typeof BUNDLE_POLICY, `max_${string}`> &
  Readonly<Record<Exclude<keyof typeof BUNDLE_POLICY, "archive_format">, number>>;

/** Which files a bundle has and what they hold; rises when a reader has to know. */
export const DIAG_SEMVER = "1.0.0";
const LEFT_OUT = "left_out.txt";

export type BundleManifest = {
  readonly schema_version: 1;
  readonly bundle_id: string;
  readonly diag_semver: string;
  readonly description?: string;
  readonly files: readonly { readonly path: string; readonly size_bytes: number; readonly sha256: string }[];
  readonly created_at: string;
  readonly policy_summary: BundlePolicy;
};

export type Bundle = {
  readonly archive: Buffer;
  readonly archive_sha256: string;
  readonly manifest: BundleManifest;
  readonly manifest_sha256: string;
};

/** Texts by path; the archive's one folder is `rumi-bundle-ID`. */
export function bundleOf(of: {
  readonly bundle_id: string;
  readonly description?: string;
  readonly created_at: Micros;
  readonly texts: Readonly<Record<string, string>>;
  /** What could not be had at all, in words. */
  readonly missing?: readonly string[];
  readonly redact: Redactor;
  readonly policy?: BundlePolicy;
}): Bundle {
  const policy = of.policy ?? BUNDLE_POLICY;
  const files = withinLimits(of.texts, of.missing ?? [], of.redact, policy);
  const manifest: BundleManifest = {
    schema_version: 1,
    bundle_id: of.bundle_id,
    diag_semver: DIAG_SEMVER,
    ...(of.description === undefined ? {} : { description: of.redact(of.description) }),
    files: files.map(({ path, bytes }) => ({ path, size_bytes: bytes.length, sha256: sha256Hex(bytes) })),
    created_at: isoFromMicros(of.created_at),
    policy_summary: policy,
  };
  const written = Buffer.from(canonicalJson(manifest as unknown as Json));
  const archive = zipOf(`rumi-bundle-${of.bundle_id}`, [...files, { path: "manifest.json", bytes: written }]);
  return { archive, archive_sha256: sha256Hex(archive), manifest, manifest_sha256: sha256Hex(written) };
}

function withinLimits(
  texts: Readonly<Record<string, string>>,
  missing: readonly string[],
  redact: Redactor,
  policy: BundlePolicy,
): readonly BundleFile[] {
  const left: string[] = [...missing];
  const files: BundleFile[] = [];
  // One file and its share of the bytes are for the list of what is missing.
  let room = policy.max_total_bytes - leftOutBytes(policy);
  for (const [path, text] of Object.entries(texts).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const whole = Buffer.from(redact(text));
    const bytes = whole.subarray(-policy.max_single_file_bytes);
    if (Buffer.byteLength(path) > policy.max_path_len) left.push(`${path.slice(0, 40)}…: its path is too long`);
    else if (files.length >= policy.max_files - 1) left.push(`${path}: there are too many files`);
    else if (bytes.length > room) left.push(`${path}: the bundle would be too large`);
    else {
      files.push({ path, bytes });
      room -= bytes.length;
      if (bytes.length < whole.length) left.push(`${path}: its first ${whole.length - bytes.length} bytes`);
    }
  }
  if (left.length === 0) return files;
  const list = { path: LEFT_OUT, bytes: wholeLines(left, leftOutBytes(policy)) };
  return [...files, list].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function wholeLines(lines: readonly string[], most: number): Buffer {
  const bytes = Buffer.from(`${lines.join("\n")}\n`);
  return bytes.length <= most ? bytes : bytes.subarray(0, bytes.lastIndexOf("\n", most - 1) + 1);
}

const leftOutBytes = (policy: BundlePolicy): number =>
  Math.min(policy.max_single_file_bytes, Math.floor(policy.max_total_bytes / 8), 65_536);
