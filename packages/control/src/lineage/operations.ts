/**
 * From a bot back to where it comes from (L-38): what runs, the preflight that let it, the command and the people behind
 * it, the version and who made it, the pack and who approved it, and the source that the pack says it was built from.
 */
import { err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import type { AdmissionRow, AdmissionTables } from "../admissions/tables.ts";
import { readEvents, type AuditEvent } from "../audit/events.ts";
import { readBot, specOf, type BotTables, type BotVersionRow } from "../bots/tables.ts";
import { readApproval, readChallengeOf } from "../challenges/tables.ts";
import type { DependencyDeps } from "../dependencies/look.ts";
import { readInstances, readRun, type InstanceRow } from "../instances/tables.ts";
import { readReport, reportView } from "../preflight/tables.ts";
import { BotIdField, CLOSED, EVERYONE } from "../shared/fields.ts";
import { first, type Sql } from "../shared/sql.ts";
import { LineageAnswer } from "./answers.ts";
import { pinnedProvenance } from "./provenance.ts";

const LINEAGE_LIMITS = { versions: 200, events: 200 } as const;

export type LineageDeps = DependencyDeps & {
  /** The provenance file of bytes that were approved once. */
  readonly keptProvenance: (digest: string) => Promise<Uint8Array | undefined>;
};

export const lineageDeclarations = (deps: LineageDeps): readonly Declaration[] => [showLineage(deps)];

const showLineage = (deps: LineageDeps): Declaration =>
  defineQuery({
    name: "bots.lineage",
    summary: "Where a bot comes from: runs, preflights, commands, approvals, versions, packs and their source",
    http: { method: "GET", path: "/api/bots/{bot_id}/lineage" },
    input: Type.Object({ bot_id: BotIdField }, CLOSED),
    output: LineageAnswer,
    permission: EVERYONE,
    read: async (reader, { bot_id }, { store }) => {
      const bot = await readBot(reader, store, bot_id);
      if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
      const instances = (await readInstances(reader, store, bot_id)).filter(({ desired }) => desired !== "stopped");
      const runs = [];
      for (const one of instances) runs.push(await runOf(reader, store, one));
      const versions = await versionsOf(reader, store, bot_id);
      const packs = [];
      for (const reference of distinct(versions.map(({ pack_id, digest }) => ({ pack_id, digest }))))
        packs.push(await packOf(deps, reader, store, reference));
      const { state, version, generation, mode, created_by } = bot;
      return ok({
        bot_id,
        state,
        mode,
        version,
        generation,
        created_by,
        runs,
        versions,
        packs,
        admission: await admissionOf(reader, store, bot_id, specOf(bot).strategy.digest),
      });
    },
  });

/** A running instance: by which command, on which preflight, approved by whom. */
async function runOf(reader: Reader, sql: Sql, { instance_id, run_id, mode }: InstanceRow) {
  const run = await readRun(reader, sql, run_id);
  const report = run === undefined ? undefined : await readReport(reader, sql, run.report_id);
  return {
    instance_id,
    run_id,
    mode,
    pack_digest: run?.pack_digest ?? null,
    generation: run?.generation ?? null,
    from_run_id: run?.from_run_id ?? null,
    preflight: report === undefined ? null : reportView(report),
    command: run === undefined ? null : await commandOf(reader, sql, run.command_id),
  };
}

/** Who asked, why, and who confirmed and approved it, as far as it took that. */
async function commandOf(reader: Reader, sql: Sql, command_id: string) {
  const [requested] = await readEvents(reader, sql, {
    request_id: command_id,
    action: "controlplane.command.requested",
    limit: 1,
  });
  const challenge = await readChallengeOf(reader, sql, command_id);
  const approval = challenge === undefined ? undefined : await readApproval(reader, sql, challenge.challenge_id);
  return {
    command_id,
    actor: requested?.actor ?? null,
    reason: requested?.details["reason"] ?? null,
    event_id: requested?.event_id ?? null,
    approval:
      challenge === undefined
        ? null
        : {
            challenge_id: challenge.challenge_id,
            intent_hash: challenge.intent_hash,
            confirmed_by: challenge.state === "CONFIRMED" ? challenge.settled_by : null,
            approved_by: approval?.approver ?? null,
            approved_at: approval === undefined ? null : iso(approval.approved_at),
          },
  };
}

async function versionsOf(reader: Reader, sql: Sql, bot_id: string) {
  const rows = await reader.rows<BotVersionRow>(
    sql
      .builder<BotTables>()
      .selectFrom("bot_version")
      .selectAll()
      .where("bot_id", "=", bot_id)
      .orderBy("generation", "desc")
      .limit(LINEAGE_LIMITS.versions),
  );
  const events = await readEvents(reader, sql, {
    action: "bot.version.created",
    resource_type: "bot",
    resource_id: bot_id,
    order: "desc",
    limit: LINEAGE_LIMITS.versions,
  });
  return rows.map((row) => {
    const { pack_id, strategy_id, strategy_version, digest } = specOf(row).strategy;
    const event = events.find(({ details }) => details["generation"] === row.generation);
    return {
      generation: row.generation,
      version: row.version,
      strategy_id,
      strategy_version,
      pack_id,
      digest,
      created_at: iso(row.created_at),
      created_by: row.created_by,
      reason: row.reason,
      command_id: event?.details["request_id"] ?? null,
      approval_id: event?.details["approval_id"] ?? null,
      event_id: event?.event_id ?? null,
    };
  });
}

type Reference = { readonly pack_id: string; readonly digest: string };

/** The approval of exactly these bytes, from the log: the pack itself may have moved on. */
async function packOf(deps: LineageDeps, reader: Reader, sql: Sql, { pack_id, digest }: Reference) {
  const approvals = await readEvents(reader, sql, {
    action: "pack.approved",
    resource_id: pack_id,
    order: "desc",
    limit: LINEAGE_LIMITS.events,
  });
  const approval: AuditEvent | undefined = approvals.find(({ details }) => details["digest"] === digest);
  const pack = await deps.packOf(reader, pack_id);
  const current = pack?.approved?.digest === digest ? pack.approved : undefined;
  return {
    pack_id,
    digest,
    pack_version: approval?.details["version"] ?? current?.manifest.version ?? null,
    /** Whether these bytes are what is approved now. */
    current: current !== undefined,
    approved_by: approval?.actor ?? current?.by ?? null,
    approved_at: approval?.occurred_at ?? null,
    event_id: approval?.event_id ?? null,
    source: current === undefined ? null : sourceOf(current.manifest.metadata),
    provenance: await pinnedProvenance(approval, () => deps.keptProvenance(digest)),
  };
}

/** What the manifest's open `metadata` says of the source: `{repository, commit}`; the pack's own word, under its digest. */
function sourceOf(metadata: Readonly<Record<string, unknown>> | undefined) {
  const source = metadata?.["source"];
  if (typeof source !== "object" || source === null) return null;
  const { repository, commit } = source as Readonly<Record<string, unknown>>;
  const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
  return { repository: text(repository), commit: text(commit) };
}

async function admissionOf(reader: Reader, sql: Sql, bot_id: string, digest: string) {
  const row = await first<Pick<AdmissionRow, "report_id" | "admitted" | "created_at">>(
    reader,
    sql
      .builder<AdmissionTables>()
      .selectFrom("admission_report")
      .select(["report_id", "admitted", "created_at"])
      .where("bot_id", "=", bot_id)
      .where("digest", "=", digest)
      .orderBy("created_at", "desc")
      .orderBy("report_id", "desc")
      .limit(1),
  );
  if (row === undefined) return null;
  return { report_id: row.report_id, admitted: row.admitted === 1, created_at: iso(row.created_at) };
}

function distinct(all: readonly Reference[]): readonly Reference[] {
  return [...new Map(all.map((one) => [`${one.pack_id} ${one.digest}`, one])).values()];
}

const iso = (at: number): string => isoFromMicros(micros(at));
