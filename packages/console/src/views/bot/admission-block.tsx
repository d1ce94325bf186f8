/** The newest admission report: which checks the strategy passed before it could start, and which it did not. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Reason } from "./reason.tsx";

export function AdmissionBlock({ botId }: { readonly botId: string }): JSX.Element {
  const { api, t } = useConsole();
  const report = useQuery({
    queryKey: ["bot", botId, "admission"],
    queryFn: async () => (await api.admissionsOf(botId)).admissions.at(0) ?? null,
    refetchInterval: 15_000,
  }).data;
  return (
    <div>
      <h3>{t("admission")}</h3>
      {report === null && <p className="dim">{t("no_admission")}</p>}
      {report !== null && report !== undefined && (
        <div data-testid="admission">
          <div className="row-head">
            <Badge
              tone={report.admitted ? "good" : "bad"}
              look={report.admitted ? "outline" : "filled"}
              text={t(report.admitted ? "admitted" : "not_admitted")}
            />
            <span className="mono dim">{dayText(report.created_at)}</span>
          </div>
          {report.reason_code !== null && (
            <div className="wrap">
              <Reason code={report.reason_code} tone="bad" page="docs/runbooks/reasons/admission.md" />
            </div>
          )}
          <ul className="checks">
            {report.checks.map(({ check, passed, reason_code, detail }) => (
              <li key={check} className={passed ? "" : "bad"} title={detail}>
                <span className={passed ? "good" : "bad"}>{passed ? "✓" : "✗"}</span> {check}
                {passed ? "" : ` ${reason_code ?? ""} ${detail}`}
              </li>
            ))}
          </ul>
        </div>
      )}
      <CopyLine line={commandText("admissions list", [], { bot_id: botId })} />
    </div>
  );
}
