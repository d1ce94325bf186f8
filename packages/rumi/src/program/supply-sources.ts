/** Where bills of materials lie, each under its hash, and which directory says what is known against packages. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ControlDeps, SupplyShelf } from "@rumi/control";
import { openAdvisories } from "@rumi/supply";
import { writeFileDurably } from "../home/files.ts";
import type { HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";

export function supplySources(
  paths: Pick<HomePaths, "user_data">,
  { advisories_dir }: Pick<Settings, "advisories_dir">,
): NonNullable<ControlDeps["supply"]> {
  return {
    shelf: folderShelf(join(paths.user_data, "supply")),
    // Opened anew each time: whoever feeds the directory need not tell the program.
    advisories: () => (advisories_dir === null ? Promise.resolve(null) : openAdvisories(advisories_dir)),
  };
}

export function folderShelf(folder: string): SupplyShelf {
  const path = (sha256: string): string => join(folder, `${sha256}.json`);
  return {
    put: (sha256, bytes) => {
      if (existsSync(path(sha256)) && Buffer.compare(readFileSync(path(sha256)), bytes) === 0) return;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileDurably(path(sha256), bytes, 0o600);
    },
    get: (sha256) => (existsSync(path(sha256)) ? readFileSync(path(sha256)) : undefined),
  };
}
