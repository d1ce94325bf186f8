/** Files that a killed runner of this process leaves open. */
import { closeSync, existsSync, readdirSync, readlinkSync } from "node:fs";

/** A killed runner in this process closes no file; what it left open under the folder is closed for it. */
export function closeLeft(folder: string): void {
  if (!existsSync("/proc/self/fd")) return;
  for (const name of readdirSync("/proc/self/fd"))
    try {
      if (readlinkSync(`/proc/self/fd/${name}`).startsWith(folder)) closeSync(Number(name));
    } catch {
      // It was the descriptor of this very listing.
    }
}
