/** What went wrong with a wish: code, reason, next step, and the page that says more. */
import type { JSX } from "react";
import type { Refusal } from "../answers/answers.ts";
import { RefusedError } from "../api.ts";
import { useConsole } from "../context.ts";
import { hrefOf } from "../page.ts";
import { RunbookLink } from "./runbook-link.tsx";

export type Trouble =
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "other"; readonly message: string };

export function TroubleBox(props: { readonly trouble: Trouble; readonly onLeave: () => void }): JSX.Element {
  const { t } = useConsole();
  const { trouble, onLeave } = props;
  if (trouble.kind === "other")
    return (
      <div className="refusal" role="alert" data-testid="refusal">
        <strong className="bad">{trouble.message}</strong>
      </div>
    );
  const { error, error_code, reason_code, suggestion, trace_id, runbook, challenge } = trouble.refusal;
  return (
    <div className={`refusal ${challenge === null ? "" : "asked"}`} role="alert" data-testid="refusal">
      <div>
        <strong className={challenge === null ? "bad" : "warn"}>
          {challenge === null ? t("refused") : t("to_be_confirmed")}
        </strong>{" "}
        <span className="mono" data-testid="refusal-code">
          {error_code}
          {reason_code === null ? "" : ` · ${reason_code}`}
        </span>
      </div>
      <div>{error}</div>
      <div data-testid="next-step">
        <strong>{t("next_step")}:</strong> {suggestion}
      </div>
      <div className="row-head">
        <RunbookLink page={runbook} />
        {challenge?.requires.includes("second_person") === true && (
          <a
            href={hrefOf({ kind: "approvals", id: challenge.challenge_id })}
            onClick={onLeave}
            data-testid="to-approvals"
          >
            {t("to_approvals")}
          </a>
        )}
      </div>
      {trace_id !== null && <div className="mono dim">trace {trace_id}</div>}
    </div>
  );
}

export function troubleOf(problem: unknown): Trouble {
  if (problem instanceof RefusedError) return { kind: "refused", refusal: problem.refusal };
  return { kind: "other", message: problem instanceof Error ? problem.message : String(problem) };
}
