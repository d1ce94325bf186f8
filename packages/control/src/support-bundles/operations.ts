/**
 * Asking for a support bundle, reading it back, taking its archive away.
 *
 * Evidence passes every mode and freeze. It is a dangerous operation where the policies name it (docs/policies.md),
 * because what a home looks like may be worth protecting although no secret is in it.
 */
import { err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { readBot, type BotRow } from "../bots/tables.ts";
import { addedBy, readPolicy } from "../policies/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import {
  BotIdField,
  CLOSED,
  CommandIdField,
  EVERYONE,
  noDanger,
  ReasonField,
  type FailureNote,
} from "../shared/fields.ts";
import { jsonOf } from "../shared/sql.ts";
import { BundleAnswer, BundleArchiveAnswer, BundlesAnswer } from "./answers.ts";
import type { BundleManifest } from "./model.ts";
import type { BundleShelf } from "./shelf.ts";
import { insertBundle, readBundle, readBundles, type BundleRow, type BundleTables } from "./tables.ts";

const CREATE = "support_bundles.create";
const HELPERS = ["operator", "admin", "break_glass"] as const;

export const bundleDeclarations = (shelf: BundleShelf): readonly Declaration[] => [
  createBundle(shelf),
  listBundles(shelf),
  showBundle(shelf),
  downloadBundle(shelf),
];

type Facts = {
  /** Undefined where none is named, null where the named one is not there. */
  readonly bot: BotRow | null | undefined;
  readonly waiting: number;
  readonly guarded: boolean;
};

const createBundle = (shelf: BundleShelf): Declaration =>
  defineOperation({
    name: CREATE,
    summary: "Have a support bundle made, of the whole home or of one bot; it holds no secret",
    http: { method: "POST", path: "/api/support_bundles" },
    input: Type.Object(
      {
        command_id: Type.Optional(CommandIdField),
        bot_id: Type.Optional(BotIdField),
        description: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024, pattern: "\\S" })),
        reason: ReasonField,
      },
      CLOSED,
    ),
    output: BundleAnswer,
    success: [202],
    key: "either",
    permission: HELPERS,
    risk: () => "tighten",
    danger: ({ bot_id }, { guarded }: Facts) =>
      guarded
        ? {
            kind: "confirm",
            requires: [],
            phrase: bot_id ?? "home",
            base: { bundle: bot_id ?? "home" },
            roles: HELPERS,
          }
        : noDanger(),
    target: ({ bot_id }) => ({ resource_type: "support_bundle", resource_id: bot_id ?? "home" }),
    gates: [],
    load: async (reader, { bot_id }, { store }) => ({
      bot: bot_id === undefined ? undefined : ((await readBot(reader, store, bot_id)) ?? null),
      waiting: (await readBundles(reader, store, "REQUESTED")).length,
      guarded: addedBy(await readPolicy(reader, store))(CREATE).length > 0,
    }),
    preview: ({ bot }, { bot_id }) => ({ of: bot_id ?? "home", exists: bot !== null }),
    decide: ({ bot, waiting }, { bot_id, description, reason }, { now, newId, principal, store, trace_id }) => {
      if (bot === null) return err(failure("RUMI-BOT-001", { bot_id: bot_id ?? "" }));
      const limit = CONTROL_LIMITS.bundles_waiting;
      if (waiting >= limit) return err(failure("RUMI-CMD-050", { limit }, { reasonCode: "G.BUNDLE.TOO_MANY" }));
      const row = requestedBundle({
        bundle_id: newId(),
        bot_id: bot_id ?? null,
        description: description ?? null,
        reason,
        requested_by: principal.id,
        trace_id,
        occasion: null,
        created_at: now,
      });
      return ok({
        writes: [insertBundle(store, row)],
        events: [],
        outbox: [],
        feed: [{ kind: "support_bundle", key: row.bundle_id, data: { bundle_id: row.bundle_id, state: row.state } }],
        status: 202,
        data: bundleView(row, shelf),
      });
    },
  });

