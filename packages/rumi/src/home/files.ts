/** Writing a file so that a crash leaves the old one or the new one, never half of either. */
import { closeSync, fsyncSync, lstatSync, openSync, readdirSync, renameSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

export function writeFileDurably(path: string, data: Uint8Array | string, mode: number): void {
  const temporary = join(dirname(path), `.${process.pid}.${Math.floor(performance.now() * 1_000)}.tmp`);
  const file = openSync(temporary, "wx", mode);
  try {
    writeSync(file, typeof data === "string" ? Buffer.from(data, "utf8") : data);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Syncs every regular file and directory below `path`. */
export function syncTree(path: string): void {
  const stat = lstatSync(path);
  if (stat.isDirectory()) for (const name of readdirSync(path)) syncTree(join(path, name));
  if (stat.isDirectory() || stat.isFile()) syncDirectory(path);
}
