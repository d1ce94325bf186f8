/** What lock files are read into: the third-party components of an artifact. */
export type LockKind = "package-lock" | "requirements" | "cargo-lock";
export type LockFile = {
  readonly kind: LockKind;
  /** As the reader of a message knows it, e.g. its path inside the pack. */
  readonly name: string;
  readonly text: string;
};

export type Ecosystem = "npm" | "PyPI" | "crates.io";

/**
 * Where its bytes come from: `registry` (fetched, so it needs a hash), `bundled` (inside another component's archive and
 * under its hash), `local` (a workspace member, part of the artifact itself and under the artifact's digest).
 */
export type ComponentOrigin = "registry" | "bundled" | "local";

export type Component = {
  readonly ecosystem: Ecosystem;
  /** As the ecosystem compares names: PyPI's in lower case with single hyphens, npm's with its scope. */
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly origin: ComponentOrigin;
  /** `alg` as CycloneDX writes it (`SHA-512`), `content` in lower-case hexadecimal. Several of one algorithm are alternatives. */
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
};

/** Not the package URL: that writes npm's names in lower case, and old names differ by their case alone. */
export const keyOf = ({ ecosystem, name, version }: Component): string => `${ecosystem}:${name}@${version}`;