type Wish = Pick<
  BundleRow,
  "bundle_id" | "bot_id" | "description" | "reason" | "requested_by" | "trace_id" | "occasion" | "created_at"
>;
export const requestedBundle = (wish: Wish): BundleRow => ({
  ...wish,
  state: "REQUESTED",
  ready_at: null,
  manifest: null,
  manifest_sha256: null,
  archive_sha256: null,
  archive_bytes: null,
  failure: null,
  row_version: 1,
});

const listBundles = (shelf: BundleShelf): Declaration =>
  defineQuery({
    name: "support_bundles.list",
    summary: "Support bundles, newest first",
    http: { method: "GET", path: "/api/support_bundles" },
    input: Type.Object(
      { bot_id: Type.Optional(BotIdField), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) },
      CLOSED,
    ),
    output: BundlesAnswer,
    permission: EVERYONE,
    read: async (reader, { bot_id, limit = 50 }, { store }) => {
      let query = store
        .builder<BundleTables>()
        .selectFrom("support_bundle")
        .selectAll()
        .orderBy("created_at", "desc")
        .orderBy("bundle_id", "desc")
        .limit(limit);
      if (bot_id !== undefined) query = query.where("bot_id", "=", bot_id);
      const bundles = (await reader.rows<BundleRow>(query)).map((row) => bundleView(row, shelf));
      return ok({ bundles, count: bundles.length });
    },
  });

const BundleIdInput = Type.Object({ bundle_id: CommandIdField }, CLOSED);

const showBundle = (shelf: BundleShelf): Declaration =>
  defineQuery({
    name: "support_bundles.show",
    summary: "One support bundle: where it stands, and its manifest with the hash that the audit log keeps",
    http: { method: "GET", path: "/api/support_bundles/{bundle_id}" },
    input: BundleIdInput,
    output: BundleAnswer,
    permission: EVERYONE,
    read: async (reader, { bundle_id }, { store }) => {
      const row = await readBundle(reader, store, bundle_id);
      return row === undefined ? err(unknownBundle(bundle_id)) : ok(bundleView(row, shelf));
    },
  });

const downloadBundle = (shelf: BundleShelf): Declaration =>
  defineQuery({
    name: "support_bundles.archive",
    summary: "The archive of a bundle that is ready, base64",
    http: { method: "GET", path: "/api/support_bundles/{bundle_id}/archive" },
    input: BundleIdInput,
    output: BundleArchiveAnswer,
    permission: HELPERS,
    read: async (reader, { bundle_id }, { store }) => {
      const row = await readBundle(reader, store, bundle_id);
      const bytes = row?.state === "READY" ? shelf.get(bundle_id) : undefined;
      if (row === undefined || bytes === undefined) return err(unknownBundle(bundle_id));
      const { archive_sha256, manifest_sha256 } = row;
      const archive_base64 = Buffer.from(bytes).toString("base64");
      return ok({ bundle_id, archive_format: "zip", archive_sha256, manifest_sha256, archive_base64 });
    },
  });

const unknownBundle = (id: string) => failure("RUMI-SYS-011", { what: "support bundle that is ready", id });

export function bundleView(row: BundleRow, shelf: BundleShelf) {
  return {
    bundle_id: row.bundle_id,
    state: row.state,
    bot_id: row.bot_id,
    description: row.description,
    reason: row.reason,
    requested_by: row.requested_by,
    created_at: isoFromMicros(micros(row.created_at)),
    ready_at: row.ready_at === null ? null : isoFromMicros(micros(row.ready_at)),
    manifest: row.manifest === null ? null : jsonOf<BundleManifest>(row.manifest),
    manifest_sha256: row.manifest_sha256,
    archive_sha256: row.archive_sha256,
    archive_bytes: row.archive_bytes,
    path: row.state === "READY" ? shelf.path(row.bundle_id) : null,
    failure: row.failure === null ? null : jsonOf<FailureNote>(row.failure),
  };
}
