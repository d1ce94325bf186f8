/**
 * The journal's file, one JSON object a line, made from the tables and made anew where it is not what it was left as.
 *
 * Invariant (packages/rumi/test/shared-dict.test.ts): whatever happens to the file, the next run makes it whole again.
 */
import { mkdir, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Store } from "@rumi/store";
import type { Reconciler } from "../packs/reconciler.ts";
import { lastLine, linesAfter } from "./tables.ts";

export function dictJournal(deps: { readonly store: Store; readonly path: string }): Reconciler {
  const { store, path } = deps;
  /** What the last run left; undefined: nothing is known of the file. */
  let left: { readonly seq: number; readonly bytes: number } | undefined;
  return {
    name: "shared dictionary",
    run: async () => {
      const last = await lastLine(store, store);
      const bytes = await sizeOf(path);
      if (left !== undefined && left.bytes !== bytes) left = undefined;
      if (left?.seq === last || (left === undefined && last === 0 && bytes === undefined)) return;
      const seq = left?.seq ?? 0;
      const text = (await linesAfter(store, store, seq)).map(({ line }) => `${line}\n`).join("");
      const isWhole = left === undefined;
      left = undefined;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      if (isWhole) await replaced(path, text);
      else await appended(path, text);
      const written = await sizeOf(path);
      left = written === undefined ? undefined : { seq: last, bytes: written };
    },
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

async function replaced(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

async function appended(path: string, text: string): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
