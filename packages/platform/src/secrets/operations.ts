/**
 * What an operator may do with secrets, as the Operations Guide prints it: list the keys, set, delete. Nothing shows a value.
 *
 * Deleting what a live bot's pack asks for has to be confirmed. Setting it anew does not ask: a challenge keeps the wish that
 * it stands before, and a value is kept nowhere but in the vault.
 */
import { err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { SECRET_LIMITS } from "./limits.ts";
import type { Secrets } from "./secrets.ts";
import { deletedRow, readSecretRow, readSecrets, saveSecret, setRow, type SecretRow } from "./tables.ts";
import { SECRET_KEY_PATTERN } from "./vault.ts";

const closed = { additionalProperties: false } as const;
const OPEN = { additionalProperties: true } as const;
/** What leaked has to be changed or taken away most of all when everything else stands still. */
const ANY_SAFETY = ["NORMAL", "SAFE", "EMERGENCY_STOP"] as const;
const KeyField = Type.String({ pattern: SECRET_KEY_PATTERN, description: "The secret's name." });
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const Instant = Type.String({ description: "RFC 3339, UTC." });

const entry = {
  key: Type.String(),
  exists: Type.Boolean(),
  deleted: Type.Boolean(),
  created_at: Instant,
  updated_at: Instant,
  deleted_at: Type.Optional(Instant),
} as const;
const SecretAnswer = Type.Object(entry, { ...OPEN, title: "Secret" });
const SecretsAnswer = Type.Object({ secrets: Type.Array(SecretAnswer), count: Type.Integer({ minimum: 0 }) }, OPEN);
const SetAnswer = Type.Object(
  { ...entry, encrypted: Type.Boolean({ description: "False: it lies on the disk as plain text." }) },
  OPEN,
);

const target = ({ key }: { readonly key: string }) => ({ resource_type: "secret", resource_id: key });

export function secretDeclarations(secrets: Secrets): readonly Declaration[] {
  return [listSecrets(), setSecret(secrets), deleteSecret(secrets)];
}

const listSecrets = (): Declaration =>
  defineQuery({
    name: "secrets.list",
    summary: "The keys of all secrets, deleted ones too; never a value",
    http: { method: "GET", path: "/api/secrets" },
    input: Type.Object({}, closed),
    output: SecretsAnswer,
    permission: ["operator", "admin"],
    read: async (reader, _input, { store }) => {
      const found = (await readSecrets(reader, store)).map(secretView);
      return ok({ secrets: found, count: found.length });
    },
  });

const setSecret = (secrets: Secrets): Declaration =>
  defineOperation({
    name: "secrets.set",
    summary: "Keep a secret under a key; its value is never shown again",
    http: { method: "POST", path: "/api/secrets/set" },
    input: Type.Object(
      {
        key: KeyField,
        value: Type.String({
          minLength: 1,
          maxLength: SECRET_LIMITS.value_characters,
          description: "The secret itself; never shown again.",
        }),
        reason: ReasonField,
      },
      closed,
    ),
    output: SetAnswer,
    key: "header",
    permission: ["admin"],
    secret_fields: ["value"],
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target,
    safety: ANY_SAFETY,
    gates: [],
    load: async (reader, { key }, { store }) => {
      const rows = await readSecrets(reader, store);
      const before = rows.find((row) => row.key === key);
      return { before, kept: rows.filter(({ file_id }) => file_id !== null).length, form: secrets.form() };
    },
    decide: ({ before, kept, form }, { key, value }, { now, store, newId }) => {
      if (!form.ok) return form;
      const isNew = before === undefined || before.file_id === null;
      if (isNew && kept >= SECRET_LIMITS.secrets)
        return err(failure("RUMI-SEC-006", { key, limit: SECRET_LIMITS.secrets }));
      const file_id = newId();
      const row = setRow(before, key, file_id, now);
      const encrypted = form.value === "encrypted";
      return ok({
        writes: [saveSecret(store, row, before)],
        events: [
          {
            action: "secret.set",
            ...target({ key }),
            outcome: "SUCCESS" as const,
            details: { encrypted, replaced: !isNew },
          },
        ],
        outbox: [],
        durable_first: () => secrets.stage({ key, file_id, value, before }),
        data: { ...secretView(row), encrypted },
      });
    },
  });

type DeleteFacts = { readonly before: SecretRow | undefined; readonly bots: readonly string[] };

const deleteSecret = (secrets: Secrets): Declaration =>
  defineOperation({
    name: "secrets.delete",
    summary: "Take a secret's value away; its key stays as a tombstone",
    http: { method: "POST", path: "/api/secrets/delete" },
    input: Type.Object({ key: KeyField, reason: ReasonField }, closed),
    output: SecretAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "neutral",
    danger: ({ key }, { before, bots }: DeleteFacts) =>
      bots.length === 0
        ? { kind: "none" }
        : {
            kind: "confirm",
            requires: ["phrase"],
            phrase: key,
            base: { generation: before?.generation ?? 0, bots: bots.join(" ") },
          },
    target,
    safety: ANY_SAFETY,
    gates: [],
    load: async (reader, { key }, { store }) => ({
      before: await readSecretRow(reader, store, key),
      bots: await secrets.liveBotsNeeding(reader, key),
    }),
    preview: ({ bots }: DeleteFacts, { key }) => ({ deletes: key, live_bots_that_need_it: bots }),
    decide: ({ before }: DeleteFacts, { key }, { now, store }) => {
      if (before === undefined || before.file_id === null) return err(failure("RUMI-SEC-001", { key }));
      const row = deletedRow(before, now);
      return ok({
        writes: [saveSecret(store, row, before)],
        events: [{ action: "secret.deleted", ...target({ key }), outcome: "SUCCESS" as const, details: {} }],
        outbox: [],
        data: secretView(row),
      });
    },
  });

function secretView({ key, file_id, created_at, updated_at, deleted_at }: SecretRow) {
  return {
    key,
    exists: file_id !== null,
    deleted: deleted_at !== null,
    created_at: isoFromMicros(micros(created_at)),
    updated_at: isoFromMicros(micros(updated_at)),
    ...(deleted_at === null ? {} : { deleted_at: isoFromMicros(micros(deleted_at)) }),
  };
}
