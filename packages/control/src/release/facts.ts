/** What a certificate is judged by: the version that is meant, its preflight as for live, its report, its stops, its forerunners. */
import { ID_PATTERNS, ok, type JsonObject, type Micros } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import { Type, type Static } from "@sinclair/typebox";
import { readStopsOf, type LadderRow } from "../attestation/tables.ts";
import { judgeConfig, nextVersion, StrategyReferenceSchema, type BotSpec } from "../bots/model.ts";
import { readBot, specOf, type BotRow } from "../bots/tables.ts";
import { lookAtChangelog, lookAtWished, type Told } from "../changelog/look.ts";
import { CHANGELOG_LIMITS } from "../changelog/model.ts";
import { gatherPreflight, type PreflightDeps } from "../preflight/gather.ts";
import type { PreflightFacts } from "../preflight/model.ts";
import { BotIdField, CLOSED, CommandIdField, ReasonField } from "../shared/fields.ts";
import type { Sql } from "../shared/sql.ts";
import { standingOf as supplyStandingOf, type Standing } from "../supply-chain/standing.ts";
import { readNewestReport, type SupplyReportRow } from "../supply-chain/tables.ts";
import { releaseFacts, type ReleaseFacts } from "./standing.ts";
import { readCertificatesOf, type CertificateRow } from "./tables.ts";

export const PlannedField = Type.Object(
  {
    pack_id: Type.Optional(Type.String({ pattern: ID_PATTERNS.pack })),
    strategy_version: Type.Optional(StrategyReferenceSchema.properties.strategy_version),
    digest: Type.Optional(Type.String({ pattern: ID_PATTERNS.digest })),
    config: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.Unknown())),
    changelog: Type.String({
      minLength: 1,
      maxLength: CHANGELOG_LIMITS.max_characters,
      description: "The reason that the update or the configuration will be given with.",
    }),
  },
  {
    ...CLOSED,
    description: "A version that the bot does not have yet: what an update or another configuration would make of it.",
  },
);

export const IssueInput = Type.Object(
  {
    command_id: CommandIdField,
    bot_id: BotIdField,
    version: Type.Optional(
      Type.String({
        pattern: ID_PATTERNS.semver,
        description: "The version that is meant; refused where it is another.",
      }),
    ),
    planned: Type.Optional(PlannedField),
    reason: ReasonField,
  },
  CLOSED,
);
export type IssueWish = Static<typeof IssueInput>;

/** What the certificate would be of, and all that it would attest. */
export type IssueSubject = {
  readonly bot: BotRow;
  readonly spec: BotSpec;
  readonly version: string;
  readonly told: Told;
  readonly preflight: PreflightFacts;
  readonly report: SupplyReportRow | undefined;
  readonly supply: Standing;
  /** Of the bot's runs, newest first. */
  readonly stops: readonly LadderRow[];
  readonly certificates: readonly CertificateRow[];
  readonly facts: ReleaseFacts;
};
export type IssueFacts = { readonly subject: IssueSubject | undefined; readonly now: Micros };

export async function loadIssue(
  deps: PreflightDeps,
  reader: Reader,
  sql: Sql,
  { bot_id, planned }: IssueWish,
  now: Micros,
): Promise<IssueFacts> {
  const bot = await readBot(reader, sql, bot_id);
  if (bot === undefined) return { subject: undefined, now };
  const spec = planned === undefined ? specOf(bot) : await plannedSpec(deps, bot, planned);
  const told =
    planned === undefined
      ? await lookAtChangelog(reader, sql, bot)
      : await lookAtWished(reader, sql, bot, { spec, reason: planned.changelog });
  const version = planned === undefined ? bot.version : nextVersion(bot.version, specOf(bot), spec);
  // What it is asked for cannot be there yet.
  const release = ok({ note: "asked for by this report" });
  const starting = { bot_id, spec, changelog: told.judged, release, mode: "live", now } as const;
  const { facts: found } = await gatherPreflight(deps, reader, sql, starting);
  // No property of the version: whoever starts it is asked about the machine of that moment.
  const later = ok({ note: "asked at the start" });
  const lease_free = bot.run_id === null ? found.checks.lease_free : later;
  const preflight = { ...found, checks: { ...found.checks, lease_free, runner: later } };
  return {
    now,
    subject: {
      bot,
      spec,
      version,
      told,
      preflight,
      report: await readNewestReport(reader, sql, spec.strategy.digest),
      supply: await supplyStandingOf(reader, sql, spec.strategy.digest, now),
      stops: await readStopsOf(reader, sql, bot_id),
      certificates: await readCertificatesOf(reader, sql, bot_id),
      facts: await releaseFacts(reader, sql, { bot_id, version, spec, changelog: told.text }, now),
    },
  };
}

/** As the update or the configuration itself would make it, so that their specifications are the same. */
async function plannedSpec(
  deps: PreflightDeps,
  bot: BotRow,
  { pack_id, strategy_version, digest, config }: Static<typeof PlannedField>,
): Promise<BotSpec> {
  const before = specOf(bot);
  const strategy = {
    pack_id: pack_id ?? before.strategy.pack_id,
    strategy_id: before.strategy.strategy_id,
    strategy_version: strategy_version ?? before.strategy.strategy_version,
    digest: digest ?? before.strategy.digest,
  };
  const given = (config ?? before.config) as JsonObject;
  if (digest !== undefined || strategy_version !== undefined) return { ...before, strategy, config: given };
  const found = await deps.verifyStrategy(strategy);
  const judged = found.ok ? judgeConfig(found.value.descriptor, given) : found;
  return { ...before, strategy, config: judged.ok ? judged.value : given };
}
