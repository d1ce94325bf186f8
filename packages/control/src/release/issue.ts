/**
 * Issuing a release certificate: everything that it attests is looked at now, kept, and named by where it is and what it was.
 *
 * How to think: a certificate is asked for by one person and vouched for by another. Whatever would refuse a live start of
 * this version refuses its certificate, by the same code; what an override lets pass is not attested, but for an exception
 * of the supply chain, which ends, and the certificate with it.
 *
 * Invariants (packages/rumi/test/release.test.ts)
 * - Nothing is signed that did not pass: each failing item refuses alone.
 * - Of two that are asked for the same version at once, one is issued.
 */
import { canonicalJson, digestOf, err, failure, invariant, isoFromMicros, micros, ok } from "@rumi/kernel";
import type { Failure, Result } from "@rumi/kernel";
import type { Attester } from "@rumi/ledger";
import { defineOperation, type Declaration, type DecideContext, type Decision } from "@rumi/operations";
import type { PreflightDeps } from "../preflight/gather.ts";
import { judgePreflight, type PreflightReport } from "../preflight/model.ts";
import { insertReport, reportRow as preflightRow, reportView as preflightView } from "../preflight/tables.ts";
import { feed, jsonOf } from "../shared/sql.ts";
import { reportView as supplyView } from "../supply-chain/report.ts";
import { supplyChanged, type SupplyReportRow } from "../supply-chain/tables.ts";
import { CertificateAnswer } from "./answers.ts";
import { IssueInput, loadIssue, type IssueFacts, type IssueSubject, type IssueWish } from "./facts.ts";
import { certificateStatement, refTo, textOf, type AttestedItems, type CertificateManifest } from "./manifest.ts";
import { standingOf } from "./standing.ts";
import { insertCertificate, type CertificateRow } from "./tables.ts";
import { ISSUED, wholeView } from "./view.ts";

export type IssueDeps = PreflightDeps & { readonly environment: string; readonly attester?: Attester };

export const issueCertificate = (deps: IssueDeps): Declaration =>
  defineOperation({
    name: "release.issue",
    summary: "Issue a release certificate: what a bot's version passed, signed; two people",
    http: { method: "POST", path: "/api/release/cert/issue", aliases: ["/release/cert/issue"] },
    input: IssueInput,
    output: CertificateAnswer,
    success: [201],
    key: "command_id",
    permission: ["admin"],
    risk: () => "increase",
    danger: (input, facts: IssueFacts) => {
      // What cannot be issued is refused as it stands.
      const ready = judgeIssue(facts, input, "asked");
      if (!ready.ok) return { kind: "none" };
      const { bot, facts: found } = ready.value.subject;
      const base = { generation: bot.generation, version: found.version, spec_digest: found.spec_digest };
      return { kind: "confirm", requires: ["phrase", "second_person"], phrase: bot.bot_id, base };
    },
    target: ({ bot_id }) => ({ resource_type: "bot", resource_id: bot_id }),
    gates: [],
    load: (reader, input, { store, now }) => loadIssue(deps, reader, store, input, now),
    preview: ({ subject }: IssueFacts, { bot_id }) =>
      subject === undefined
        ? { bot_id }
        : {
            bot_id,
            version: subject.version,
            spec_digest: subject.facts.spec_digest,
            artifact_id: subject.spec.strategy.digest,
            changelog: subject.told.text,
            preflight: judgePreflight(subject.preflight, "preview").report,
            scg_id: subject.report?.scg_id ?? null,
          },
    decide: (facts: IssueFacts, input, context) => {
      const report_id = context.newId();
      const ready = judgeIssue(facts, input, report_id);
      if (!ready.ok) return ready;
      if (deps.attester === undefined) return err(failure("RUMI-SYS-011", { what: "key", id: "of attestations" }));
      return ok(issued({ ...deps, attester: deps.attester }, ready.value, input, context));
    },
  });

type Ready = {
  readonly subject: IssueSubject;
  readonly preflight: PreflightReport;
  readonly report: SupplyReportRow;
  /** The proof of the bot's last stop; undefined where it never ran or runs. */
  readonly stop: { readonly run_id: string; readonly envelope: string } | undefined;
};

