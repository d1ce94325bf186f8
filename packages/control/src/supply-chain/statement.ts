/** What somebody signs who answers for an artifact: an in-toto statement about its digest, for whoever knows the format. */
import { canonicalJson, type Digest } from "@rumi/kernel";

export const ARTIFACT_PREDICATE = "urn:rumi:artifact-signature:v1";

/** Canonical JSON; `name` is for people, the digest is what counts. */
export function artifactStatement(artifact_id: Digest, name: string): string {
  return canonicalJson({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name, digest: { sha256: artifact_id.slice("sha256:".length) } }],
    predicateType: ARTIFACT_PREDICATE,
    predicate: {},
  });
}
