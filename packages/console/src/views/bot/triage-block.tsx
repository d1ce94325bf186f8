/** What is wrong with the bot as the program sees it: class, probable cause, next step, and the page that says more. */
import type { JSX } from "react";
import type { BotDetail } from "../../answers/answers.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { hrefOf } from "../../page.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { RunbookLink } from "../runbook-link.tsx";

type Triage = NonNullable<BotDetail["triage"]>;

/** Nothing where nothing is wrong. */
export function TriageBlock(props: { readonly botId: string; readonly triage: Triage | null }): JSX.Element | null {
  const { t } = useConsole();
  const { botId, triage } = props;
  if (triage === null || triage.findings.length === 0) return null;
  return (
    <div className="triage" data-testid="triage">
      <h3>
        {t("findings")} <Badge tone={triage.state === "stuck" ? "bad" : "warn"} look="filled" text={triage.state} />
      </h3>
      <ul className="rows">
        {triage.findings.map((finding) => (
          <FindingRow key={`${finding.subject.kind}/${finding.subject.id}/${finding.error_code}`} finding={finding} />
        ))}
      </ul>
      <CopyLine line={commandText("triage", [botId])} />
    </div>
  );
}

function FindingRow({ finding }: { readonly finding: Triage["findings"][number] }): JSX.Element {
  const { t } = useConsole();
  const { subject, class: kind, error_code, reason_code, probable_cause, next_step, runbook, since } = finding;
  return (
    <li data-testid="finding">
      <div className="row-head">
        <Badge tone="warn" text={kind} />
        <span className="mono bad">{[error_code, reason_code].filter((code) => code !== null).join(" · ")}</span>
        <a href={hrefOf({ kind: "trace", id: subject.id })}>
          {subject.kind} {subject.id}
        </a>
        {since !== null && <span className="mono dim end">{dayText(since)}</span>}
      </div>
      <div className="wrap">{probable_cause}</div>
      <div className="row-head wrap">
        <strong>{t("next_step")}:</strong> {next_step} <RunbookLink page={runbook} />
      </div>
    </li>
  );
}
