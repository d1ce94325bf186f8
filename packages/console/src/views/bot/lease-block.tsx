/** Who alone may run the bot: runner, fencing token, renewed when, until when; and what it means when that is lost. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import type { Lease } from "../../answers/bot-page.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { dayText, remainingText } from "../../time.ts";
import { useNow } from "../../use-now.ts";
import { Badge, type Tone } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { ProblemNote } from "../panel.tsx";
import { RunbookLink } from "../runbook-link.tsx";

const READ_MS = 3_000;
const STATE: Readonly<Record<Lease["state"], readonly [Word, Tone]>> = {
  held: ["lease_held", "good"],
  over: ["lease_over", "bad"],
  free: ["lease_free", "dim"],
};

export function LeaseBlock({ botId }: { readonly botId: string }): JSX.Element {
  const { api, t } = useConsole();
  const read = useQuery({
    queryKey: ["leases", botId],
    // What the server's clock is ahead of this browser's is taken off, so that both count down alike.
    queryFn: async () => {
      const answer = await api.leasesOf(botId);
      return { ...answer, ahead_ms: Date.parse(answer.as_of) - Date.now() };
    },
    refetchInterval: READ_MS,
  });
  const { leases = [], ahead_ms = 0, ttl_ms = 0, renewal_ms = 0 } = read.data ?? {};
  return (
    <div data-testid="lease">
      <h3>{t("lease")}</h3>
      {read.error !== null && <ProblemNote problem={read.error} t={t} />}
      {read.data !== undefined && leases.length === 0 && <p className="dim">{t("no_lease")}</p>}
      <ul className="rows">
        {leases.map((lease) => (
          <LeaseRow key={`${lease.strategy_id}/${lease.instance_id}`} lease={lease} aheadMs={ahead_ms} />
        ))}
      </ul>
      {leases.length > 0 && (
        <p className="dim small wrap">
          {t("lease_means", { ttl: ttl_ms / 1_000, renewal: renewal_ms / 1_000 })}{" "}
          <RunbookLink page="docs/runbooks/lease.md" />
        </p>
      )}
      <CopyLine line={commandText("leases list", [], { bot_id: botId })} />
    </div>
  );
}

function LeaseRow({ lease, aheadMs }: { readonly lease: Lease; readonly aheadMs: number }): JSX.Element {
  const { t } = useConsole();
  const now_ms = useNow() + aheadMs;
  const { instance_id, state, holder, holder_state, epoch, acquired_at, renewed_at, expires_at } = lease;
  // Between two reads it may have run out: then it is over, whatever was read.
  const isOver = state === "over" || (state === "held" && expires_at !== null && Date.parse(expires_at) <= now_ms);
  const [word, tone] = STATE[isOver ? "over" : state];
  return (
    <li>
      <div className="row-head">
        <strong className="mono">{instance_id}</strong>
        <Badge tone={tone} look={isOver ? "filled" : "outline"} text={t(word)} testId="lease-state" />
        {!isOver && state === "held" && expires_at !== null && (
          <span className="mono dim end" title={expires_at} data-testid="lease-left">
            {t("time_left", { time: remainingText(Date.parse(expires_at) - now_ms) })}
          </span>
        )}
      </div>
      <dl className="facts">
        <Fact
          name={t("runner")}
          value={holder === null ? t("nobody") : `${holder}${holder_state === null ? "" : ` (${holder_state})`}`}
        />
        <Fact name={t("fencing_token")} value={String(epoch)} />
        {acquired_at !== null && <Fact name={t("held_since")} value={dayText(acquired_at)} />}
        {renewed_at !== null && state === "held" && (
          <Fact
            name={t("renewed")}
            value={t("ago", { time: remainingText(Math.max(0, now_ms - Date.parse(renewed_at))) })}
          />
        )}
      </dl>
      {isOver && <p className="bad wrap">{t("lease_lost_means", { epoch })}</p>}
    </li>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="mono digest" title={value}>
        {value}
      </dd>
    </div>
  );
}
