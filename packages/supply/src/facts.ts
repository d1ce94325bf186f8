/** What is judged, by what, and what comes of it: the words that judge.ts, items.ts and exceptions.ts share. Types only. */
import type { Micros } from "@rumi/kernel";
import type { Finding, Severity } from "./advisories/finding.ts";
import type { Component } from "./locks/component.ts";
import type { SignatureVerdict } from "./signatures.ts";

export type SupplyPolicy = {
  readonly require_signature: boolean;
  readonly require_lock_files: boolean;
  /** Every component from a registry has a hash in its lock file. */
  readonly require_hashes: boolean;
  /** A readable, fresh directory of advisories; without it vulnerabilities are what happens to be known. */
  readonly require_advisories: boolean;
  /** How many findings of each severity are tolerated; one more and all of them are obstacles. */
  readonly max_allowed: SeverityCounts;
  readonly advisories_max_age_seconds: number;
  readonly exceptions: {
    readonly allowed: boolean;
    /** From its grant to its end. */
    readonly max_seconds: number;
  };
};

export type SeverityCounts = Readonly<Record<Severity, number>>;

export type AdvisoryFacts =
  | {
      readonly kind: "known";
      readonly digest: string;
      readonly count: number;
      readonly newest_modified: string | null;
      readonly fetched_at: string | null;
      readonly findings: readonly Finding[];
    }
  | { readonly kind: "unknown"; readonly why: string };

export type ComponentFacts =
  | { readonly kind: "known"; readonly components: readonly Component[] }
  /** The artifact brings no lock file. */
  | { readonly kind: "none" }
  | { readonly kind: "unreadable"; readonly why: string };

export type SupplyFacts = {
  /** `sha256:…` */
  readonly artifact_digest: string;
  readonly signature: SignatureVerdict;
  readonly components: ComponentFacts;
  readonly advisories: AdvisoryFacts;
};

export type TriageCode =
  | "SIGNATURE_MISSING"
  | "SIGNATURE_NOT_TRUSTED"
  | "LOCK_FILE_MISSING"
  | "LOCK_FILE_UNREADABLE"
  | "COMPONENT_WITHOUT_HASH"
  | "ADVISORIES_UNKNOWN"
  | "ADVISORIES_EMPTY"
  | "ADVISORIES_STALE"
  | "ADVISORIES_FROM_THE_FUTURE"
  | "VULNERABLE_COMPONENT"
  | "EXCEPTION_WITHOUT_EXPIRY"
  | "EXCEPTION_EXPIRED"
  | "EXCEPTION_NOT_YET_GRANTED"
  | "EXCEPTION_TOO_LONG"
  | "EXCEPTION_REVOKED"
  | "EXCEPTION_FOR_ANOTHER_ARTIFACT"
  | "EXCEPTION_NOT_ALLOWED";

export type TriageItem = {
  readonly code: TriageCode;
  /** What is the matter, in words. */
  readonly what: string;
  /** Package URL of the component; null where it concerns none. */
  readonly component: string | null;
  readonly advisory_id: string | null;
  /** Other names of the advisory. */
  readonly aliases: readonly string[];
  readonly severity: Severity | null;
  readonly probable_fix: string;
  readonly next_step: string;
  /** The exception that covers it; null where none does. */
  readonly excepted_by: string | null;
};

/** One kind of obstacle; narrowed to an advisory (by id or alias) or a component (by package URL) where they are given. */
export type Cover = {
  readonly code: TriageCode;
  readonly advisory_id: string | null;
  readonly component: string | null;
};

export type SupplyException = {
  readonly exception_id: string;
  /** `sha256:…`: it counts for these bytes and no others. */
  readonly artifact_digest: string;
  /** `all` covers whatever this artifact is denied for. */
  readonly covers: "all" | readonly Cover[];
  readonly granted_at: Micros;
  /** The first moment at which it counts no more. One without an end never counts. */
  readonly expires_at: Micros | null;
  readonly revoked_at: Micros | null;
};

export type RefusedException = { readonly exception_id: string; readonly code: TriageCode };
