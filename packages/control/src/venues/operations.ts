/** Registering recordings and looking at them; and whether their files are still what was registered. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { write } from "@rumi/store";
import type { LoadReport, RecordingFile } from "@rumi/venues";
import { Type } from "@sinclair/typebox";
import { CLOSED, EVERYONE, noDanger, VenueIdField } from "../shared/fields.ts";
import { first, jsonOf } from "../shared/sql.ts";
import { instrumentsOf, kindProblem, NO_REPORT, RegisterVenueInput, venueSpec, type VenueSpec } from "./model.ts";
import { readVenue, type VenueRow, type VenueTables } from "./tables.ts";
import { RegisteredVenueAnswer, VenueAnswer, VenuesAnswer } from "./answers.ts";

/** Reads recordings and says what it saw; the adapter is venues' loader. */
export type InspectRecordings = (files: readonly RecordingFile[]) => Promise<Result<LoadReport, Failure>>;

export function venueDeclarations(inspect: InspectRecordings): readonly Declaration[] {
  return [registerVenue(inspect), listVenues, showVenue];
}

const registerVenue = (inspect: InspectRecordings): Declaration =>
  defineOperation({
    name: "venues.register",
    summary: "Register recorded market data, or a venue simulator, as a venue",
    http: { method: "POST", path: "/api/venues" },
    input: RegisterVenueInput,
    output: RegisteredVenueAnswer,
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: noDanger,
    target: ({ venue_id }) => ({ resource_type: "venue", resource_id: venue_id }),
    gates: [],
    load: async (reader, input, { store }) => {
      const existing = await readVenue(reader, store, input.venue_id);
      if (existing !== undefined || kindProblem(input) !== undefined) return { existing, report: undefined };
      return {
        existing,
        report:
          input.kind === "recording"
            ? await inspect(input.files as unknown as readonly RecordingFile[])
            : ok(NO_REPORT),
      };
    },
    decide: (
      facts: { readonly existing: VenueSpec | undefined; readonly report: Result<LoadReport, Failure> | undefined },
      input,
      context,
    ) => {
      const misfit = kindProblem(input);
      if (misfit !== undefined) return err(misfit);
      if (facts.existing !== undefined || facts.report === undefined)
        return err(failure("RUMI-BOT-007", { venue_id: input.venue_id }));
      if (!facts.report.ok) return facts.report;
      const report = facts.report.value;
      if (input.kind === "recording" && report.rows_accepted === 0) {
        const problem =
          report.first_rejected === null
            ? "it holds no trades"
            : `no row is usable; line ${report.first_rejected.line}: ${report.first_rejected.problem}`;
        return err(failure("RUMI-BOT-009", { path: input.files?.[0]?.path ?? "", problem }, { details: { report } }));
      }
      const spec = venueSpec(input, report);
      const row: VenueRow = {
        venue_id: spec.venue_id,
        kind: spec.kind,
        spec: JSON.stringify(spec),
        created_at: context.now,
        created_by: context.principal.id,
      };
      return ok({
        writes: [write(context.store.builder<VenueTables>().insertInto("venue").values(row), 1)],
        events: [
          {
            action: "venue.registered",
            resource_type: "venue",
            resource_id: spec.venue_id,
            outcome: "SUCCESS",
            details: { kind: spec.kind, instruments: instrumentsOf(spec).map((one) => one.instrument_id) },
          },
          ...spec.files.map((file) => ({
            action: "recording.registered",
            resource_type: "venue",
            resource_id: spec.venue_id,
            outcome: "SUCCESS" as const,
            details: {
              venue: spec.venue_id,
              instrument: file.instrument.instrument_id,
              format: file.format,
              sha256: file.sha256,
              rows: report.rows_accepted,
              rejected: report.rows_rejected,
            },
          })),
        ],
        outbox: [],
        data: spec,
      });
    },
  });

const listVenues = defineQuery({
  name: "venues.list",
  summary: "Every registered venue",
  http: { method: "GET", path: "/api/venues" },
  input: Type.Object({}, CLOSED),
  output: VenuesAnswer,
  permission: EVERYONE,
  read: async (reader, _input, { store }) => {
    const rows = await reader.rows<VenueRow>(
      store.builder<VenueTables>().selectFrom("venue").selectAll().orderBy("venue_id"),
    );
    const venues = rows
      .map((row) => jsonOf<VenueSpec>(row.spec))
      .map((spec) => ({
        venue_id: spec.venue_id,
        kind: spec.kind,
        instruments: instrumentsOf(spec).map((one) => one.instrument_id),
        rows_accepted: spec.report.rows_accepted,
        rows_rejected: spec.report.rows_rejected,
      }));
    return ok({ venues, count: venues.length });
  },
});

const showVenue = defineQuery({
  name: "venues.show",
  summary: "One venue with files, hashes and load report",
  http: { method: "GET", path: "/api/venues/{venue_id}" },
  input: Type.Object({ venue_id: VenueIdField }, CLOSED),
  output: VenueAnswer,
  permission: EVERYONE,
  read: async (reader, { venue_id }, { store }) => {
    const row = await first<VenueRow>(
      reader,
      store.builder<VenueTables>().selectFrom("venue").selectAll().where("venue_id", "=", venue_id),
    );
    if (row === undefined) return err(failure("RUMI-BOT-006", { venue_id }));
    const spec = jsonOf<VenueSpec>(row.spec);
    return ok({ ...spec, instruments: instrumentsOf(spec), created_at: row.created_at, created_by: row.created_by });
  },
});

/** Whether every file still has the hash it was registered with. */
export async function venueUnchanged(venue: VenueSpec): Promise<Result<void, Failure>> {
  for (const file of venue.files) {
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(file.path, { highWaterMark: 1_048_576 }))
        hash.update(chunk as Uint8Array);
    } catch (cause) {
      return err(failure("RUMI-BOT-009", { path: file.path, problem: "it cannot be read any more" }, { cause }));
    }
    if (`sha256:${hash.digest("hex")}` !== file.sha256)
      return err(failure("RUMI-BOT-008", { venue_id: venue.venue_id, path: file.path }));
  }
  return ok(undefined);
}
