/** What only the program knows for support bundles, and the folder in which they lie. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { environmentSecrets, withheld, type BundleShelf, type BundleSources } from "@rumi/control";
import type { Scrubber } from "@rumi/kernel";
import type { Metrics } from "@rumi/operations";
import { writeFileDurably } from "../home/files.ts";
import type { HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";
import type { Installation } from "./installation.ts";

/** The newest logs of runners and program that a bundle has. */
const LOG_FILES = 8;

export function bundleSources(of: {
  readonly paths: HomePaths;
  readonly settings: Settings;
  readonly installation: Pick<Installation, "version">;
  readonly metrics: Pick<Metrics, "text">;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly scrubber: Pick<Scrubber, "values">;
}): BundleSources {
  const { paths, settings, installation, metrics } = of;
  return {
    shelf: folderShelf(join(paths.user_data, "support_bundles")),
    secrets: () => [...environmentSecrets(of.environment), ...keysOf(paths), ...of.scrubber.values()],
    texts: () =>
      Promise.resolve({
        "versions.json": json({
          rumi: installation.version,
          node: process.versions.node,
          platform: process.platform,
          arch: process.arch,
          uptime_seconds: Math.round(process.uptime()),
          memory_bytes: process.memoryUsage.rss(),
        }),
        "settings.json": json(withheldSettings(settings)),
        "checkpoint.txt": headOf(paths),
        "metrics.txt": metrics.text(),
        ...logsOf(paths),
      }),
  };
}

function folderShelf(folder: string): BundleShelf {
  const path = (bundle_id: string): string => join(folder, `${bundle_id}.zip`);
  return {
    put: (bundle_id, archive) => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileDurably(path(bundle_id), archive, 0o600);
    },
    get: (bundle_id) => (existsSync(path(bundle_id)) ? readFileSync(path(bundle_id)) : undefined),
    remove: (bundle_id) => rmSync(path(bundle_id), { force: true }),
    path,
  };
}

/** Settings are words and numbers; paths and addresses help, so only what bears a credential's name goes. */
export const withheldSettings = (settings: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      /token|secret|key|pass/i.test(name) ? withheld(value) : value,
    ]),
  );

/** The newest signed note that the files hold. */
export function headOf(paths: HomePaths): string {
  const note = join(paths.tlog, "checkpoint");
  return existsSync(note) ? readFileSync(note, "utf8") : "";
}

/** The newest logs of runners and program; a bundle keeps their ends. */
export function logsOf(paths: HomePaths): Readonly<Record<string, string>> {
  if (!existsSync(paths.runners)) return {};
  const logs = readdirSync(paths.runners)
    .filter((name) => /^[\w.-]{1,80}\.log$/.test(name))
    .map((name) => ({ name, at: statSync(join(paths.runners, name)).mtimeMs }))
    .toSorted((a, b) => b.at - a.at)
    .slice(0, LOG_FILES);
  return Object.fromEntries(logs.map(({ name }) => [`logs/${name}`, readFileSync(join(paths.runners, name), "utf8")]));
}

/** The home's own keys, as they stand in their files. */
export function keysOf(paths: HomePaths): readonly string[] {
  if (!existsSync(paths.settings)) return [];
  return readdirSync(paths.settings)
    .filter((name) => name.startsWith(".") || name.endsWith(".pem"))
    .flatMap((name) => {
      const text = readFileSync(join(paths.settings, name), "utf8").trim();
      return [text, ...text.split("\n").filter((line) => !line.startsWith("-----"))];
    });
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
