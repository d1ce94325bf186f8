/** What every measurement shares: repeated runs, medians, and facts about the machine they were seen on. */
import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

export type Measured = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly runs: readonly number[];
};

export function median(values: readonly number[]): number {
  const sorted = [...values].toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function measured(name: string, unit: string, runs: readonly number[]): Measured {
  return { name, value: rounded(median(runs)), unit, runs: runs.map(rounded) };
}

/** Runs `once` the given number of times, one after the other. */
export async function repeat<T>(times: number, once: (run: number) => Promise<T> | T): Promise<readonly T[]> {
  const results: T[] = [];
  for (let run = 0; run < times; run += 1) results.push(await once(run));
  return results;
}

export function machineFacts(): Readonly<Record<string, string | number>> {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
  };
}

export function commitName(): string {
  try {
    const name = execFileSync("git", ["rev-parse", "--short=12", "HEAD"], { encoding: "utf8" }).trim();
    const dirty = execFileSync("git", ["status", "--porcelain", "--untracked-files=no"], { encoding: "utf8" }).trim();
    return dirty === "" ? name : `${name}-dirty`;
  } catch {
    return "unknown";
  }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
