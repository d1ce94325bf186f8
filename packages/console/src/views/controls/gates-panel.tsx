/** Gates: what somebody outside has to report healthy before risk may grow; a report that has ended is UNKNOWN. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Gate } from "../../answers/controls.ts";
import { useConsole } from "../../context.ts";
import { useGates } from "../../control-queries.ts";
import { useMay } from "../../may.ts";
import { quoted, rumiLine } from "../../rumi-line.ts";
import { remainingText } from "../../time.ts";
import { useNow } from "../../use-now.ts";
import { Badge, type Tone } from "../badge.tsx";
import { Remaining } from "../outlook.tsx";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { RunbookLink } from "../runbook-link.tsx";

const STATE_TONE: Readonly<Record<Gate["state"], Tone>> = { PASS: "good", FAIL: "bad", UNKNOWN: "warn" };

export function GatesPanel(): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const gates = useGates();
  const [question, setQuestion] = useState<Question | null>(null);
  const ask = (gate: string, act: "require" | "disable"): void =>
    setQuestion({
      title: t(act === "require" ? "ask_gate_require" : "ask_gate_disable", { gate }),
      tone: act === "require" ? "primary" : "danger",
      line: (reason) => rumiLine(`gates ${act} ${quoted(gate)}`, { reason }),
      ...(act === "disable" ? { onTry: (wish) => api.tryDisableGate(gate, wish) } : {}),
      onYes: (wish) => api.requireGate(gate, act, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["gates"] }),
    });
  return (
    <Panel
      title={t("gates")}
      name="gates"
      problem={gates.error}
      line="rumi gates list"
      aside={
        <span className="end">
          <RunbookLink page="docs/runbooks/gates.md" />
        </span>
      }
    >
      {gates.data?.length === 0 && <p className="empty">{t("no_gates")}</p>}
      <ul className="rows" data-testid="gates">
        {(gates.data ?? []).map((gate) => (
          <GateRow
            key={gate.gate}
            gate={gate}
            onRequire={!gate.required && may.tighten("gates.require") ? () => ask(gate.gate, "require") : null}
            onDisable={gate.required && may.ask("gates.disable") ? () => ask(gate.gate, "disable") : null}
          />
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

function GateRow(props: {
  readonly gate: Gate;
  readonly onRequire: (() => void) | null;
  readonly onDisable: (() => void) | null;
}): JSX.Element {
  const { t } = useConsole();
  const now = useNow();
  const { gate, onRequire, onDisable } = props;
  const { gate: name, state, required, rules, evaluated_at, expires_at, reported_by } = gate;
  const evaluated = Date.parse(evaluated_at);
  const failed = rules.filter(({ passed }) => !passed);
  return (
    <li data-testid={`gate-${name}`}>
      <div className="row-head">
        <Badge tone={STATE_TONE[state]} look={required && state !== "PASS" ? "filled" : "outline"} text={state} />
        <strong>{name}</strong>
        <span className="dim">{t(required ? "required" : "not_required")}</span>
        <span className="row-actions end">
          {onRequire !== null && (
            <button type="button" onClick={onRequire}>
              {t("require")}
            </button>
          )}
          {onDisable !== null && (
            <button type="button" className="danger" onClick={onDisable}>
              {t("disable")}
            </button>
          )}
        </span>
      </div>
      <div className="row-head mono dim">
        {evaluated <= 0 ? (
          t("never_reported")
        ) : (
          <>
            <span title={evaluated_at}>
              {t("reported_ago", { time: remainingText(now - evaluated), who: reported_by })}
            </span>
            <Remaining until={expires_at} />
          </>
        )}
      </div>
      {failed.map(({ rule_id, message }) => (
        <div key={rule_id} className="wrap bad">
          {rule_id}
          {message === null ? "" : `: ${message}`}
        </div>
      ))}
    </li>
  );
}
