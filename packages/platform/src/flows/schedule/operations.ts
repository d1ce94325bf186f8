/** Which flows run by themselves, and when they are due. */
import { isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { readSchedules } from "./tables.ts";

const Moment = Type.Union([Type.String(), Type.Null()]);
const SchedulesAnswer = Type.Object(
  {
    schedules: Type.Array(
      Type.Object(
        { flow_id: Type.String(), schedule: Type.String(), next_at: Type.String(), last_at: Moment },
        { additionalProperties: true },
      ),
    ),
    count: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: true },
);

export const listSchedules = (): Declaration =>
  defineQuery({
    name: "flows.schedules",
    summary: "Flows that run by themselves, and when each is due next",
    http: { method: "GET", path: "/api/flow-schedules" },
    input: Type.Object({}, { additionalProperties: false }),
    output: SchedulesAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, _, { store }) => {
      const at = (moment: number): string => isoFromMicros(micros(moment));
      const schedules = (await readSchedules(reader, store)).map(({ flow_id, schedule, next_at, last_at }) => ({
        flow_id,
        schedule,
        next_at: at(next_at),
        last_at: last_at === null ? null : at(last_at),
      }));
      return ok({ schedules, count: schedules.length });
    },
  });
