/**
 * `rumi strategy test`: a pack's own case, a recording and a configuration, run twice and compared with what is expected.
 *
 * Twice, because a strategy that does not do the same again cannot be replayed, whatever it earned.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { err, failure, ok, type Failure, type JsonObject, type Result } from "@rumi/kernel";
import type { BacktestResult } from "@rumi/runtime";

export const CASE_FILE = "test/case.json";

export type StrategyCase = {
  readonly strategy_id: string;
  /** Beside the case. */
  readonly recording: string;
  readonly instrument: string;
  readonly config: JsonObject;
  /** Null until it was run with --write. */
  readonly expected: Expected | null;
};
type Expected = {
  readonly events: number;
  readonly intents: number;
  readonly orders_sent: number;
  readonly fills: number;
  readonly profit: string;
  readonly entries_digest: string;
};
type Run = (of: StrategyCase, recording: string) => Promise<Result<BacktestResult, Failure>>;

/** What the case gives. RUMI-STR-069 when two runs differ, or when it is not what is expected. */
export async function testStrategy(
  folder: string,
  keep: "compare" | "write",
  run: Run,
): Promise<Result<Expected, Failure>> {
  const path = join(folder, CASE_FILE);
  let of: StrategyCase;
  try {
    of = JSON.parse(readFileSync(path, "utf8")) as StrategyCase;
  } catch (cause) {
    return err(failure("RUMI-VAL-006", { path }, { cause }));
  }
  const recording = join(folder, "test", of.recording);
  const first = await run(of, recording);
  if (!first.ok) return first;
  const seen = expectedOf(first.value);
  const wrong = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-STR-069", { strategy_id: of.strategy_id, problem }));
  const { health_state, reason_code, failure: broken } = first.value;
  if (health_state !== "healthy")
    return wrong(
      `it ended ${health_state}: ${reason_code ?? "no reason"}${broken === null ? "" : `: ${broken.error}`}`,
    );
  // One that broke once is told at once: a loop without end would be waited for twice.
  const second = await run(of, recording);
  if (!second.ok) return second;
  if (seen.entries_digest !== expectedOf(second.value).entries_digest) return wrong("two runs of it differ");
  if (keep === "write") {
    writeFileSync(path, `${JSON.stringify({ ...of, expected: seen }, null, 2)}\n`);
    return ok(seen);
  }
  if (of.expected === null) return wrong("nothing is expected yet; run it with --write once it is right");
  for (const name of Object.keys(seen) as (keyof Expected)[])
    if (seen[name] !== of.expected[name])
      return wrong(`${name} is ${String(seen[name])} and should be ${String(of.expected[name])}`);
  return ok(seen);
}

function expectedOf(result: BacktestResult): Expected {
  const { events, intents, orders_sent, fills, profit, entries_digest } = result;
  return { events, intents, orders_sent, fills, profit, entries_digest };
}
