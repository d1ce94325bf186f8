/**
 * From the word that pulls the kill switch to a thousand quiet instances.
 *
 * An instance is quiet from the moment at which the rule stands on its own record: its record's own time is taken, less the
 * time at which the word left the control plane's side. Nothing of it may leave afterwards; a later order ends the suite.
 */
import type { JournalEntry } from "@rumi/runtime";
import { measured, type Measured } from "../measure.ts";
import { RunnerLine } from "../runner-line.ts";
import { crowd, startAll } from "./density.ts";

export type KillSwitchArgument = { readonly root: string; readonly runner: string; readonly instances: number };

const TURNS = 10;
/** How many times faster than the market all of them are together: some 28,000 trades a second. */
const CROWD_FACTOR = 10_000;
const isOrder = (one: JournalEntry): boolean =>
  one.kind === "intent" && one.verdict !== "discarded" && one.client_order_id !== null;

export async function killSwitchSuite(argument: string): Promise<readonly Measured[]> {
  const { root, runner, instances } = JSON.parse(argument) as KillSwitchArgument;
  // Fast enough that each of them orders now and then, and as many events in all as two cores carry beside the rest.
  const people = crowd(root, Math.min(100, CROWD_FACTOR / instances));
  const line = new RunnerLine(runner, people.folder);
  let quietAt = new Map<string, number>();
  let orders = 0;
  line.onEntries = (run_id, entries) => {
    for (const one of entries) {
      if (one.kind === "input" && one.input["input"] === "killswitch") {
        if (one.input["level"] === "BLOCK") quietAt.set(run_id, one.at_us);
        else quietAt.delete(run_id);
      } else if (isOrder(one)) {
        orders += 1;
        if (quietAt.has(run_id)) throw new Error(`run ${run_id} ordered under BLOCK`);
      }
    }
  };
  try {
    await line.ready;
    await startAll(
      line,
      Array.from({ length: instances }, (_, at) => people.spec(at + 1)),
    );
    await line.until(() => orders > instances, 600_000);
    const p99: number[] = [];
    const followed: number[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      quietAt = new Map();
      const sent_us = (performance.timeOrigin + performance.now()) * 1_000;
      const began = performance.now();
      line.tell({ type: "killswitch", generation: 2 * turn + 1, rules: [{ scope: "all", id: "", level: "BLOCK" }] });
      await line.until(() => line.followed === 2 * turn + 1, 60_000);
      followed.push(performance.now() - began);
      await line.until(() => quietAt.size === instances, 60_000);
      const delays = [...quietAt.values()].map((at_us) => (at_us - sent_us) / 1_000).toSorted((a, b) => a - b);
      p99.push(delays[Math.floor(instances * 0.99)] ?? Number.NaN);
      line.tell({ type: "killswitch", generation: 2 * turn + 2, rules: [] });
      await line.until(() => line.followed === 2 * turn + 2 && quietAt.size === 0, 60_000);
    }
    return [measured("kill_switch_quiet_ms", "ms", p99), measured("kill_switch_followed_ms", "ms", followed)];
  } finally {
    await line.close();
    people.remove();
  }
}
