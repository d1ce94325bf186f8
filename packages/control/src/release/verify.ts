/**
 * Whether a release certificate is to be believed: offline, from the envelope, the home's public key and a signed status.
 * Nothing of the home is asked. Pure.
 *
 * How to think: each claim is a fact, and each fact is proven, wrong or missing. What was revoked after the certificate was
 * made cannot be seen in it; so without a status that is fresh enough the verdict is `incomplete`, never `valid`.
 *
 * Invariants (verify.test.ts)
 * - Another key, curve, byte, subject, bot, version or artifact is wrong.
 * - A status of another certificate, from the future, from before the issue or older than is allowed proves nothing.
 */
import { digestOf, microsFromIso, type Json, type Micros } from "@rumi/kernel";
import { openEnvelope } from "@rumi/ledger";
import { RELEASE_LIMITS } from "./limits.ts";
import {
  CERTIFICATE_PREDICATE,
  hexOf,
  STATUS_PREDICATE,
  textOf,
  type CertificateManifest,
  type CertificateStatus,
} from "./manifest.ts";

export type CertificateFact = {
  readonly fact: "signature" | "form" | "subject" | "expected" | "exception" | "time" | "status" | "revocation";
  readonly state: "proven" | "wrong" | "missing";
  readonly note: string;
};
export type CertificateVerification = {
  readonly verdict: "valid" | "invalid" | "incomplete";
  readonly facts: readonly CertificateFact[];
  /** What is certified; absent where it cannot be read. */
  readonly manifest?: CertificateManifest;
};
export type VerifyCertificateInput = {
  readonly envelope: unknown;
  /** Of the home, from somebody who is trusted. */
  readonly public_pem: string;
  /** The signed status; absent: whether it was revoked is not known. */
  readonly status?: unknown;
  readonly now: Micros;
  readonly max_age_seconds: number;
  /** What the certificate has to be of. */
  readonly expected: { readonly bot_id?: string; readonly version?: string; readonly artifact_id?: string };
};

export function verifyCertificate(input: VerifyCertificateInput): CertificateVerification {
  const opened = openStatement(input.envelope, input.public_pem, CERTIFICATE_PREDICATE);
  if (typeof opened === "string") return judged([wrong("signature", opened)]);
  const facts: CertificateFact[] = [proven("signature", "by the key that was given")];
  const manifest = manifestIn(opened.predicate);
  if (typeof manifest === "string") return judged([...facts, wrong("form", manifest)]);
  facts.push(proven("form", "canonical JSON, every item that has to be attested"));
  facts.push(
    namesSubjects(opened, manifest)
      ? proven("subject", `manifest ${digestOf(textOf(manifest))}`)
      : wrong("subject", "its subjects are not what it states"),
  );
  facts.push(...expectedFacts(input, manifest), exceptionFact(input, manifest), timeFact(input, manifest));
  return { ...judged([...facts, ...statusFacts(input, manifest)]), manifest };
}

const proven = (fact: CertificateFact["fact"], note: string): CertificateFact => ({ fact, state: "proven", note });
const wrong = (fact: CertificateFact["fact"], note: string): CertificateFact => ({ fact, state: "wrong", note });

function judged(facts: readonly CertificateFact[]): CertificateVerification {
  const has = (state: CertificateFact["state"]): boolean => facts.some((one) => one.state === state);
  return { verdict: has("wrong") ? "invalid" : has("missing") ? "incomplete" : "valid", facts };
}

type Statement = { readonly subject: readonly Json[]; readonly predicate: Json };

/** The statement, or what is wrong with it. */
function openStatement(envelope: unknown, public_pem: string, predicate_type: string): Statement | string {
  const opened = openEnvelope(envelope, public_pem);
  if (!opened.ok) return String(opened.error.params["problem"]);
  let value: Json;
  try {
    value = JSON.parse(opened.value) as Json;
  } catch {
    return "its statement is no JSON";
  }
  const { predicateType, predicate, subject } = recordOf(value);
  if (predicateType !== predicate_type) return "it states something other";
  if (textOf(value) !== opened.value) return "its bytes are not the canonical JSON of its value";
  return Array.isArray(subject) && predicate !== undefined ? { subject, predicate } : "it states nothing of anything";
}

const TEXTS = ["cert_id", "environment", "bot_id", "version", "issued_at", "spec_digest", "config_hash"] as const;
const REFS = [
  "preflight_ok_ref",
  "compatibility_ok_ref",
  "artifact_digest_verified_ref",
  "supply_chain_ok_ref",
  "runbook_attached_ref",
  "changelog_gate_ok_ref",
] as const;
const REF = /^\/api\/\S+@sha256:[0-9a-f]{64}$/;

