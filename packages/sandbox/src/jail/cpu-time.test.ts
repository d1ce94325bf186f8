import { spawn, type ChildProcess } from "node:child_process";
import { expect, it } from "vitest";
import { treeCpuMs } from "./cpu-time.ts";

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
