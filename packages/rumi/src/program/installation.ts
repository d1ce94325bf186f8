/** Where the program's own files are: beside the bundle that runs. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type Installation = {
  readonly version: string;
  /** Bundled entry points. */
  readonly writer_worker: URL;
  readonly verify_worker: URL;
  readonly runner: URL;
  readonly lane_worker: URL;
  readonly admission: URL;
  readonly script_worker: URL;
  /** Folder with the Python runner that goes into the jail. */
  readonly jail_scripts: string;
  readonly python_sdk: string;
  /** SDKs of every language, with their tools and templates. */
  readonly sdk: string;
  readonly console: string;
  readonly default_pack: string;
};

/** `bundle` is the URL of dist/rumi.js. */
export function installation(bundle: URL): Installation {
  const inDist = (name: string): URL => new URL(name, bundle);
  const inRoot = (name: string): string => fileURLToPath(new URL(`../${name}`, bundle));
  return {
    version: versionOf(inRoot("package.json")),
    writer_worker: inDist("writer-worker.js"),
    verify_worker: inDist("verify-worker.js"),
    runner: inDist("runner.js"),
    lane_worker: inDist("lane-worker.js"),
    admission: inDist("admission.js"),
    script_worker: inDist("script-worker.js"),
    jail_scripts: fileURLToPath(inDist("python")),
    python_sdk: inRoot("sdk/python"),
    sdk: inRoot("sdk"),
    console: fileURLToPath(inDist("console")),
    default_pack: inRoot("packs/default"),
  };
}

function versionOf(path: string): string {
  if (!existsSync(path)) return "unknown";
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version?: unknown };
  return typeof version === "string" ? version : "unknown";
}
