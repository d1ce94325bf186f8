/** Freezes, incidents and locks: set at once, lifted only by an administrator's confirmed act. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { HOLD_KINDS, scopeText, type Hold, type HoldKind } from "../../answers/controls.ts";
import { useConsole } from "../../context.ts";
import { useHolds } from "../../control-queries.ts";
import { useMay } from "../../may.ts";
import { rumiLine } from "../../rumi-line.ts";
import { dayText } from "../../time.ts";
import { Badge, type Tone } from "../badge.tsx";
import { Remaining } from "../outlook.tsx";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { RunbookLink } from "../runbook-link.tsx";
import { EVERYBODY, ScopePicker, scopeOf, type Picked } from "./scope-picker.tsx";

const KIND_TONE: Readonly<Record<HoldKind, Tone>> = { freeze: "info", incident: "warn", lock: "bad" };
const KIND_WORD = { freeze: "freeze", incident: "incident", lock: "lock" } as const;
/** Hours after which it waits for a review; 0: until it is lifted. */
const HOURS = [0, 1, 8, 24, 168] as const;

export function HoldsPanel(): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const holds = useHolds();
  const [question, setQuestion] = useState<Question | null>(null);
  const again = (): void => void queries.invalidateQueries({ queryKey: ["holds"] });
  const lift = ({ hold_id, kind, scope }: Hold): void =>
    setQuestion({
      title: t("ask_lift", { kind: t(KIND_WORD[kind]), scope: scopeText(scope) }),
      tone: "primary",
      line: (reason) => rumiLine(`holds lift ${hold_id}`, { reason }),
      onTry: (wish) => api.tryLift(hold_id, wish),
      onYes: (wish) => api.liftHold(hold_id, wish),
      onDone: again,
    });
  return (
    <Panel
      title={t("holds")}
      name="holds"
      problem={holds.error}
      line="rumi holds list"
      aside={
        <span className="end">
          <RunbookLink page="docs/runbooks/holds.md" />
        </span>
      }
    >
      {may.tighten("holds.set") && <HoldForm onAsk={setQuestion} onDone={again} />}
      {holds.data?.length === 0 && <p className="empty">{t("no_holds")}</p>}
      <ul className="rows" data-testid="holds">
        {(holds.data ?? []).map((hold) => (
          <li key={hold.hold_id}>
            <div className="row-head">
              <Badge tone={KIND_TONE[hold.kind]} look="filled" text={t(KIND_WORD[hold.kind])} />
              <strong>{scopeText(hold.scope)}</strong>
              {hold.state === "REVIEW_NEEDED" && <Badge tone="warn" text={t("review_needed")} />}
              {hold.state === "IN_FORCE" && hold.ends_at !== null && <Remaining until={hold.ends_at} />}
              <span className="row-actions end">
                {may.dangerous("holds.lift") && (
                  <button
                    type="button"
                    onClick={() => lift(hold)}
                    aria-label={`${t("lift")}: ${hold.kind} ${scopeText(hold.scope)}`}
                  >
                    {t("lift")}
                  </button>
                )}
              </span>
            </div>
            <div className="wrap">{hold.reason}</div>
            <div className="mono dim">
              {hold.set_by} · {dayText(hold.set_at)}
            </div>
          </li>
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

function HoldForm(props: { readonly onAsk: (question: Question) => void; readonly onDone: () => void }): JSX.Element {
  const { api, t } = useConsole();
  const [kind, setKind] = useState<HoldKind>("freeze");
  const [picked, setPicked] = useState<Picked>(EVERYBODY);
  const [hours, setHours] = useState(0);
  const scope = scopeOf(picked);
  return (
    <form
      className="inline-form"
      data-testid="hold-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (scope === null) return;
        props.onAsk({
          title: t("ask_hold", { kind: t(KIND_WORD[kind]), scope: scopeText(scope) }),
          detail: t(kind === "lock" ? "lock_hint" : "hold_hint"),
          tone: "danger",
          line: (reason) =>
            rumiLine("holds set", {
              kind,
              scope,
              ...(hours === 0 ? {} : { valid_for_seconds: hours * 3_600 }),
              reason,
            }),
          onYes: (wish) => api.setHold({ kind, scope, seconds: hours === 0 ? null : hours * 3_600 }, wish),
          onDone: props.onDone,
        });
      }}
    >
      <select
        value={kind}
        aria-label={t("kind")}
        onChange={(event) => setKind(HOLD_KINDS.find((one) => one === event.target.value) ?? "freeze")}
      >
        {HOLD_KINDS.map((one) => (
          <option key={one} value={one}>
            {t(KIND_WORD[one])}
          </option>
        ))}
      </select>
      <ScopePicker picked={picked} onPick={setPicked} />
      <select value={hours} aria-label={t("review_after")} onChange={(event) => setHours(Number(event.target.value))}>
        {HOURS.map((one) => (
          <option key={one} value={one}>
            {one === 0 ? t("until_lifted") : t("review_in_hours", { hours: one })}
          </option>
        ))}
      </select>
      <button type="submit" className="danger" disabled={scope === null}>
        {t("set")}
      </button>
    </form>
  );
}
