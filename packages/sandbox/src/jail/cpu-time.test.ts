import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { treeCpuMs } from "./cpu-time.ts";
import { TREE_DEPTH, treeOf } from "./tree.ts";

/** A shell that waits for another one, which does this: as a jail is a process that waits for the strategy's. */
const started = (does: string): ChildProcess => spawn("sh", ["-c", `sh -c '${does}' & wait`], { detached: true });
const end = ({ pid }: ChildProcess): boolean => pid !== undefined && process.kill(-pid, "SIGKILL");

it("[M-3.3.1] what burns below the process is counted, what sleeps is not, and what has ended is not known", async () => {
  const [burns, sleeps] = [started("while :; do :; done"), started("sleep 600")];
  try {
    const spent = (of: ChildProcess): number => treeCpuMs(of.pid ?? 0) ?? 0;
    while (spent(burns) < 200) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(spent(sleeps)).toBeLessThan(100);
  } finally {
    end(burns);
    end(sleeps);
  }
  await Promise.all([burns, sleeps].map((one) => new Promise((resolve) => one.once("close", resolve))));
  expect(treeCpuMs(burns.pid ?? 0)).toBeNull();
});

it("[M-3.3.1] what has ended below the process stays counted", async () => {
  const burnsAndEnds = started('sh -c "i=0; while [ \\$i -lt 300000 ]; do i=\\$((i+1)); done"; exec sleep 600');
  const name = (pid: number): string => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "latin1").trim();
    } catch {
      return ""; // it ended since it was listed
    }
  };
  try {
    const pid = burnsAndEnds.pid ?? 0;
    const sleeps = (): boolean => treeOf(pid).some((one) => name(one.pid) === "sleep");
    while (!sleeps()) await new Promise((resolve) => setTimeout(resolve, 10));
    // Both that are left have done nothing but wait.
    expect(treeOf(pid)).toHaveLength(2);
    expect(treeCpuMs(pid)).toBeGreaterThan(100);
  } finally {
    end(burnsAndEnds);
  }
});

/** A shell that runs a shell that runs a shell, `$1` of them below the first; the last one says that it is there. */
const NEST = 'if [ $1 = 0 ]; then echo there; sleep 600; else sh -c "$0" "$0" $(($1 - 1)); fi; :';

it("generations: the walk goes so deep and no deeper", async () => {
  const chain = spawn("sh", ["-c", NEST, NEST, String(TREE_DEPTH + 2)], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(chain.stdout, "data");
    expect(treeOf(chain.pid ?? 0)).toHaveLength(1 + TREE_DEPTH);
  } finally {
    end(chain);
  }
});
