/**
 * One challenge or change as its second person is served it: the exact request, what it changes, what it would do, what
 * stands in its way. Only what stands here can be approved: the word names the hash of exactly this request.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { useConsole } from "../../context.ts";
import { commandText } from "../../command-text.ts";
import { useMay, useMe } from "../../may.ts";
import { dayText } from "../../time.ts";
import { CopyLine } from "../copy-line.tsx";
import { Blockers, Changes, Impact, Values, Whole as Raw } from "../outlook.tsx";
import { ProblemNote } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { fieldsOf } from "../typed-fields.tsx";
import { wholeChallenge, wholeChange, type Row, type Whole } from "./judged.ts";

const SHOWN_AGAIN_MS = 5_000;
/** What whoever asked for it says last, by the name of the operation. */
const LAST = { challenges: "confirm", changes: "commit" } as const;

export function JudgedDetail({ row }: { readonly row: Row }): JSX.Element {
  const { api, t } = useConsole();
  const { kind, id, waits } = row;
  const shown = useQuery({
    queryKey: [kind, id],
    queryFn: async () =>
      kind === "challenges" ? wholeChallenge(await api.challenge(id)) : wholeChange(await api.change(id)),
    refetchInterval: waits === null ? false : SHOWN_AGAIN_MS,
  });
  if (shown.error !== null) return <ProblemNote problem={shown.error} t={t} />;
  if (shown.data === undefined) return <p className="dim">{t("loading")}</p>;
  const { intent, diff, impact, blocked_by, warnings, approvals, settled_reason, error_code, intent_hash, requires } =
    shown.data;
  return (
    <>
      <div className="challenge" data-testid={kind === "challenges" ? "challenge-detail" : "change-detail"}>
        <section className="outlook">
          <h3>{t("exact_request")}</h3>
          <Values of={intent.input} />
          <h3>{t("made_for")}</h3>
          <Raw of={intent.base} />
        </section>
        <div className="stack">
          {(warnings ?? []).map((words) => (
            <p key={words} className="warn wrap" data-testid="warning">
              {words}
            </p>
          ))}
          {diff.length > 0 && impact?.["diff"] === undefined && <Changes changes={diff} />}
          <Impact impact={impact} />
          <Blockers blockers={blocked_by} />
          {approvals.map(({ approver, reason, approved_at }) => (
            <p key={approver} className="good wrap" data-testid="approval">
              {t("approved_by", { who: approver })} · {dayText(approved_at)} · {reason}
            </p>
          ))}
          {settled_reason !== null && (
            <p className="wrap dim">
              {settled_reason} {error_code ?? ""}
            </p>
          )}
          <p className="mono dim digest" title={intent_hash}>
            {requires.join(" + ")} · {intent_hash}
          </p>
          <Acts whole={shown.data} />
        </div>
      </div>
      <CopyLine line={commandText(`${kind} show`, [id])} />
    </>
  );
}

function Acts({ whole }: { readonly whole: Whole }): JSX.Element | null {
  const { api, t } = useConsole();
  const may = useMay();
  const me = useMe().data;
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  if (whole.waits === null || me === undefined) return null;
  const { kind, id, intent_hash, operation, resource, waits, requester, approver_roles } = whole;
  const isMine = requester === me.user_id;
  const isEntitled = approver_roles.some((role) => me.roles.includes(role));
  const onDone = (): void => void queries.invalidateQueries();
  const what = `${operation} · ${resource}`;
  const judge = (verdict: "approve" | "reject"): void =>
    setQuestion({
      title: t(verdict === "approve" ? "ask_approve" : "ask_reject", { what }),
      ...(verdict === "approve" ? { detail: t("approve_hint", { hash: intent_hash }) } : {}),
      tone: verdict === "approve" ? "primary" : "danger",
      line: (reason) => commandText(`${kind} ${verdict}`, [id], { intent_hash, reason }),
      onYes: (wish) => api.judge(whole, verdict, wish),
      onDone,
    });
  const carryOut = (): void =>
    setQuestion({
      title: t(kind === "challenges" ? "ask_confirm" : "ask_commit", { what }),
      tone: "danger",
      fields: fieldsOf(whole, t),
      line: (reason, typed) => commandText(`${kind} ${LAST[kind]}`, [id], { intent_hash, ...typed, reason }),
      onYes: (wish, typed) => api.carryOut(whole, typed, wish),
      onDone,
    });
  return (
    <div className="buttons">
      {(isMine || isEntitled) && may.tighten(`${kind}.reject`) && (
        <button type="button" className="danger" onClick={() => judge("reject")}>
          {t(isMine ? "take_back" : "reject")}
        </button>
      )}
      {!isMine && isEntitled && waits === "approval" && may.ask(`${kind}.approve`) && (
        <button type="button" className="primary" onClick={() => judge("approve")}>
          {t("approve")}
        </button>
      )}
      {isMine && waits === "confirmation" && may.ask(`${kind}.${LAST[kind]}`) && (
        <button type="button" className="danger" onClick={carryOut}>
          {t(kind === "challenges" ? "confirm_challenge" : "commit_change")}
        </button>
      )}
      {isMine && waits === "approval" && <span className="dim">{t("waits_for_other")}</span>}
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </div>
  );
}
