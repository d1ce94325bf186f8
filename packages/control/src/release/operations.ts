/** Revoking a release certificate, and reading certificates back with how they stand. */
import { err, failure, ok } from "@rumi/kernel";
import type { Attester } from "@rumi/ledger";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { BotIdField, CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, feed } from "../shared/sql.ts";
import { supplyChanged } from "../supply-chain/tables.ts";
import {
  CertificatesAnswer,
  CertificateStatusAnswer,
  RevokedCertificateAnswer,
  ShownCertificateAnswer,
} from "./answers.ts";
import { issueCertificate, type IssueDeps } from "./issue.ts";
import { statusOf, statusStatement } from "./manifest.ts";
import { releasePolicyDeclarations } from "./policy-operations.ts";
import { REVOKED } from "./standing.ts";
import { readCertificate, readCertificates, revokeCertificate, type CertificateRow } from "./tables.ts";
import { certificateView, standsNow, wholeView } from "./view.ts";

export const releaseDeclarations = (deps: IssueDeps): readonly Declaration[] => [
  issueCertificate(deps),
  revoke,
  listCertificates,
  showCertificate(deps.attester),
  statusQuery(deps),
  ...releasePolicyDeclarations(),
];

const unknown = (cert_id: string) => err(failure("RUMI-SYS-011", { what: "release certificate", id: cert_id }));
const CertInput = Type.Object({ cert_id: CommandIdField }, CLOSED);

const revoke: Declaration = defineOperation({
  name: "release.revoke",
  summary: "Revoke a release certificate for good; its bot starts no more until another one is issued",
  http: { method: "POST", path: "/api/release/cert/revoke", aliases: ["/release/cert/revoke"] },
  input: Type.Object({ command_id: CommandIdField, cert_id: CommandIdField, reason: ReasonField }, CLOSED),
  output: RevokedCertificateAnswer,
  key: "command_id",
  permission: ["operator", "admin", "break_glass"],
  // One person, in every mode: what it forbids can only be less than before.
  risk: () => "tighten",
  above_policies: () => true,
  danger: noDanger,
  target: ({ cert_id }) => ({ resource_type: "release_certificate", resource_id: cert_id }),
  gates: [],
  load: (reader, { cert_id }, { store }) => readCertificate(reader, store, cert_id),
  decide: (row: CertificateRow | undefined, { cert_id, reason }, { now, principal, store }) => {
    if (row === undefined) return unknown(cert_id);
    if (row.status === "revoked")
      return ok({ writes: [], events: [], outbox: [], data: { ...certificateView(row), changed: false } });
    const end = { revoked_at: now, revoked_by: principal.id, revoke_reason: reason };
    const next: CertificateRow = { ...row, ...end, status: "revoked" };
    const { bot_id, version, manifest_hash, status } = next;
    return ok({
      writes: [
        revokeCertificate(store, cert_id, end),
        // A start that was judged before finds out at its commit.
        supplyChanged(store),
        feed(store, "release_certificate", cert_id, { cert_id, bot_id, version, status, manifest_hash }, now),
      ],
      events: [
        {
          action: "release.cert.revoked",
          resource_type: "release_certificate",
          resource_id: cert_id,
          outcome: "SUCCESS",
          details: { cert_id, bot_id, version, manifest_hash, reason_code: REVOKED },
        },
      ],
      outbox: [],
      data: { ...certificateView(next), changed: true },
    });
  },
});

const listCertificates: Declaration = defineQuery({
  name: "release.list",
  summary: "Release certificates, newest first",
  http: { method: "GET", path: "/api/release/cert" },
  input: Type.Object(
    {
      bot_id: Type.Optional(BotIdField),
      status: Type.Optional(Type.Union([Type.Literal("issued"), Type.Literal("revoked")])),
      ...PAGE_FIELDS,
    },
    CLOSED,
  ),
  output: CertificatesAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id, status, cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["number", "string"]);
    if (!after.ok) return after;
    const rows = await readCertificates(reader, store, { bot_id, status, after: after.value, limit: limit + 1 });
    const { page, next_cursor } = pageOf(rows, limit, ({ issued_at, cert_id }) => [issued_at, cert_id]);
    return ok({ certificates: page.map(certificateView), count: page.length, next_cursor });
  },
});

const showCertificate = (attester: Attester | undefined): Declaration =>
  defineQuery({
    name: "release.show",
    summary: "One release certificate with its manifest and signed envelope, and how it stands now",
    http: { method: "GET", path: "/api/release/certs/{cert_id}" },
    input: CertInput,
    output: ShownCertificateAnswer,
    permission: EVERYONE,
    read: async (reader, { cert_id }, { store, now }) => {
      const row = await readCertificate(reader, store, cert_id);
      if (row === undefined) return unknown(cert_id);
      return ok({ ...wholeView(row, attester?.public_pem ?? null), ...(await standsNow(reader, store, row, now)) });
    },
  });

/** Signed at each question, with its time: whoever checks offline says how old it may be. */
const statusQuery = ({ attester, environment }: IssueDeps): Declaration =>
  defineQuery({
    name: "release.status",
    summary: "How a release certificate stands now, signed with its time, for whoever checks offline",
    http: { method: "GET", path: "/api/release/certs/{cert_id}/status" },
    input: CertInput,
    output: CertificateStatusAnswer,
    permission: EVERYONE,
    read: async (reader, { cert_id }, { store, now }) => {
      const row = await readCertificate(reader, store, cert_id);
      if (row === undefined) return unknown(cert_id);
      if (attester === undefined) return err(failure("RUMI-SYS-011", { what: "key", id: "of attestations" }));
      const status = statusOf(row, { environment, ...(await standsNow(reader, store, row, now)) }, now);
      const envelope = attester.sign(statusStatement(status));
      return ok({ ...status, envelope, public_key: attester.public_pem });
    },
  });
