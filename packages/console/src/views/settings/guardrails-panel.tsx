/** The guardrails in force, and another text of them: tried first, then put in force. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Guardrails } from "../../answers/settings.ts";
import { record } from "../../answers/shape.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { rumiLine } from "../../rumi-line.ts";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";

export function GuardrailsPanel(): JSX.Element {
  const { api, t } = useConsole();
  const policy = useQuery({ queryKey: ["guardrails"], queryFn: api.guardrails });
  return (
    <Panel title={t("guardrails")} name="guardrails" problem={policy.error} line="rumi guardrails show">
      {policy.data !== undefined && (
        <>
          <p className="dim wrap" data-testid="guardrails-version">
            {policy.data.version === 0
              ? t("guardrails_none")
              : `${t("version_number", { version: policy.data.version })} · ${policy.data.updated_by ?? ""}`}
          </p>
          <Editor key={policy.data.version} policy={policy.data} />
        </>
      )}
    </Panel>
  );
}

function Editor({ policy }: { readonly policy: Guardrails }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const { high_risk_actions, friction_level_by_action, contextual_warnings, hard_block_conditions } = policy;
  const now = JSON.stringify(
    { high_risk_actions, friction_level_by_action, contextual_warnings, hard_block_conditions },
    null,
    2,
  );
  const [text, setText] = useState(now);
  const [question, setQuestion] = useState<Question | null>(null);
  const wanted = objectOf(text);
  const ask = (body: Readonly<Record<string, unknown>>): void =>
    setQuestion({
      title: t("ask_guardrails"),
      tone: "danger",
      line: (reason) => rumiLine("guardrails set", { ...(body as Record<string, object>), reason }),
      onTry: (wish) => api.tryGuardrails(body, wish),
      onYes: (wish) => api.setGuardrails(body, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["guardrails"] }),
    });
  return (
    <div className="config-form">
      <textarea
        className="mono"
        rows={10}
        spellCheck={false}
        value={text}
        aria-label={t("guardrails")}
        readOnly={!may.dangerous("guardrails.set")}
        onChange={(event) => setText(event.target.value)}
        data-testid="guardrails"
      />
      {wanted === null && (
        <span className="bad" role="alert">
          {t("no_json")}
        </span>
      )}
      {may.dangerous("guardrails.set") && (
        <div className="buttons">
          <button
            type="button"
            className="danger"
            disabled={wanted === null || text === now}
            onClick={() => wanted !== null && ask(wanted)}
          >
            {t("put_in_force")}
          </button>
        </div>
      )}
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </div>
  );
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return record(JSON.parse(text), "guardrails");
  } catch {
    return null; // said beside the text
  }
}
