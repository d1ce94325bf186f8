/** Dangerous operations that wait for a second person or for their own requester, and what became of the others. */
import { useState, type JSX } from "react";
import type { ChallengeNote } from "../../answers/approvals.ts";
import { useConsole } from "../../context.ts";
import { isWaiting, useChallenges } from "../../control-queries.ts";
import { useMay, useMe } from "../../may.ts";
import { Badge, type Tone } from "../badge.tsx";
import { Remaining } from "../outlook.tsx";
import { Panel } from "../panel.tsx";
import { RunbookLink } from "../runbook-link.tsx";
import { ChallengeDetail } from "./challenge-detail.tsx";

const STATE_TONE: Readonly<Record<ChallengeNote["state"], Tone>> = {
  AWAITING_APPROVAL: "warn",
  AWAITING_CONFIRMATION: "warn",
  CONFIRMED: "good",
  REFUSED: "bad",
  REJECTED: "bad",
  EXPIRED: "dim",
};

export function ChallengesPanel(): JSX.Element {
  const { t } = useConsole();
  const challenges = useChallenges();
  const [open, setOpen] = useState<string | null>(null);
  const all = challenges.data ?? [];
  const toggle = (id: string): void => setOpen(id === open ? null : id);
  const shown = [...all.filter(isWaiting), ...all.filter((one) => !isWaiting(one)).slice(0, 10)];
  return (
    <Panel
      title={t("challenges")}
      name="challenges"
      problem={challenges.error}
      aside={
        <span className="end">
          <RunbookLink page="docs/runbooks/challenges.md" />
        </span>
      }
    >
      {challenges.data?.length === 0 && <p className="empty">{t("no_challenges")}</p>}
      <ul className="rows" data-testid="challenges">
        {shown.map((challenge) => (
          <ChallengeRow
            key={challenge.challenge_id}
            challenge={challenge}
            isOpen={open === challenge.challenge_id}
            onToggle={() => toggle(challenge.challenge_id)}
          />
        ))}
      </ul>
    </Panel>
  );
}

function ChallengeRow(props: {
  readonly challenge: ChallengeNote;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const me = useMe().data?.user_id;
  const { challenge, isOpen, onToggle } = props;
  const { operation, target, state, requester, reason, expiry, settled_by } = challenge;
  const name = `${operation} · ${target.resource_id}`;
  return (
    <li data-testid="challenge" data-operation={operation} data-state={state}>
      <div className="row-head">
        {may.ask("challenges.show") ? (
          <button type="button" className="name" aria-expanded={isOpen} onClick={onToggle}>
            {name}
          </button>
        ) : (
          <strong>{name}</strong>
        )}
        <Badge tone={STATE_TONE[state]} text={state} look={isWaiting(challenge) ? "filled" : "outline"} />
        {challenge.training && (
          <Badge tone="warn" text={t("training")} title={t("training_means")} testId="rehearsed" />
        )}
        {isWaiting(challenge) && <Remaining until={expiry} />}
      </div>
      <div className="wrap">{reason}</div>
      <div className="mono dim wrap">
        {requester}
        {requester === me ? ` (${t("you")})` : ""}
        {settled_by === null ? "" : ` → ${settled_by}`}
      </div>
      {isOpen && <ChallengeDetail note={challenge} />}
    </li>
  );
}
