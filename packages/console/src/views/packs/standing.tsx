/** What may be done with a thing that a pack brought, and why not: in a sentence, with the end of a rest and who decided. */
import type { JSX } from "react";
import type { Candidate } from "../../answers/packs.ts";
import { useConsole } from "../../context.ts";
import { dayText } from "../../time.ts";
import { useNow } from "../../use-now.ts";
import { useOfPacks } from "./pack-queries.ts";

type Decided = Pick<Candidate, "candidate_key" | "status" | "rejections" | "cooldown_until" | "note">;
/** A candidate that was rejected so often is blocked. */
const MOST_REJECTIONS = 3;

export function Standing(props: {
  readonly candidate: Decided;
  /** What the log calls it. */
  readonly kind: "capability_candidate" | "pip_candidate";
}): JSX.Element {
  const { t } = useConsole();
  const { candidate, kind } = props;
  const { candidate_key, status, note } = candidate;
  const isHeld = status === "rejected" || status === "blocked";
  const decision = useOfPacks(
    ["decided", candidate_key, status],
    async (of) => (await of.newest(`candidate.${status}`, kind, candidate_key))[0] ?? null,
    { enabled: isHeld },
  );
  return (
    <div className={`small wrap ${status === "installed" ? "dim" : "warn"}`} data-testid="standing">
      <Sentence candidate={candidate} />
      {isHeld && decision.data != null && (
        <span> {t("standing_by", { who: decision.data.actor, time: dayText(decision.data.occurred_at) })}</span>
      )}
      {note !== null && (
        <div>
          <strong>{t(status === "failed" ? "what_happened" : "reason")}:</strong> {note}
        </div>
      )}
    </div>
  );
}

function Sentence({ candidate }: { readonly candidate: Decided }): JSX.Element {
  const { t } = useConsole();
  const { status, rejections, cooldown_until } = candidate;
  const now = useNow();
  const isOver = cooldown_until === null || Date.parse(cooldown_until) <= now;
  switch (status) {
    case "pending":
      return (
        <>
          {t(rejections === 0 ? "standing_pending" : "standing_pending_again", { rejections, most: MOST_REJECTIONS })}
        </>
      );
    case "installed":
      return <>{t("standing_installed")}</>;
    case "failed":
      return <>{t("standing_failed")}</>;
    case "blocked":
      return <>{t("standing_blocked", { most: MOST_REJECTIONS })}</>;
    case "rejected":
      return isOver ? (
        <>{t("standing_pending_again", { rejections, most: MOST_REJECTIONS })}</>
      ) : (
        <time dateTime={cooldown_until} title={cooldown_until}>
          {t("standing_rejected", { rejections, most: MOST_REJECTIONS, until: dayText(cooldown_until) })}
        </time>
      );
  }
}
