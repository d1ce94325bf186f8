/** What tests of every package share: system packages that a machine may lack, and throw-away folders. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const SYSTEM_PACKAGES = {
  bubblewrap: ["/usr/bin/bwrap"],
  chromium: ["/usr/bin/chromium"],
  curl: ["/usr/bin/curl"],
  jq: ["/usr/bin/jq"],
  openssl: ["/usr/bin/openssl"],
  postgresql: [
    "/usr/lib/postgresql/15/bin/postgres",
    "/usr/lib/postgresql/16/bin/postgres",
    "/usr/lib/postgresql/17/bin/postgres",
  ],
  python3: ["/usr/bin/python3"],
  runc: ["/usr/sbin/runc", "/usr/bin/runc", "/usr/local/sbin/runc", "/usr/local/bin/runc"],
  "rust-wasm": ["/usr/lib/rustlib/wasm32-unknown-unknown"],
  go: ["/usr/local/go/bin/go", "/usr/bin/go"],
  schemathesis: [join(homedir(), ".cache/rumi/schemathesis/bin/st")],
} as const satisfies Record<string, readonly string[]>;

export type SystemPackage = keyof typeof SYSTEM_PACKAGES;

/** Path of the package's marker file, if it is installed. */
export function located(name: SystemPackage): string | undefined {
  return SYSTEM_PACKAGES[name].find((path) => existsSync(path));
}

/**
 * Whether tests that need `name` can run here: `it.runIf(requires("bubblewrap"))("…")`.
 * With CI=true nothing may be skipped, so a missing package is an error there.
 */
export function requires(name: SystemPackage): boolean {
  if (located(name) !== undefined) return true;
  if (process.env["CI"] === "true") {
    throw new Error(`CI needs the system package ${name}; tools/setup-system.sh installs it`);
  }
  process.stderr.write(`skipped: the system package ${name} is absent (tools/setup-system.sh installs it)\n`);
  return false;
}

const witnesses = new Set<() => Promise<string>>();
const TESTIMONY_MS = 5_000;

/** Lets `tell` say what is there when a test fails; the answer ends that. */
export function witness(tell: () => Promise<string>): () => void {
  witnesses.add(tell);
  return () => witnesses.delete(tell);
}

/** What every witness says now; one that cannot answer says why. */
export async function testimony(): Promise<string> {
  const late = new Promise<string>((resolve) => setTimeout(resolve, TESTIMONY_MS, "(no answer)").unref());
  const heard = (tell: () => Promise<string>): Promise<string> =>
    Promise.race([tell().catch((cause: unknown) => `(${String(cause)})`), late]);
  return (await Promise.all([...witnesses].map(heard))).join("\n— — —\n");
}

/** A fresh folder and the function that removes it. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "rumi-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
