/** What a pack is made of and whether it may be used: the gate's newest report, how it stands now, and its exceptions. */
import type { JSX } from "react";
import type { SupplyReport, WholePack } from "../../answers/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { saveFile } from "../../save-file.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { RunbookLink } from "../runbook-link.tsx";
import { useQuestion } from "../use-question.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";

const DECISION = {
  allow: ["good", "supply_allow"],
  deny: ["bad", "supply_deny"],
  allow_with_exception: ["warn", "supply_excepted"],
} as const;
const SEVERITIES = ["critical", "high", "medium", "low", "unknown"] as const;

export function SupplyPanel({ pack }: { readonly pack: WholePack }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const artifact_id = pack.approved_digest ?? pack.digest;
  const report = useOfPacks(["supply", artifact_id], (of) => of.supplyReport(artifact_id ?? ""), {
    enabled: artifact_id !== null,
  });
  const run = (): void =>
    ask({
      title: t("ask_gate_run", { pack: pack.pack_id }),
      detail: (
        <>
          <p>{t("gate_run_means")}</p>
          <p className="mono wrap">{artifact_id}</p>
        </>
      ),
      tone: "primary",
      line: (reason) => commandText("supply_chain gate-run", [], { artifact_id, reason }),
      onYes: (wish) => calls.runGate(artifact_id ?? "", wish),
    });
  return (
    <Panel
      title={t("supply_chain")}
      name="supply"
      problem={report.error}
      aside={
        <>
          {report.data != null && <Decision report={report.data} />}
          {artifact_id !== null && may.ask("supply_chain.gate_run") && (
            <button type="button" className="end" onClick={run}>
              {t("run_gate")}
            </button>
          )}
        </>
      }
    >
      {report.data === null && <p className="empty">{t("supply_teach")}</p>}
      {report.data != null && <Report report={report.data} />}
      {artifact_id !== null && <Signatures artifactId={artifact_id} />}
      {artifact_id !== null && <Exceptions artifactId={artifact_id} />}
      {artifact_id !== null && <CopyLine line={commandText("supply_chain reports", [], { artifact_id })} />}
      {dialog}
    </Panel>
  );
}

function Decision({ report }: { readonly report: SupplyReport }): JSX.Element {
  const { t } = useConsole();
  const { policy_decision, reason_code } = report.stands;
  const [tone, word] = DECISION[policy_decision];
  return <Badge tone={tone} text={t(word)} title={reason_code ?? ""} testId="supply-decision" />;
}

function Report({ report }: { readonly report: SupplyReport }): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const { stands, scg_id, vulnerabilities } = report;
  const download = async (): Promise<void> =>
    saveFile(`sbom-${scg_id}.cdx.json`, (await calls.bill(scg_id)).sbom, "application/vnd.cyclonedx+json");
  return (
    <div data-testid="supply-report">
      <p className="dim small">{t("gate_ran", { time: dayText(report.produced_at), who: report.produced_by })}</p>
      <dl className="facts">
        <div>
          <dt>{t("signature")}</dt>
          <dd>
            {report.signature_verified ? (
              <span className="good">{t("signed_by", { key: report.signature.keyid ?? "?" })}</span>
            ) : (
              <span className="warn">
                {t("not_signed")} {report.signature.reasons.map(({ what }) => what).join("; ")}
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>{t("components")}</dt>
          <dd>
            {report.components ?? "–"}{" "}
            {report.sbom_ref !== null && (
              <button type="button" className="link" onClick={() => void download()} data-testid="sbom">
                {t("download")} (CycloneDX)
              </button>
            )}
          </dd>
        </div>
        <div>
          <dt>{t("weaknesses")}</dt>
          <dd>
            {SEVERITIES.filter((one) => vulnerabilities[one] > 0)
              .map((one) => `${one} ${vulnerabilities[one]}`)
              .join(" · ") || (report.advisories.known ? t("none_known") : t("nothing_asked"))}
          </dd>
        </div>
        <div>
          <dt>{t("policy_revision")}</dt>
          <dd className="mono">{stands.policy_revision}</dd>
        </div>
      </dl>
      {stands.triage.length > 0 && (
        <>
          <h3>{t("supply_triage")}</h3>
          <ul className="rows" data-testid="supply-triage">
            {stands.triage.map((one) => (
              <li key={`${one.code} ${one.component} ${one.advisory_id}`}>
                <strong className="mono bad">{one.code}</strong> {one.what}
                {one.component !== null && <div className="mono dim wrap">{one.component}</div>}
                <div>
                  <strong>{t("next_step")}:</strong> {one.next_step}
                </div>
                {one.excepted_by !== null && <div className="warn small">{t("excepted", { by: one.excepted_by })}</div>}
              </li>
            ))}
          </ul>
          <RunbookLink page="docs/runbooks/supply-chain.md" />
        </>
      )}
    </div>
  );
}

function Signatures({ artifactId }: { readonly artifactId: string }): JSX.Element {
  const { t } = useConsole();
  const found = useOfPacks(["signatures", artifactId], async (of) => (await of.signatures(artifactId)).signatures);
  return (
    <>
      <h3>{t("signatures")}</h3>
      {found.data?.length === 0 && <p className="empty">{t("signatures_teach")}</p>}
      <ul className="plain mono small" data-testid="signatures">
        {(found.data ?? []).map(({ signature_id, keyids, added_by, added_at }) => (
          <li key={signature_id} className="wrap">
            {keyids.join(" ")} · {added_by} · {dayText(added_at)}
          </li>
        ))}
      </ul>
    </>
  );
}

function Exceptions({ artifactId }: { readonly artifactId: string }): JSX.Element | null {
  const { t } = useConsole();
  const found = useOfPacks(["exceptions", artifactId], async (of) => (await of.exceptions(artifactId)).overrides);
  if (found.data === undefined || found.data.length === 0) return null;
  return (
    <>
      <h3>{t("exceptions")}</h3>
      <ul className="plain small" data-testid="exceptions">
        {found.data.map((one) => (
          <li key={one.override_id} className="wrap">
            <Badge tone={one.state === "IN_FORCE" ? "warn" : "dim"} text={one.state} /> {one.reason} ·{" "}
            <span className="mono">
              {one.granted_by}
              {one.approver === null ? "" : ` + ${one.approver}`} · {dayText(one.ends_at)}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
