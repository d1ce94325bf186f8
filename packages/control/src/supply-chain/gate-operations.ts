/**
 * Running the gate on an artifact, and reading its reports. A report says what the policy of its moment decided; whether
 * the artifact may be used is asked anew every time (standing.ts), and a report that is shown says that too.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { CLOSED, CommandIdField, DigestField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, feed, type Sql } from "../shared/sql.ts";
import { SupplyBillAnswer, SupplyReportAnswer, SupplyReportsAnswer, SupplySummaryAnswer } from "./answers.ts";
import { lookAt, type Looked, type SupplyDeps } from "./look.ts";
import { reportRow, reportView } from "./report.ts";
import { kept, type SupplyShelf } from "./shelf.ts";
import { judgeNow, readScales, standingOf, standingUnder, standingView, type Scales } from "./standing.ts";
import { insertReport, readReport, readReports, supplyChanged, type SupplyReportRow } from "./tables.ts";

export const gateRunDeclarations = (deps: SupplyDeps): readonly Declaration[] => [
  runGate(deps),
  listReports,
  showReport,
  downloadBill(deps.shelf),
  downloadSummary(deps.shelf),
];

type Facts = { readonly looked: Result<Looked, Failure>; readonly scales: Scales };

const runGate = (deps: SupplyDeps): Declaration =>
  defineOperation({
    name: "supply_chain.gate_run",
    summary: "Judge an artifact: signature, bill of materials, known weaknesses; the report is kept and obeyed",
    http: { method: "POST", path: "/api/supply_chain/gate/run", aliases: ["/supply_chain/gate/run"] },
    input: Type.Object({ command_id: CommandIdField, artifact_id: DigestField, reason: ReasonField }, CLOSED),
    output: SupplyReportAnswer,
    success: [201],
    key: "command_id",
    permission: ["operator", "admin"],
    // Looking works in every mode: a denial found in an emergency is one the more.
    risk: () => "tighten",
    danger: noDanger,
    target: ({ artifact_id }) => ({ resource_type: "artifact", resource_id: artifact_id }),
    gates: [],
    load: async (reader, { artifact_id }, { store }): Promise<Facts> => ({
      looked: await lookAt(artifact_id, deps),
      scales: await readScales(reader, store, artifact_id),
    }),
    decide: ({ looked, scales }: Facts, { artifact_id, reason }, { newId, now, principal, store }) => {
      if (!looked.ok) return looked;
      const row = reportRow(looked.value, judgeNow(looked.value.found, scales, now), {
        scg_id: newId(),
        artifact_id,
        policy_revision: scales.revision,
        reason,
        produced_by: principal.id,
        produced_at: now,
      });
      const data = reportView(row);
      const { scg_id, pack_id, policy_decision, policy_revision, exception_ref, vulnerabilities } = data;
      const { sbom_ref, vulnerability_summary_ref, signature_verified } = data;
      const brief = { scg_id, artifact_id, policy_decision };
      return ok({
        writes: [insertReport(store, row), supplyChanged(store), feed(store, "supply_report", scg_id, brief, now)],
        events: [
          {
            action: "supply_chain.gate.run",
            resource_type: "artifact",
            resource_id: artifact_id,
            outcome: policy_decision === "deny" ? "REJECTED" : "SUCCESS",
            details: {
              ...brief,
              pack_id,
              policy_revision,
              exception_ref,
              signature_verified: signature_verified ? "yes" : "no",
              vulnerabilities,
              sbom_ref,
              vulnerability_summary_ref,
              triage: [...new Set(data.triage.map(({ code }) => code))],
            },
          },
        ],
        outbox: [],
        status: 201,
        data: { ...data, stands: standingView(standingUnder(artifact_id, row, scales, now)) },
      });
    },
  });

const listReports = defineQuery({
  name: "supply_chain.reports",
  summary: "Reports of the supply-chain gate, newest first",
  http: { method: "GET", path: "/api/supply_chain/reports" },
  input: Type.Object({ artifact_id: Type.Optional(DigestField), ...PAGE_FIELDS }, CLOSED),
  output: SupplyReportsAnswer,
  permission: EVERYONE,
  read: async (reader, { artifact_id, cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["number", "string"]);
    if (!after.ok) return after;
    const rows = await readReports(reader, store, { artifact_id, after: after.value, limit: limit + 1 });
    const { page, next_cursor } = pageOf(rows, limit, ({ produced_at, scg_id }) => [produced_at, scg_id]);
    return ok({ reports: page.map(reportView), count: page.length, next_cursor });
  },
});

const ReportInput = Type.Object({ scg_id: CommandIdField }, CLOSED);

async function found(reader: Reader, sql: Sql, scg_id: string): Promise<Result<SupplyReportRow, Failure>> {
  const row = await readReport(reader, sql, scg_id);
  return row === undefined ? err(failure("RUMI-SYS-011", { what: "supply-chain report", id: scg_id })) : ok(row);
}

const showReport = defineQuery({
  name: "supply_chain.report",
  summary: "One report with its triage, and how its artifact stands now",
  http: { method: "GET", path: "/api/supply_chain/reports/{scg_id}" },
  input: ReportInput,
  output: SupplyReportAnswer,
  permission: EVERYONE,
  read: async (reader, { scg_id }, { store, now }) => {
    const row = await found(reader, store, scg_id);
    if (!row.ok) return row;
    const stands = await standingOf(reader, store, row.value.artifact_id, now);
    return ok({ ...reportView(row.value), stands: standingView(stands) });
  },
});

const downloadBill = (shelf: SupplyShelf) =>
  defineQuery({
    name: "supply_chain.sbom",
    summary: "The bill of materials that a report names: CycloneDX, byte for byte",
    http: { method: "GET", path: "/api/supply_chain/reports/{scg_id}/sbom" },
    input: ReportInput,
    output: SupplyBillAnswer,
    permission: EVERYONE,
    read: async (reader, { scg_id }, { store }) => {
      const row = await found(reader, store, scg_id);
      if (!row.ok) return row;
      const { artifact_id, sbom_ref } = row.value;
      if (sbom_ref === null)
        return err(failure("RUMI-SUP-052", { ref: scg_id, problem: "its lock files could not be read" }));
      const text = kept(shelf, sbom_ref);
      return text.ok ? ok({ scg_id, artifact_id, sbom_ref, sbom: text.value }) : text;
    },
  });

const downloadSummary = (shelf: SupplyShelf) =>
  defineQuery({
    name: "supply_chain.vulnerabilities",
    summary: "The summary of weaknesses that a report names, each with its component, byte for byte",
    http: { method: "GET", path: "/api/supply_chain/reports/{scg_id}/vulnerabilities" },
    input: ReportInput,
    output: SupplySummaryAnswer,
    permission: EVERYONE,
    read: async (reader, { scg_id }, { store }) => {
      const row = await found(reader, store, scg_id);
      if (!row.ok) return row;
      const { artifact_id, vulnerability_summary_ref } = row.value;
      const text = kept(shelf, vulnerability_summary_ref);
      return text.ok ? ok({ scg_id, artifact_id, vulnerability_summary_ref, summary: text.value }) : text;
    },
  });
