/** When each flow with a schedule is due next, and when it was last. */
import { compiledText, write, type Reader, type Store, type Write } from "@rumi/store";

export type ScheduleRow = {
  readonly flow_id: string;
  /** As text: whoever changes it begins anew. */
  readonly schedule: string;
  readonly next_at: number;
  readonly last_at: number | null;
};
type Tables = {
  flow_schedule: { -readonly [name in keyof ScheduleRow]: ScheduleRow[name] };
  flow_run: { flow_id: string; state: string };
};
type Sql = Pick<Store, "builder">;

const SELECT = compiledText<Tables>((db) => db.selectFrom("flow_schedule").selectAll().orderBy("flow_id"));

export function readSchedules(reader: Reader, sqlOf: Sql): Promise<readonly ScheduleRow[]> {
  return reader.rows<ScheduleRow>({ sql: SELECT(sqlOf), parameters: [] });
}

export function beginSchedule(sqlOf: Sql, row: Omit<ScheduleRow, "last_at">): Write {
  const { flow_id, schedule, next_at } = row;
  const query = sqlOf
    .builder<Tables>()
    .insertInto("flow_schedule")
    .values({ flow_id, schedule, next_at, last_at: null })
    .onConflict((of) => of.column("flow_id").doUpdateSet({ schedule, next_at }));
  return write(query, 1);
}

/** Only while it is due as it was seen. */
export function moveSchedule(sqlOf: Sql, { flow_id, next_at }: ScheduleRow, later: number): Write {
  const query = sqlOf
    .builder<Tables>()
    .updateTable("flow_schedule")
    .set({ next_at: later, last_at: next_at })
    .where("flow_id", "=", flow_id)
    .where("next_at", "=", next_at);
  return write(query, 1);
}

export function endSchedule(sqlOf: Sql, flow_id: string): Write {
  return write(sqlOf.builder<Tables>().deleteFrom("flow_schedule").where("flow_id", "=", flow_id), "any");
}

/** Whether a run of it has not ended, whoever asked for it. */
export async function isUnderWay(reader: Reader, sqlOf: Sql, flow_id: string): Promise<boolean> {
  const query = sqlOf
    .builder<Tables>()
    .selectFrom("flow_run")
    .select("state")
    .where("flow_id", "=", flow_id)
    .where("state", "in", ["running", "waiting"]);
  return (await reader.rows(query.limit(1))).length > 0;
}
