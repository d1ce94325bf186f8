/**
 * Keeps a measurement on one processor: a backtest's figures are those of one core, whatever it has beside it. A jailed
 * strategy and its host take turns, so that a second core gives them nothing but the time it takes to wake it up.
 */
import { existsSync, readFileSync } from "node:fs";

const TASKSET = "/usr/bin/taskset";

/** What goes before a command so that it and all it starts stay on our last processor; `undefined` where that is not to be had. */
export function onOneCore(): readonly [string, ...string[]] | undefined {
  const status = "/proc/self/status";
  if (!existsSync(TASKSET) || !existsSync(status)) return undefined;
  const last = /^Cpus_allowed_list:.*?(\d+)$/m.exec(readFileSync(status, "utf8"))?.[1];
  return last === undefined ? undefined : [TASKSET, "-c", last];
}
