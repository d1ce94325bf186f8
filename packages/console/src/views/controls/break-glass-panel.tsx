/** Break-glass sessions: the open one in red with its remaining time, what was done under it, and its closing review. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Session } from "../../answers/controls.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useSessions } from "../../control-queries.ts";
import { useMay, useMe } from "../../may.ts";
import { dayText } from "../../time.ts";
import { Badge, type Tone } from "../badge.tsx";
import { Remaining } from "../outlook.tsx";
import { Panel, ProblemNote } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { RunbookLink } from "../runbook-link.tsx";

const STATE_TONE: Readonly<Record<Session["state"], Tone>> = { OPEN: "bad", REVIEW_PENDING: "warn", REVIEWED: "dim" };
const MINUTES = [5, 15, 30] as const;

export function BreakGlassPanel(): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const sessions = useSessions();
  const [question, setQuestion] = useState<Question | null>(null);
  const again = (): void => {
    for (const key of ["sessions", "challenges"]) void queries.invalidateQueries({ queryKey: [key] });
  };
  const isFree = sessions.data?.every(({ state }) => state === "REVIEWED") === true;
  return (
    <Panel
      title={t("break_glass")}
      name="break-glass"
      problem={sessions.error}
      line="rumi break_glass list"
      aside={
        <span className="end">
          <RunbookLink page="docs/runbooks/challenges.md" />
        </span>
      }
    >
      {isFree && may.ask("break_glass.open") && <OpenForm onAsk={setQuestion} onDone={again} />}
      {sessions.data?.length === 0 && <p className="empty">{t("no_sessions")}</p>}
      <ul className="rows" data-testid="sessions">
        {(sessions.data ?? []).map((session) => (
          <SessionRow key={session.session_id} session={session} onAsk={setQuestion} onDone={again} />
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

type Asking = { readonly onAsk: (question: Question) => void; readonly onDone: () => void };

function SessionRow({ session, onAsk, onDone }: { readonly session: Session } & Asking): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const me = useMe().data?.user_id;
  const { session_id, state, holder, verbs, reason, opened_at, ends_at, reviewed_by, review } = session;
  const [isOpen, setIsOpen] = useState(state !== "REVIEWED");
  const ask = (act: "close" | "review"): void =>
    onAsk({
      title: t(act === "close" ? "ask_session_close" : "ask_session_review", { holder }),
      tone: act === "close" ? "danger" : "primary",
      line: (reason) => commandText(`break_glass ${act}`, [session_id], { reason }),
      onYes: (wish) => api.endSession(session_id, act, wish),
      onDone,
    });
  return (
    <li className={state === "OPEN" ? "alarm" : ""} data-testid={`session-${state}`}>
      <div className="row-head">
        <button type="button" className="name" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {holder}
        </button>
        <Badge tone={STATE_TONE[state]} look={state === "REVIEWED" ? "outline" : "filled"} text={state} />
        {state === "OPEN" && <Remaining until={ends_at} />}
        <span className="row-actions end">
          {state === "OPEN" && may.tighten("break_glass.close") && (
            <button type="button" className="danger" onClick={() => ask("close")}>
              {t("end_session")}
            </button>
          )}
          {state === "REVIEW_PENDING" && holder !== me && may.ask("break_glass.review") && (
            <button type="button" className="primary" onClick={() => ask("review")}>
              {t("review")}
            </button>
          )}
        </span>
      </div>
      <div className="wrap">{reason}</div>
      <div className="mono dim">
        {verbs.join(", ")} · {dayText(opened_at)}
      </div>
      {reviewed_by !== null && (
        <div className="mono dim wrap">
          {t("reviewed_by", { who: reviewed_by })}: {review ?? ""}
        </div>
      )}
      {isOpen && <Commands sessionId={session_id} />}
    </li>
  );
}

function Commands({ sessionId }: { readonly sessionId: string }): JSX.Element {
  const { api, t } = useConsole();
  const session = useQuery({ queryKey: ["sessions", sessionId], queryFn: () => api.session(sessionId) });
  if (session.error !== null) return <ProblemNote problem={session.error} t={t} />;
  const commands = session.data?.commands ?? [];
  return (
    <ul className="rows tight" data-testid="session-commands">
      {commands.length === 0 && <li className="dim">{t("no_commands")}</li>}
      {commands.map(({ operation, command_id, occurred_at, resource_type, resource_id, under_session }) => (
        <li key={command_id ?? occurred_at} className="row-head mono">
          <span className={under_session ? "bad" : "dim"}>{operation ?? "?"}</span>
          <span>
            {resource_type} {resource_id}
          </span>
          <span className="dim end">{dayText(occurred_at)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Opening takes a second person: what is asked here waits among the approvals. */
function OpenForm({ onAsk, onDone }: Asking): JSX.Element {
  const { api, t } = useConsole();
  const [verbs, setVerbs] = useState("gates.disable");
  const [minutes, setMinutes] = useState<number>(15);
  const listed = verbs.split(/[\s,]+/).filter((verb) => verb !== "");
  return (
    <form
      className="inline-form"
      data-testid="session-form"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk({
          title: t("ask_session_open", { minutes }),
          detail: listed.join(", "),
          tone: "danger",
          line: (reason) =>
            commandText("break_glass open", [], { verbs: listed, valid_for_seconds: String(minutes * 60), reason }),
          onTry: (wish) => api.tryOpenSession(listed, minutes * 60, wish),
          onYes: (wish) => api.openSession(listed, minutes * 60, wish),
          onDone,
        });
      }}
    >
      <input
        value={verbs}
        aria-label={t("verbs")}
        title={t("verbs")}
        onChange={(event) => setVerbs(event.target.value)}
      />
      <select value={minutes} aria-label={t("minutes")} onChange={(event) => setMinutes(Number(event.target.value))}>
        {MINUTES.map((one) => (
          <option key={one} value={one}>
            {t("for_minutes", { minutes: one })}
          </option>
        ))}
      </select>
      <button type="submit" className="danger" disabled={listed.length === 0}>
        {t("open_session")}
      </button>
    </form>
  );
}