function judgeIssue({ subject, now }: IssueFacts, wish: IssueWish, report_id: string): Result<Ready, Failure> {
  const { bot_id } = wish;
  if (subject === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
  const { bot, version, report, stops, certificates, facts } = subject;
  const refused = (item: string, problem: string): Result<never, Failure> =>
    err(
      failure(
        "RUMI-REL-004",
        { bot_id, version, item, problem },
        { reasonCode: "L.RELEASE_CERT.REFUSED", details: { failed_item: item } },
      ),
    );
  if (wish.version !== undefined && wish.version !== version)
    return refused("version", `${wish.version} was asked for and it is ${version}`);
  if (bot.state === "QUARANTINED") return refused("state", "it is in quarantine");
  const { report: preflight, refusal } = judgePreflight(subject.preflight, report_id);
  if (refusal !== undefined) return err(refusal);
  const overridden = preflight.items.find(({ item, state }) => state === "OVERRIDDEN" && item !== "supply_chain");
  if (overridden !== undefined) return refused(overridden.item, "an override lets it pass, which attests nothing");
  if (report === undefined) return refused("supply_chain", "the gate was never run on its artifact");
  if (report.policy_decision === "deny") return refused("supply_chain", "the newest report of its artifact denies it");
  const stands = bot.run_id === null ? stops : [];
  const unproven = stands.find(({ attested_at }) => attested_at === null);
  if (unproven !== undefined) return refused("stop_attestation", `the stop of run ${unproven.run_id} is not proven`);
  const [newest] = certificates;
  if (newest !== undefined && newest.issued_at >= now)
    return refused("clock", "a certificate of it was issued later than it is now");
  const same = certificates.find((row) => standingOf(row, facts, now).stands === "in_force");
  if (same !== undefined && same === newestOf(certificates, subject))
    return err(
      failure(
        "RUMI-REL-005",
        { bot_id, version, cert_id: same.cert_id },
        { reasonCode: "L.RELEASE_CERT.IN_FORCE", details: { cert_id: same.cert_id } },
      ),
    );
  const [last] = stands;
  const stop = last?.envelope == null ? undefined : { run_id: last.run_id, envelope: last.envelope };
  return ok({ subject, preflight, report, stop });
}

/** Of this very version, the newest: an older one that would stand does not speak after it was revoked. */
function newestOf(rows: readonly CertificateRow[], { facts }: IssueSubject): CertificateRow | undefined {
  return rows.find((row) => row.version === facts.version && row.spec_digest === facts.spec_digest);
}

function issued(
  { attester, environment }: { readonly attester: Attester; readonly environment: string },
  ready: Ready,
  input: IssueWish,
  context: DecideContext,
): Decision {
  const { approval_id, newId, now, principal, store } = context;
  invariant(approval_id !== null, "a certificate was issued without a confirmed challenge");
  const { subject, preflight, report } = ready;
  const { bot_id } = input;
  const { version, spec, told, supply } = subject;
  const { pack_id, strategy_id, strategy_version, digest } = spec.strategy;
  const of = { bot_id, command_id: input.command_id, now };
  const excepted_until = supply.policy_decision === "allow_with_exception" ? supply.valid_until : null;
  const manifest: CertificateManifest = {
    schema_version: 1,
    cert_id: newId(),
    environment,
    bot_id,
    version,
    issued_at: isoFromMicros(now),
    spec_digest: subject.facts.spec_digest,
    config_hash: digestOf(canonicalJson(spec.config)),
    artifact: { pack_id, strategy_id, strategy_version, digest },
    supply_chain: {
      policy_decision: supply.policy_decision === "allow" ? "allow" : "allow_with_exception",
      policy_revision: supply.policy_revision,
      exception_ref: supply.exception_ref,
      exception_ends_at: excepted_until === null ? null : isoFromMicros(micros(excepted_until)),
    },
    attested_items: attestedItems(ready, preflightView(preflightRow(preflight, of))),
  };
  const text = textOf(manifest);
  const envelope = attester.sign(certificateStatement(manifest));
  const row: CertificateRow = {
    cert_id: manifest.cert_id,
    bot_id,
    version,
    spec_digest: subject.facts.spec_digest,
    artifact_id: digest,
    changelog_digest: digestOf(told.text),
    reported_at: report.produced_at,
    excepted_until,
    manifest: text,
    manifest_hash: digestOf(text),
    envelope: JSON.stringify(envelope),
    signature_ref: refTo(attester.keyid, envelope),
    status: "issued",
    reason: input.reason,
    issued_by: principal.id,
    approval_id,
    issued_at: now,
    revoked_at: null,
    revoked_by: null,
    revoke_reason: null,
  };
  const { cert_id, manifest_hash, signature_ref } = row;
  const brief = { cert_id, bot_id, version, status: row.status, manifest_hash };
  return {
    writes: [
      insertReport(store, preflight, of),
      insertCertificate(store, row),
      // Whoever asks for the same at the same time looks once more.
      supplyChanged(store),
      feed(store, "release_certificate", cert_id, brief, now),
    ],
    events: [
      {
        action: "release.cert.issued",
        resource_type: "release_certificate",
        resource_id: cert_id,
        outcome: "SUCCESS",
        details: {
          cert_id,
          bot_id,
          version,
          manifest_hash,
          signature_ref,
          artifact_id: digest,
          report_id: preflight.report_id,
          scg_id: report.scg_id,
          reason_code: ISSUED,
        },
      },
    ],
    outbox: [],
    status: 201,
    data: wholeView(row, attester.public_pem),
  };
}

function attestedItems({ subject, report, stop }: Ready, preflight: ReturnType<typeof preflightView>): AttestedItems {
  const { bot_id } = subject.bot;
  const { version, spec, told } = subject;
  const at = `/api/preflights/${preflight.report_id}`;
  const item = (name: string): string => {
    const found = preflight.items.find((one) => one.item === name);
    invariant(found !== undefined && found.state === "PASS", "only what passed is attested");
    return refTo(`${at}#${name}`, found);
  };
  return {
    preflight_ok_ref: refTo(at, preflight),
    compatibility_ok_ref: item("compatibility"),
    artifact_digest_verified_ref: item("artifact_digest"),
    supply_chain_ok_ref: refTo(`/api/supply_chain/reports/${report.scg_id}`, supplyView(report)),
    runbook_attached_ref: refTo(`/api/bots/${bot_id}#${version}/runbook`, spec.runbook ?? ""),
    changelog_gate_ok_ref: refTo(`/api/bots/${bot_id}/changelog#${told.version}`, told.text),
    rollout_plan_ref: null,
    stop_attestation_ref:
      stop === undefined ? null : refTo(`/api/attestations/${stop.run_id}`, jsonOf<unknown>(stop.envelope)),
  };
}
