/**
 * The supply-chain gate's own work: a bill of materials of a lock file with 1,000 components, and the same components
 * matched against 50,000 advisories that are opened for it, as the gate does when its directory has changed.
 *
 * The advisories are made here, in the form and size of real ones: prose, several ranges, listed versions, vectors.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { componentsOf, openAdvisories, sbomOf, type Component, type LockFile } from "@rumi/supply";
import { measured, repeat, type Measured } from "../measure.ts";

const RUNS = 5;
/** Names that advisories are about; the lock's are among them. */
const PACKAGES = 20_000;
const SUBJECT = { name: "measured", version: "1.0.0", digest: `sha256:${"ab".repeat(32)}` };

export async function supplySuite(argument: string): Promise<readonly Measured[]> {
  const { components, advisories } = JSON.parse(argument) as {
    readonly components: number;
    readonly advisories: number;
  };
  const folder = mkdtempSync(join(tmpdir(), "rumi-bench-"));
  try {
    writeFileSync(join(folder, "advisories.ndjson.gz"), gzipSync(advisoryLines(advisories)));
    const lock = lockOf(components);
    const sboms = await repeat(RUNS, () => timed(() => sbom(lock)));
    const listed = read(lock);
    if (listed.length !== components) throw new Error(`${listed.length} of ${components} components were listed`);
    const opens: number[] = [];
    const wholes: number[] = [];
    const cpu_seconds: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const cpu = process.cpuUsage();
      const began = performance.now();
      const opened = await openAdvisories(folder);
      opens.push(performance.now() - began);
      if (!opened.ok) throw new Error(JSON.stringify(opened.error));
      if (opened.value.count !== advisories) throw new Error(`${opened.value.count} advisories were read`);
      const found = opened.value.match(listed);
      wholes.push(performance.now() - began);
      const { user, system } = process.cpuUsage(cpu);
      cpu_seconds.push((user + system) / 1e6);
      if (found.length < components / 10) throw new Error(`only ${found.length} weaknesses were found`);
    }
    return [
      measured("supply_sbom_ms", "ms", sboms),
      measured("supply_match_s", "s", wholes.map(seconds)),
      measured("supply_match_cpu_s", "s", cpu_seconds),
      measured("supply_open_s", "s", opens.map(seconds)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const seconds = (ms: number): number => ms / 1_000;

function timed(once: () => void): number {
  const began = performance.now();
  once();
  return performance.now() - began;
}

function read(lock: LockFile): readonly Component[] {
  const components = componentsOf([lock]);
  if (!components.ok) throw new Error(JSON.stringify(components.error));
  return components.value;
}

function sbom(lock: LockFile): void {
  if (!sbomOf(SUBJECT, read(lock)).includes('"CycloneDX"')) throw new Error("no bill of materials was made");
}

const nameOf = (at: number): string => (at % 3 === 0 ? `@scope-${at % 17}/package-${at}` : `package-${at}`);

function lockOf(components: number): LockFile {
  const packages: Record<string, unknown> = { "": { name: "measured", version: "1.0.0" } };
  for (let at = 0; at < components; at += 1) {
    const hash = Buffer.alloc(64, at).toString("base64");
    packages[`node_modules/${nameOf(at)}`] = {
      version: `${at % 9}.${at % 23}.${at % 41}`,
      resolved: `https://registry.example/${nameOf(at)}/-/package-${at}.tgz`,
      integrity: `sha512-${hash}`,
      dependencies: { [nameOf(at + 1)]: "^1.0.0" },
    };
  }
  return { kind: "package-lock", name: "package-lock.json", text: JSON.stringify({ lockfileVersion: 3, packages }) };
}

function advisoryLines(count: number): string {
  const lines: string[] = [];
  const details = "A weakness of the usual kind, told at the usual length. ".repeat(12);
  for (let at = 0; at < count; at += 1) {
    const major = at % 7;
    lines.push(
      JSON.stringify({
        schema_version: "1.6.0",
        id: `GHSA-${at.toString(36).padStart(4, "0")}-bnch`,
        modified: `2026-0${1 + (at % 9)}-1${at % 10}T00:00:00Z`,
        published: "2025-01-01T00:00:00Z",
        aliases: [`CVE-2026-${at}`],
        summary: `Weakness ${at}`,
        details,
        severity: [
          {
            type: at % 5 === 0 ? "CVSS_V4" : "CVSS_V3",
            score:
              at % 5 === 0
                ? "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
                : "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
          },
        ],
        affected: [
          {
            package: { ecosystem: "npm", name: nameOf(at % PACKAGES), purl: `pkg:npm/package-${at}` },
            ranges: [
              {
                type: "SEMVER",
                events: [
                  { introduced: "0" },
                  { fixed: `${major}.1.0` },
                  { introduced: `${major + 1}.0.0` },
                  { fixed: `${major + 1}.2.3` },
                ],
              },
              { type: "GIT", repo: "https://example.org/a", events: [{ introduced: "0" }] },
            ],
            versions: Array.from({ length: at % 12 }, (_, minor) => `${major}.0.${minor}`),
          },
        ],
        references: Array.from({ length: 4 }, (_, n) => ({
          type: "WEB",
          url: `https://example.org/advisories/${at}/${n}`,
        })),
        database_specific: { severity: "HIGH", cwe_ids: ["CWE-79"], github_reviewed: true },
      }),
    );
  }
  return `${lines.join("\n")}\n`;
}
