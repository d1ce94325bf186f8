/**
 * Looking at an artifact: its lock files out of its own verified bytes, what they are made of, what is known against it.
 * Whatever cannot be read is said to be unreadable; nothing that is not known passes for nothing.
 */
import { canonicalJson, failureText, ok, type Failure, type Result } from "@rumi/kernel";
import type { ArtifactFiles } from "@rumi/platform";
import {
  advisoryFacts,
  componentsOf,
  countsOf,
  sbomOf,
  type Advisories,
  type AdvisoryFacts,
  type ComponentFacts,
  type LockFile,
  type LockKind,
} from "@rumi/supply";
import { keep, type SupplyShelf } from "./shelf.ts";
import type { FoundFacts } from "./standing.ts";

export type SupplyDeps = {
  readonly filesOf: (digest: string, isWanted: (path: string) => boolean) => Promise<Result<ArtifactFiles, Failure>>;
  /** What is known against packages; null where no directory is set. */
  readonly advisories: () => Promise<Result<Advisories, Failure> | null>;
  readonly shelf: SupplyShelf;
};

export type Looked = {
  readonly pack_id: string;
  readonly version: string;
  readonly found: FoundFacts;
  /** Null where what it is made of cannot be read. */
  readonly sbom_ref: string | null;
  readonly vulnerability_summary_ref: string;
};

const KINDS: Readonly<Record<string, LockKind>> = {
  "package-lock.json": "package-lock",
  "npm-shrinkwrap.json": "package-lock",
  "requirements.lock": "requirements",
  "requirements.txt": "requirements",
  "Cargo.lock": "cargo-lock",
};
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

export async function lookAt(artifact_id: string, deps: SupplyDeps): Promise<Result<Looked, Failure>> {
  const artifact = await deps.filesOf(artifact_id, (path) => nameOf(path) in KINDS);
  if (!artifact.ok) return artifact;
  const { pack_id, version } = artifact.value;
  const components = componentFacts(artifact.value.files);
  const known = components.kind === "known" ? components.components : [];
  const advisories = advisoryFacts(await deps.advisories(), known);
  return ok({
    pack_id,
    version,
    found: { artifact_digest: artifact_id, components, advisories },
    sbom_ref:
      components.kind === "unreadable"
        ? null
        : keep(deps.shelf, sbomOf({ name: pack_id, version, digest: artifact_id }, known)),
    vulnerability_summary_ref: keep(deps.shelf, summaryOf(artifact_id, advisories)),
  });
}

function componentFacts(files: ArtifactFiles["files"]): ComponentFacts {
  const paths = files.map(({ path }) => path);
  // Beside its lock a requirements.txt is what the lock was made of.
  const isLocked = (path: string): boolean =>
    nameOf(path) === "requirements.txt" && paths.includes(path.replace(/txt$/, "lock"));
  const locks: LockFile[] = [];
  for (const { path, data } of files.filter((file) => !isLocked(file.path))) {
    const kind = KINDS[nameOf(path)];
    if (kind === undefined) continue;
    try {
      locks.push({ kind, name: path, text: new TextDecoder("utf-8", { fatal: true }).decode(data) });
    } catch {
      return { kind: "unreadable", why: `${path} is no UTF-8 text.` };
    }
  }
  if (locks.length === 0) return { kind: "none" };
  const components = componentsOf(locks);
  return components.ok
    ? { kind: "known", components: components.value }
    : { kind: "unreadable", why: failureText(components.error, "en").text };
}

/** Canonical JSON without a time: the same facts are the same file. */
function summaryOf(artifact_id: string, advisories: AdvisoryFacts): string {
  const { findings, ...of } = advisories.kind === "known" ? advisories : { ...advisories, findings: [] };
  const summary = { artifact_id, advisories: of, vulnerabilities: countsOf(findings), findings };
  return `${canonicalJson(summary)}\n`;
}
