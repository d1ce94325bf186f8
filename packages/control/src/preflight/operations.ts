/** Reading what a start was judged by. */
import { err, failure, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { CLOSED, CommandIdField, EVERYONE } from "../shared/fields.ts";
import { readReport, reportView } from "./tables.ts";
import { PreflightAnswer } from "./answers.ts";

const showPreflight: Declaration = defineQuery({
  name: "preflights.show",
  summary: "The preflight report that a start refers to, item by item",
  http: { method: "GET", path: "/api/preflights/{report_id}" },
  input: Type.Object({ report_id: CommandIdField }, CLOSED),
  output: PreflightAnswer,
  permission: EVERYONE,
  read: async (reader, { report_id }, { store }) => {
    const row = await readReport(reader, store, report_id);
    return row === undefined
      ? err(failure("RUMI-SYS-011", { what: "preflight report", id: report_id }))
      : ok(reportView(row));
  },
});

export const preflightDeclarations: readonly Declaration[] = [showPreflight];
