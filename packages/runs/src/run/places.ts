/** Where a run's files lie, below one folder a run; references are relative to the folder of all runs. */
import { join } from "node:path";

export type RunPlaces = {
  readonly folder: string;
  /** The worktree that the command works in. */
  readonly tree: string;
  /** A checkout for the checks. */
  readonly checkout: string;
  readonly evidence: string;
  readonly home: string;
  readonly prompt: string;
  readonly log: string;
};

export function placesOf(root: string, run_id: number): RunPlaces {
  const folder = join(root, String(run_id));
  return {
    folder,
    tree: join(folder, "tree"),
    checkout: join(folder, "checkout"),
    evidence: join(folder, "evidence.git"),
    home: join(folder, "home"),
    prompt: join(folder, "prompt.txt"),
    log: join(folder, "log.jsonl"),
  };
}

export const logRef = (run_id: number): string => `${run_id}/log.jsonl`;
export const checkLogRef = (run_id: number, ordinal: number): string => `${run_id}/check-${ordinal}.jsonl`;
export const bundleRef = (run_id: number, revision: number): string => `${run_id}/proof-${revision}.json`;
export const attestationRef = (run_id: number, revision: number): string => `${run_id}/proof-${revision}.dsse.json`;
