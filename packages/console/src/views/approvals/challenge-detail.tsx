/**
 * One challenge as its second person is served it: the exact request, what it changes, what it would do, what stands in
 * its way. Only what stands here can be approved: the word names the hash of exactly this request.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { ChallengeDetail as Detail, ChallengeNote } from "../../answers/approvals.ts";
import { useConsole } from "../../context.ts";
import { isWaiting } from "../../control-queries.ts";
import { useMay, useMe } from "../../may.ts";
import { dayText } from "../../time.ts";
import { Blockers, Impact, Values, Whole } from "../outlook.tsx";
import { ProblemNote } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { fieldsOf } from "../typed-fields.tsx";

const SHOWN_AGAIN_MS = 5_000;

export function ChallengeDetail({ note }: { readonly note: ChallengeNote }): JSX.Element {
  const { api, t } = useConsole();
  const shown = useQuery({
    queryKey: ["challenges", note.challenge_id],
    queryFn: () => api.challenge(note.challenge_id),
    refetchInterval: isWaiting(note) ? SHOWN_AGAIN_MS : false,
  });
  if (shown.error !== null) return <ProblemNote problem={shown.error} t={t} />;
  if (shown.data === undefined) return <p className="dim">{t("loading")}</p>;
  const { intent, impact, blocked_by, approvals, settled_reason, error_code, intent_hash, requires } = shown.data;
  return (
    <div className="challenge" data-testid="challenge-detail">
      <section className="outlook">
        <h3>{t("exact_request")}</h3>
        <Values of={intent.input} />
        <h3>{t("made_for")}</h3>
        <Whole of={intent.base} />
      </section>
      <div className="stack">
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
        <Acts challenge={shown.data} />
      </div>
    </div>
  );
}

function Acts({ challenge }: { readonly challenge: Detail }): JSX.Element | null {
  const { api, t } = useConsole();
  const may = useMay();
  const me = useMe().data;
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  if (!isWaiting(challenge) || me === undefined) return null;
  const { operation, target, state, requester, approver_roles } = challenge;
  const isMine = requester === me.user_id;
  const isEntitled = approver_roles.some((role) => me.roles.includes(role));
  const again = (): void => void queries.invalidateQueries();
  const what = `${operation} · ${target.resource_id}`;
  const judge = (verdict: "approve" | "reject"): void =>
    setQuestion({
      title: t(verdict === "approve" ? "ask_approve" : "ask_reject", { what }),
      ...(verdict === "approve" ? { detail: t("approve_hint", { hash: challenge.intent_hash }) } : {}),
      tone: verdict === "approve" ? "primary" : "danger",
      onYes: (wish) => api.judgeChallenge(challenge, verdict, wish),
      onDone: again,
    });
  const confirm = (): void =>
    setQuestion({
      title: t("ask_confirm", { what }),
      tone: "danger",
      fields: fieldsOf(challenge, t),
      onYes: (wish, typed) => api.confirmChallenge(challenge, typed, wish),
      onDone: again,
    });
  return (
    <div className="buttons">
      {(isMine || isEntitled) && may.tighten("challenges.reject") && (
        <button type="button" className="danger" onClick={() => judge("reject")}>
          {t(isMine ? "take_back" : "reject")}
        </button>
      )}
      {!isMine && isEntitled && state === "AWAITING_APPROVAL" && may.ask("challenges.approve") && (
        <button type="button" className="primary" onClick={() => judge("approve")}>
          {t("approve")}
        </button>
      )}
      {isMine && state === "AWAITING_CONFIRMATION" && may.ask("challenges.confirm") && (
        <button type="button" className="danger" onClick={confirm}>
          {t("confirm_challenge")}
        </button>
      )}
      {isMine && state === "AWAITING_APPROVAL" && <span className="dim">{t("waits_for_other")}</span>}
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </div>
  );
}
