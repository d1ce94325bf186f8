/**
 * Shards of one bot go back together: a bot has one specification, so it is not left with two versions at the desk. Pure.
 *
 * How to think: the first shard whose new version is refused takes the bot's specification back. A sibling that has not
 * handed over keeps what it runs; one that begins or runs the new version hands over once more, to the former one, from
 * the state that it has by then. Should the former version refuse that state, that shard is failed, like any other that
 * cannot begin: there is one way back.
 *
 * Invariant (packages/control/test/shard-updates.test.ts): after a refused update every shard runs what the bot's
 * specification says.
 */
import { isShadow } from "../instances/shards.ts";
import type { InstanceRow, NextRun, StartSpec, WayBack } from "../instances/tables.ts";
import { jsonOf } from "../shared/sql.ts";

export type SiblingChange = { readonly row: InstanceRow; readonly change: Partial<InstanceRow> };

/** `refused`: the generation that goes back; `generation`: the one in which the former version stands again. */
export function siblingsBack(
  others: readonly InstanceRow[],
  { refused, generation }: { readonly refused: number; readonly generation: number },
): readonly SiblingChange[] {
  return others.flatMap((row): readonly SiblingChange[] => {
    if (isShadow(row) || row.desired === "stopped") return [];
    const next = row.next === null ? null : jsonOf<NextRun>(row.next);
    if (next?.spec.generation === refused) return [{ row, change: { next: null } }];
    if (row.generation !== refused || row.back === null || next !== null) return [];
    const { spec, command_id, report_id = command_id } = jsonOf<WayBack>(row.back);
    const { run_id, run_dir } = jsonOf<StartSpec>(row.spec);
    const again: NextRun = {
      spec: { ...spec, generation, from: { run_id, run_dir } },
      command_id,
      report_id,
      back: null,
    };
    return [{ row, change: { next: JSON.stringify(again) } }];
  });
}
