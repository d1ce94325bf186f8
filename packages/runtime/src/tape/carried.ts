/**
 * A run that goes on from another live run begins with that run's tape: its rows are counted on, and a replay needs no
 * other folder. The files are linked, not copied; the former run has ended, and the new one writes a file of its own,
 * whose header cuts off whatever a late writer still adds to an old one (segments.ts).
 *
 * Invariant: they are in the new run's folder, and on the disk, before the run has a journal (live-handover.test.ts).
 */
import { closeSync, copyFileSync, fdatasyncSync, fsyncSync, linkSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { tapeFiles, tapeFolder } from "./segments.ts";

export function carryTape(from_run_dir: string, run_dir: string): void {
  const names = tapeFiles(from_run_dir);
  if (names.length === 0) return;
  const folder = tapeFolder(run_dir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of names) {
    const to = join(folder, name);
    linkOrCopy(join(tapeFolder(from_run_dir), name), to);
    const fd = openSync(to, "r+");
    fdatasyncSync(fd);
    closeSync(fd);
  }
  const fd = openSync(folder, "r");
  fsyncSync(fd);
  closeSync(fd);
}

/** Some file systems know no links. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (problem) {
    if (!["EPERM", "EXDEV", "ENOTSUP", "EMLINK"].includes((problem as NodeJS.ErrnoException).code ?? "")) throw problem;
    copyFileSync(from, to);
  }
}
