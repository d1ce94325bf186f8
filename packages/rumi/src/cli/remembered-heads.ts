/**
 * The last signed checkpoint that this user saw of each log, kept outside every home.
 *
 * A copy of a log that was cut back together with its checkpoint looks whole. Whoever saw a later one knows better;
 * so the command line remembers, and every verification demands consistency with what was seen before.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "@rumi/kernel";

export type RememberedHeads = {
  readonly recall: (origin: string) => string | undefined;
  /** Returns why it could not be kept, if so. */
  readonly keep: (origin: string, note: string) => string | undefined;
};

export function rememberedHeads(environment: Readonly<Record<string, string | undefined>>): RememberedHeads {
  const state = environment["XDG_STATE_HOME"];
  const folder = join(state === undefined || state === "" ? join(homedir(), ".local/state") : state, "rumi/heads");
  const file = (origin: string): string => join(folder, `${sha256Hex(origin).slice(0, 32)}.checkpoint`);
  return {
    recall: (origin) => {
      try {
        return readFileSync(file(origin), "utf8");
      } catch {
        return undefined; // never seen
      }
    },
    keep: (origin, note) => {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(file(origin), note, { mode: 0o600 });
        return undefined;
      } catch (problem) {
        return problem instanceof Error ? problem.message : String(problem);
      }
    },
  };
}