function manifestIn(value: Json): CertificateManifest | string {
  const manifest = recordOf(value);
  if (manifest["schema_version"] !== 1) return "its schema version is not 1";
  const lacking = TEXTS.find((name) => typeof manifest[name] !== "string");
  if (lacking !== undefined) return `${lacking} is missing`;
  if (typeof recordOf(manifest["artifact"])["digest"] !== "string") return "the artifact is missing";
  if (!("exception_ends_at" in recordOf(manifest["supply_chain"]))) return "the word of the supply chain is missing";
  const items = recordOf(manifest["attested_items"]);
  const open = REFS.find((name) => {
    const ref = items[name];
    return typeof ref !== "string" || !REF.test(ref);
  });
  return open === undefined ? (value as unknown as CertificateManifest) : `${open} is missing`;
}

function namesSubjects({ subject }: Statement, manifest: CertificateManifest): boolean {
  const [own, artifact] = subject.map((one) => recordOf(recordOf(one)["digest"])["sha256"]);
  return own === hexOf(digestOf(textOf(manifest))) && artifact === hexOf(manifest.artifact.digest);
}

function expectedFacts(
  { expected }: VerifyCertificateInput,
  { bot_id, version, artifact }: CertificateManifest,
): readonly CertificateFact[] {
  const found = { bot_id, version, artifact_id: artifact.digest };
  return (["bot_id", "version", "artifact_id"] as const).flatMap((name) => {
    const wanted = expected[name];
    if (wanted === undefined) return [];
    return wanted === found[name]
      ? [proven("expected", `${name} ${wanted}`)]
      : [wrong("expected", `its ${name} is ${found[name]}, not ${wanted}`)];
  });
}

function exceptionFact({ now }: VerifyCertificateInput, { supply_chain }: CertificateManifest): CertificateFact {
  const { exception_ends_at } = supply_chain;
  if (exception_ends_at === null) return proven("exception", "its artifact needed none");
  const ends = microsFromIso(exception_ends_at);
  return ends !== undefined && ends > now
    ? proven("exception", `its artifact is used by an exception until ${exception_ends_at}`)
    : wrong("exception", `the exception by which its artifact was used ended at ${exception_ends_at}`);
}

const SLACK_US = RELEASE_LIMITS.clock_slack_seconds * 1_000_000;

function timeFact({ now }: VerifyCertificateInput, { issued_at }: CertificateManifest): CertificateFact {
  const at = microsFromIso(issued_at);
  return at !== undefined && at <= now + SLACK_US
    ? proven("time", `issued at ${issued_at}`)
    : wrong("time", `it was issued at ${issued_at}, later than it is here`);
}

function statusFacts(input: VerifyCertificateInput, manifest: CertificateManifest): readonly CertificateFact[] {
  const missing = (note: string): CertificateFact => ({ fact: "status", state: "missing", note });
  if (input.status === undefined)
    return [missing("give --status: whether it was revoked since does not stand in the certificate")];
  const opened = openStatement(input.status, input.public_pem, STATUS_PREDICATE);
  if (typeof opened === "string") return [wrong("status", opened)];
  const status = recordOf(opened.predicate) as Readonly<Record<string, Json>> & Partial<CertificateStatus>;
  const hash = digestOf(textOf(manifest));
  const named = recordOf(recordOf(opened.subject[0])["digest"])["sha256"];
  if (status.manifest_hash !== hash || named !== hexOf(hash) || status.cert_id !== manifest.cert_id)
    return [wrong("status", "it is the status of another certificate")];
  if (status.status === "revoked") return [wrong("revocation", `revoked at ${String(status.revoked_at)}`)];
  const produced = microsFromIso(String(status.produced_at));
  const issued = microsFromIso(manifest.issued_at);
  if (produced === undefined || issued === undefined || produced < issued)
    return [wrong("status", "it is from before the certificate was issued")];
  if (produced > input.now + SLACK_US) return [wrong("status", "it is from later than it is here")];
  const age = Math.max(0, Math.floor((input.now - produced) / 1_000_000));
  if (age > input.max_age_seconds)
    return [missing(`it is ${age} s old, and ${input.max_age_seconds} s are allowed: get a newer one`)];
  const why = (Array.isArray(status.why) ? status.why : []).join("; ");
  if (status.stands !== "in_force" && status.stands !== "waiting") return [wrong("status", `it is stale: ${why}`)];
  return [
    proven("status", `${status.stands} at ${String(status.produced_at)}${why === "" ? "" : `: ${why}`}`),
    proven("revocation", `not revoked ${age} s ago`),
  ];
}

function recordOf(value: unknown): Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : {};
}
