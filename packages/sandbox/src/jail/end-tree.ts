/**
 * Ends a process together with what it is just starting.
 *
 * A jail is a chain: the process that we started makes another one in new namespaces, and only after a few milliseconds
 * that one dies with it (bubblewrap binds the two last of all). Killing the first one before that would leave the second
 * one behind, waiting for ever or, worse, running. So it is stopped first: a stopped process makes no more children, those
 * it has are in /proc, and they go before it does.
 *
 * Invariant: whenever a jail is ended, nothing of it is left (end-tree.test.ts "[M-5.2.7]").
 */
import { readFileSync } from "node:fs";
import { childrenOf, TREE_DEPTH } from "./tree.ts";

/** The kernel stops a process within microseconds, unless it is in an uninterruptible call (a fork, a mount). */
const STOPPED_WITHIN_MS = 100;

/** Ends `pid`, a child of ours that was not reaped yet, and its descendants. */
export function endTree(pid: number): void {
  end(pid, TREE_DEPTH);
}

function end(pid: number, depth: number): void {
  if (depth === 0 || !signal(pid, "SIGSTOP")) return;
  const until = performance.now() + STOPPED_WITHIN_MS;
  while (!isStill(pid) && performance.now() < until);
  for (const child of childrenOf(pid)) end(child, depth - 1);
  signal(pid, "SIGKILL");
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false; // it ended by itself
  }
}

/** Stopped, a zombie or gone. */
function isStill(pid: number): boolean {
  try {
    return /^\d+ \(.*\) [TtZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
}

/** Whether the process is there and no zombie; this thread's event loop may not have heard of its end yet. */
export function lives(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
