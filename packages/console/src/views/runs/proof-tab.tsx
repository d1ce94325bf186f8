/** A run's proof bundle: what changed, what its checks said, what lies outside its scope and who decided on it; to be saved. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { proofBundle, type CodeRunDetail, type ProofBundle, type Violation } from "../../answers/code-runs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { rumiLine } from "../../rumi-line.ts";
import { dayText } from "../../time.ts";
import { saveFile } from "../../save-file.ts";
import { Badge, type Tone } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { ProblemNote } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";

const CHECK_TONE = { passed: "good", failed: "bad", pending: "warn" } as const satisfies Readonly<Record<string, Tone>>;
const APPROVED_TONE = { approved: "good", rejected: "bad", pending: "warn" } as const satisfies Readonly<
  Record<Violation["approved_status"], Tone>
>;

export function ProofTab({ run }: { readonly run: CodeRunDetail }): JSX.Element {
  const { api, t } = useConsole();
  const newest = run.revisions.at(-1)?.revision ?? null;
  const [chosen, setChosen] = useState<number | null>(null);
  const revision = chosen ?? newest;
  const proof = useQuery({
    queryKey: ["runs", run.run_id, "proof", revision],
    queryFn: () => api.proofText(run.run_id, revision ?? 0),
    enabled: revision !== null,
    staleTime: Number.POSITIVE_INFINITY, // a revision never changes
  });
  if (revision === null)
    return (
      <p className="empty" data-testid="proof-none">
        {t(run.phase === "broken" ? "proof_broken" : "proof_not_yet")}
      </p>
    );
  if (proof.data === undefined)
    return proof.error === null ? <p className="empty">…</p> : <ProblemNote problem={proof.error} t={t} />;
  const bundle = proofBundle(JSON.parse(proof.data), "proof");
  return (
    <div data-testid="proof" className="proof">
      <div className="row-head">
        <label>
          {t("revision")}{" "}
          <select value={revision} data-testid="revision" onChange={(event) => setChosen(Number(event.target.value))}>
            {run.revisions.map((one) => (
              <option key={one.revision} value={one.revision}>
                {one.revision} · {dayText(one.generated_at)}
              </option>
            ))}
          </select>
        </label>
        <span className="mono" data-testid="diff-stat">
          <span className="good">+{bundle.diff_stat.added}</span>{" "}
          <span className="bad">−{bundle.diff_stat.removed}</span> {t("files", { count: bundle.diff_stat.files })}
        </span>
        <button type="button" className="end" data-testid="download" onClick={() => save(bundle, proof.data)}>
          {t("download")}
        </button>
      </div>
      <Checks bundle={bundle} />
      <Violations run={run} bundle={bundle} isNewest={revision === newest} />
      <h3>{t("changed_files")}</h3>
      {bundle.changed_files.length === 0 && <p className="empty">{t("nothing_changed")}</p>}
      <ul className="mono plain" data-testid="changed-files">
        {bundle.changed_files.map((path) => (
          <li key={path}>{path}</li>
        ))}
      </ul>
      <Scope bundle={bundle} />
      <p className="dim">{t("verify_with")}</p>
      <CopyLine
        line={commandText("proof verify", [`run-${bundle.run_id}-proof-${bundle.revision}.json`], { repo: run.repo })}
      />
    </div>
  );
}

/** As it was served: the same bytes, so that its digest is the one in the audit log. */
function save({ run_id, revision }: ProofBundle, text: string): void {
  saveFile(`run-${run_id}-proof-${revision}.json`, text);
}

function Checks({ bundle }: { readonly bundle: ProofBundle }): JSX.Element {
  const { t } = useConsole();
  return (
    <>
      <h3>{t("definition_of_done")}</h3>
      {bundle.dod_results.length === 0 && <p className="empty">{t("no_checks")}</p>}
      <ul className="plain" data-testid="dod">
        {bundle.dod_results.map(({ check_key, label, required, status, exit_code, executed_nothing }) => (
          <li key={check_key} className="row-head" data-key={check_key}>
            <Badge tone={CHECK_TONE[status]} text={t(`check_${status}`)} testId="check-status" />
            <span>{label}</span>
            <span className="mono dim">
              {check_key}
              {required ? "" : ` · ${t("not_required")}`}
              {exit_code === null ? "" : ` · ${t("exit_code", { code: exit_code })}`}
            </span>
            {executed_nothing === true && <Badge tone="warn" text={t("executed_nothing")} />}
          </li>
        ))}
      </ul>
    </>
  );
}

function Violations(props: {
  readonly run: CodeRunDetail;
  readonly bundle: ProofBundle;
  readonly isNewest: boolean;
}): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const { run, bundle, isNewest } = props;
  const ask = ({ violation_id, path }: Violation, verdict: "approve" | "reject"): void =>
    setQuestion({
      title: t(verdict === "approve" ? "ask_violation_approve" : "ask_violation_reject"),
      detail: path,
      tone: verdict === "approve" ? "primary" : "danger",
      line: (reason) => rumiLine(`runs violations-${verdict} ${run.run_id} ${violation_id}`, { reason }),
      onYes: (wish) => api.decideViolation(run.run_id, violation_id, verdict, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["runs"] }),
    });
  const undecided = (id: number): boolean =>
    isNewest && run.violations.some((one) => one.violation_id === id && one.approved_status === "pending");
  return (
    <>
      <h3>{t("scope_violations")}</h3>
      {bundle.scope_violations.length === 0 && <p className="empty">{t("no_violations")}</p>}
      <ul className="plain" data-testid="violations">
        {bundle.scope_violations.map((violation) => (
          <li key={violation.violation_id} className="row-head" data-path={violation.path}>
            <Badge
              tone={APPROVED_TONE[violation.approved_status]}
              text={t(`violation_${violation.approved_status}`)}
              testId="violation-status"
            />
            <span className="mono wrap">{violation.path}</span>
            <span className="mono dim">
              {violation.reason}
              {violation.decided_by === null ? "" : ` · ${violation.decided_by}`}
            </span>
            {undecided(violation.violation_id) && (
              <span className="row-actions end">
                {may.tighten("runs.violations_reject") && (
                  <button type="button" className="danger" onClick={() => ask(violation, "reject")}>
                    {t("reject")}
                  </button>
                )}
                {may.ask("runs.violations_approve") && (
                  <button type="button" className="primary" onClick={() => ask(violation, "approve")}>
                    {t("approve")}
                  </button>
                )}
              </span>
            )}
          </li>
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </>
  );
}

function Scope({ bundle: { scope_snapshot, enforcement } }: { readonly bundle: ProofBundle }): JSX.Element {
  const { t } = useConsole();
  return (
    <>
      <h3>{t("scope")}</h3>
      <dl className="mono facts" data-testid="scope">
        {(["write", "read", "exclude"] as const).map((name) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{scope_snapshot[name].join("  ") || "–"}</dd>
          </div>
        ))}
        <div>
          <dt>{t("enforcement")}</dt>
          <dd>
            scope {enforcement.scope} · outside {enforcement.outside} · {enforcement.mechanism}
          </dd>
        </div>
      </dl>
    </>
  );
}
