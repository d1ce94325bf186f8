/** What runs ask people: the question with its details, how long there is, and the decision of whoever may make it. */
import type { JSX } from "react";
import type { FlowApproval } from "../../answers/flows.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay, useMe } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { Badge, type Tone } from "../badge.tsx";
import { Remaining, Whole } from "../outlook.tsx";
import { useQuestion } from "../use-question.tsx";
import { useFlowCalls } from "./flow-queries.ts";

const TONE: Readonly<Record<FlowApproval["state"], Tone>> = {
  open: "warn",
  approved: "good",
  rejected: "bad",
  expired: "bad",
};

export function ApprovalRows(props: {
  readonly approvals: readonly FlowApproval[];
  /** With the way to the run that asks. */
  readonly linked?: boolean;
}): JSX.Element {
  const { approvals, linked = false } = props;
  return (
    <ul className="rows" data-testid="flow-questions">
      {approvals.map((one) => (
        <Row key={one.approval_id} approval={one} linked={linked} />
      ))}
    </ul>
  );
}

function Row({ approval, linked }: { readonly approval: FlowApproval; readonly linked: boolean }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const me = useMe();
  const calls = useFlowCalls();
  const { ask, dialog } = useQuestion("flows");
  const { approval_id, flow_id, run_id, step_id, state, details, reason } = approval;
  const isOpen = state === "open";
  const isOthers = approval.second_person && me.data?.user_id === approval.asked_by;
  const decide = (verdict: "approve" | "reject"): void =>
    ask({
      title: t(verdict === "approve" ? "ask_go_on" : "ask_not_go_on", { flow: flow_id }),
      detail: approval.question,
      tone: verdict === "approve" ? "primary" : "danger",
      line: (why) => commandText(`flows ${verdict}`, [approval_id], { reason: why }),
      onYes: (wish) => calls.decide(approval_id, verdict, wish),
    });
  return (
    <li data-testid="flow-question" data-id={step_id} className={isOpen ? "asks" : ""}>
      <div className="row-head">
        {linked && (
          <a href={hrefOf({ kind: "flows", name: flow_id, run: run_id })}>
            <strong>{flow_id}</strong>
          </a>
        )}
        <span className="mono dim">{step_id}</span>
        <Badge tone={TONE[state]} text={t(`question_${state}`)} testId="question-state" />
        {isOpen && <Remaining until={approval.expires_at} />}
        {isOpen && !isOthers && (
          <span className="row-actions end">
            {may.ask("flows.approve") && (
              <button type="button" className="primary" onClick={() => decide("approve")}>
                {t("approve")}
              </button>
            )}
            {may.ask("flows.reject") && (
              <button type="button" className="danger" onClick={() => decide("reject")}>
                {t("reject")}
              </button>
            )}
          </span>
        )}
      </div>
      <p className="question wrap">{approval.question}</p>
      {details !== null && <Whole of={details} />}
      <div className="dim small wrap">
        {t("asked_by", { who: approval.asked_by })}
        {approval.decided_by !== null && ` · ${t("decided_by", { who: approval.decided_by })}`}
        {reason !== null && ` · ${reason}`}
      </div>
      {isOpen && isOthers && <p className="warn">{t("second_person_decides")}</p>}
      {dialog}
    </li>
  );
}
