/** Reading admission reports back. */
import { err, failure, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { BotIdField, CLOSED, CommandIdField, EVERYONE } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, first } from "../shared/sql.ts";
import { reportView, type AdmissionRow, type AdmissionTables } from "./tables.ts";
import { AdmissionAnswer, AdmissionsAnswer } from "./answers.ts";

const showAdmission: Declaration = defineQuery({
  name: "admissions.show",
  summary: "One admission report, check by check",
  http: { method: "GET", path: "/api/admissions/{report_id}" },
  input: Type.Object({ report_id: CommandIdField }, CLOSED),
  output: AdmissionAnswer,
  permission: EVERYONE,
  read: async (reader, { report_id }, { store }) => {
    const row = await first<AdmissionRow>(
      reader,
      store.builder<AdmissionTables>().selectFrom("admission_report").selectAll().where("report_id", "=", report_id),
    );
    return row === undefined ? err(failure("RUMI-BOT-035", { report_id })) : ok(reportView(row));
  },
});

const listAdmissions: Declaration = defineQuery({
  name: "admissions.list",
  summary: "Admission reports, newest first",
  http: { method: "GET", path: "/api/admissions" },
  input: Type.Object(
    {
      bot_id: Type.Optional(BotIdField),
      ...PAGE_FIELDS,
    },
    CLOSED,
  ),
  output: AdmissionsAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id, cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["number", "string"]);
    if (!after.ok) return after;
    let query = store
      .builder<AdmissionTables>()
      .selectFrom("admission_report")
      .selectAll()
      .orderBy("created_at", "desc")
      .orderBy("report_id", "desc")
      .limit(limit + 1);
    if (bot_id !== undefined) query = query.where("bot_id", "=", bot_id);
    if (after.value !== undefined) {
      const [at, id] = after.value as [number, string];
      query = query.where((of) =>
        of.or([of("created_at", "<", at), of.and([of("created_at", "=", at), of("report_id", "<", id)])]),
      );
    }
    const rows = await reader.rows<AdmissionRow>(query);
    const { page, next_cursor } = pageOf(rows, limit, (row) => [row.created_at, row.report_id]);
    return ok({
      admissions: page.map(reportView),
      count: page.length,
      next_cursor,
    });
  },
});

export const admissionDeclarations: readonly Declaration[] = [showAdmission, listAdmissions];
