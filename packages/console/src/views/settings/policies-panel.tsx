/** Who may do what beyond roles: the policies in force, what others would have answered, and putting them in force. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Simulation } from "../../answers/settings.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { rumiLine } from "../../rumi-line.ts";
import { dayText } from "../../time.ts";
import { Panel, ProblemNote } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { ScrollX } from "../scroll-x.tsx";

export function PoliciesPanel(): JSX.Element {
  const { api, t } = useConsole();
  const policy = useQuery({ queryKey: ["policy"], queryFn: api.policy });
  const { version, created_by, created_at, reason } = policy.data ?? {};
  return (
    <Panel title={t("policies")} name="policies" problem={policy.error} line="rumi policies show">
      {policy.data !== undefined && (
        <>
          <p className="dim wrap" data-testid="policy-version">
            {version === 0
              ? t("policies_none")
              : [t("version_number", { version: version ?? 0 }), created_by, created_at && dayText(created_at), reason]
                  .filter((word) => word !== null && word !== undefined)
                  .join(" · ")}
          </p>
          <Editor key={version} cedar={policy.data.cedar} />
        </>
      )}
    </Panel>
  );
}

function Editor({ cedar }: { readonly cedar: string }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const [text, setText] = useState(cedar);
  const [simulated, setSimulated] = useState<Simulation | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const [question, setQuestion] = useState<Question | null>(null);
  const simulate = async (): Promise<void> => {
    setIsBusy(true);
    setProblem(null);
    setSimulated(null);
    try {
      setSimulated(await api.simulatePolicy(text));
    } catch (cause) {
      setProblem(cause instanceof Error ? cause : new Error(String(cause)));
    }
    setIsBusy(false);
  };
  const ask = (): void =>
    setQuestion({
      title: t("ask_policies"),
      tone: "danger",
      line: (reason) => rumiLine("policies set", { cedar: text, reason }),
      onTry: (wish) => api.tryPolicy(text, wish),
      onYes: (wish) => api.setPolicy(text, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["policy"] }),
    });
  return (
    <div className="config-form">
      <textarea
        className="mono"
        rows={8}
        spellCheck={false}
        value={text}
        aria-label={t("policies")}
        readOnly={!may.ask("policies.simulate")}
        onChange={(event) => {
          setText(event.target.value);
          setSimulated(null);
        }}
        data-testid="cedar"
      />
      {problem !== null && <ProblemNote problem={problem} t={t} />}
      {simulated !== null && <Flips of={simulated} />}
      <div className="buttons">
        {may.ask("policies.simulate") && (
          <button type="button" disabled={isBusy} onClick={() => void simulate()}>
            {t(isBusy ? "loading" : "simulate")}
          </button>
        )}
        {may.dangerous("policies.set") && (
          <button type="button" className="danger" disabled={text === cedar} onClick={ask}>
            {t("put_in_force")}
          </button>
        )}
      </div>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </div>
  );
}

/** Which commands that were really given would have been answered otherwise. */
function Flips({ of: { replayed, flips } }: { readonly of: Simulation }): JSX.Element {
  const { t } = useConsole();
  return (
    <section className="outlook" data-testid="flips" role="status">
      <h3>{t("simulated", { replayed, flips: flips.length })}</h3>
      {flips.length > 0 && (
        <ScrollX label={t("simulate")}>
          <table>
            <thead>
              <tr>
                {(["actor", "command", "audit_target", "before", "after"] as const).map((word) => (
                  <th key={word} scope="col">
                    {t(word)}
                  </th>
                ))}
                <th scope="col" className="number">
                  ×
                </th>
              </tr>
            </thead>
            <tbody>
              {flips.map(({ principal, operation, resource, before, after, policies, times }) => (
                <tr key={`${principal} ${operation} ${resource}`}>
                  <td className="mono">{principal}</td>
                  <td className="mono">{operation}</td>
                  <td className="mono">{resource}</td>
                  <td className="mono">{before}</td>
                  <td className={`mono ${after === "allow" ? "good" : "bad"}`}>{[after, ...policies].join(" · ")}</td>
                  <td className="number mono">{times}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollX>
      )}
    </section>
  );
}
