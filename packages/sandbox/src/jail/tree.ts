/**
 * A process and what is below it, as /proc tells: the one walk that ending, own time and processor time share.
 *
 * Invariant: it goes {@link TREE_DEPTH} generations down and no farther (cpu-time.test.ts "generations").
 */
import { readdirSync, readFileSync } from "node:fs";

/** Generations below the first process; a jail has two or three, and what runs in it may not make another one. */
export const TREE_DEPTH = 8;

export type TreeProcess = { readonly pid: number; readonly threads: readonly number[] };

/** Parents before their children; empty where the process is gone or the system tells nothing. */
export function treeOf(pid: number, depth: number = TREE_DEPTH): readonly TreeProcess[] {
  const threads = threadsOf(pid);
  if (threads.length === 0) return [];
  const below = depth === 0 ? [] : childrenOf(pid, threads).flatMap((child) => treeOf(child, depth - 1));
  return [{ pid, threads }, ...below];
}

/** Of every thread. */
export function childrenOf(pid: number, threads: readonly number[] = threadsOf(pid)): readonly number[] {
  return threads.flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1")
        .split(" ")
        .filter((word) => /^\d+$/.test(word))
        .map(Number);
    } catch {
      return []; // gone meanwhile
    }
  });
}

function threadsOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return []; // gone meanwhile
  }
}
