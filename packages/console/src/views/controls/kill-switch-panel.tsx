/** The kill switch: strengthened at once, loosened only by a confirmed challenge. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { KILL_LEVELS, scopeText, type KillLevel, type KillRule, type Scope } from "../../answers/controls.ts";
import { useConsole } from "../../context.ts";
import { strictestFirst, useKillSwitch } from "../../control-queries.ts";
import { useMay } from "../../may.ts";
import { rumiLine } from "../../rumi-line.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { KILL_TONE } from "../bar/restraints.tsx";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { RunbookLink } from "../runbook-link.tsx";
import { EVERYBODY, ScopePicker, scopeOf, type Picked } from "./scope-picker.tsx";

export function KillSwitchPanel(): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const kill = useKillSwitch();
  const [question, setQuestion] = useState<Question | null>(null);
  const ask = (scope: Scope, from: KillLevel, to: KillLevel): void =>
    setQuestion({
      title: t("ask_kill", { scope: scopeText(scope), level: to }),
      detail: `${from} → ${to}`,
      tone: isLooser(from, to) ? "primary" : "danger",
      line: (reason) => rumiLine("killswitch set", { scope, level: to, reason }),
      onTry: (wish) => api.tryKill(scope, to, wish),
      onYes: (wish) => api.setKill(scope, to, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["killswitch"] }),
    });
  const rules = kill.data === undefined ? [] : strictestFirst(kill.data);
  const runners = kill.data?.runners ?? [];
  const following = runners.filter(({ follows }) => follows).length;
  return (
    <Panel
      title={t("kill_switch")}
      name="killswitch"
      problem={kill.error}
      line="rumi killswitch show"
      aside={
        <>
          <span className="mono dim end" data-testid="following">
            {t("runners_follow", { count: following, of: runners.length })}
          </span>
          <RunbookLink page="docs/runbooks/kill-switch.md" />
        </>
      }
    >
      {may.tighten("killswitch.set") && (
        <KillForm
          rules={rules}
          mayLoosen={may.dangerous("killswitch.set")}
          onAsk={(scope, from, to) => ask(scope, from, to)}
        />
      )}
      {kill.data !== undefined && rules.length === 0 && <p className="empty">{t("kill_none")}</p>}
      <ul className="rows" data-testid="kill-rules">
        {rules.map((rule) => (
          <RuleRow
            key={scopeText(rule.scope)}
            rule={rule}
            onLift={may.dangerous("killswitch.set") ? () => ask(rule.scope, rule.level, "ALLOW") : null}
          />
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

const isLooser = (from: KillLevel, to: KillLevel): boolean => KILL_LEVELS.indexOf(to) < KILL_LEVELS.indexOf(from);

function RuleRow(props: { readonly rule: KillRule; readonly onLift: (() => void) | null }): JSX.Element {
  const { t } = useConsole();
  const { rule, onLift } = props;
  const { scope, level, reason, set_by, set_at, spooled } = rule;
  return (
    <li>
      <div className="row-head">
        <Badge tone={KILL_TONE[level]} look="filled" text={level} />
        <strong>{scopeText(scope)}</strong>
        {spooled === true && <Badge tone="bad" text={t("not_logged")} title={t("spool_hint")} />}
        <span className="row-actions end">
          {onLift !== null && (
            <button type="button" onClick={onLift} aria-label={`${t("lift")}: ${scopeText(scope)}`}>
              {t("lift")}
            </button>
          )}
        </span>
      </div>
      <div className="wrap">{reason}</div>
      <div className="mono dim">
        {set_by} · {dayText(set_at)}
      </div>
    </li>
  );
}

/** Levels that one may ask for: those stricter than what stands, and the milder ones for whoever may loosen. */
function KillForm(props: {
  readonly rules: readonly KillRule[];
  readonly mayLoosen: boolean;
  readonly onAsk: (scope: Scope, from: KillLevel, to: KillLevel) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { rules, mayLoosen, onAsk } = props;
  const [picked, setPicked] = useState<Picked>(EVERYBODY);
  const [wanted, setWanted] = useState<KillLevel>("BLOCK");
  const scope = scopeOf(picked);
  const stands =
    scope === null ? "ALLOW" : (rules.find((rule) => scopeText(rule.scope) === scopeText(scope))?.level ?? "ALLOW");
  const levels = KILL_LEVELS.filter((level) => level !== stands && (mayLoosen || isLooser(level, stands)));
  const level = levels.includes(wanted) ? wanted : levels.at(-1);
  return (
    <form
      className="inline-form"
      data-testid="kill-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (scope !== null && level !== undefined) onAsk(scope, stands, level);
      }}
    >
      <ScopePicker picked={picked} onPick={setPicked} />
      <select
        value={level ?? ""}
        aria-label={t("level")}
        onChange={(event) => setWanted(KILL_LEVELS.find((one) => one === event.target.value) ?? "BLOCK")}
      >
        {levels.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <button type="submit" className="danger" disabled={scope === null || level === undefined}>
        {t("set")}
      </button>
    </form>
  );
}
