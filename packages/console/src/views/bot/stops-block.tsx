/**
 * The stop ladder of the newest runs: what was done and when, what is waited for and why, and what remains.
 *
 * The newest stands open; the others fold once they are proven.
 */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import { STOP_RUNGS, type Stop } from "../../answers/runs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { clockText, dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { ProblemNote } from "../panel.tsx";
import { RunbookLink } from "../runbook-link.tsx";

type Rung = (typeof STOP_RUNGS)[number];

const MEANING: Readonly<Record<Rung, Word>> = {
  StopRequested: "rung_requested",
  StopAcknowledged: "rung_acknowledged",
  Quiesced: "rung_quiesced",
  OrdersClear: "rung_orders_clear",
  CredentialFenced: "rung_fenced",
  StopAttested: "rung_attested",
};

export function StopsBlock({ botId }: { readonly botId: string }): JSX.Element {
  const { api, t } = useConsole();
  const stops = useQuery({
    queryKey: ["stops", botId],
    queryFn: async () => (await api.stopsOf(botId)).attestations,
    refetchInterval: 5_000,
  });
  return (
    <div>
      <h3>{t("stops")}</h3>
      {stops.error !== null && <ProblemNote problem={stops.error} t={t} />}
      {stops.data?.length === 0 && <p className="dim">{t("no_stops")}</p>}
      <ul className="rows" data-testid="stops">
        {(stops.data ?? []).map((stop, at) => (
          <StopRow key={stop.run_id} stop={stop} isOpen={at === 0 || !stop.proven} />
        ))}
      </ul>
      <CopyLine line={commandText("attestations list", [], { bot_id: botId })} />
    </div>
  );
}

function StopRow({ stop, isOpen }: { readonly stop: Stop; readonly isOpen: boolean }): JSX.Element {
  const { t } = useConsole();
  const { run_id, instance_id, mode, venue, epoch, proven, rungs, blocked } = stop;
  const last = rungs.at(-1);
  return (
    <li data-testid="stop">
      <details open={isOpen}>
        <summary>
          <Badge
            tone={proven ? "good" : "bad"}
            look={proven ? "outline" : "filled"}
            text={t(proven ? "stop_proven" : "stop_unproven")}
            testId="stop-proven"
          />{" "}
          <span className="mono dim">
            {instance_id} · {mode} · {venue} · {t("epoch")} {epoch}
            {last === undefined ? "" : ` · ${dayText(last.at)}`}
          </span>
        </summary>
        <ol className="ladder">
          {STOP_RUNGS.map((rung) => (
            <RungRow key={rung} rung={rung} stop={stop} />
          ))}
        </ol>
        {blocked !== null && (
          <div className="wrap bad" data-testid="stop-blocked">
            {t("blocked_by", { rung: blocked.rung, why: blocked.why, since: dayText(blocked.since) })}{" "}
            <RunbookLink page="docs/runbooks/stuck-stopping.md" />
          </div>
        )}
        <div className="mono dim digest" title={run_id}>
          {run_id}
        </div>
      </details>
    </li>
  );
}

function RungRow({ rung, stop: { rungs, blocked } }: { readonly rung: Rung; readonly stop: Stop }): JSX.Element {
  const { t } = useConsole();
  const reached = rungs.find((one) => one.rung === rung);
  const isBlocked = blocked?.rung === rung;
  const [tone, sign] = reached !== undefined ? ["good", "✓"] : isBlocked ? ["bad", "…"] : ["dim", "○"];
  return (
    <li className={tone} title={reached?.at ?? ""}>
      <span className="sign" aria-hidden="true">
        {sign}
      </span>
      <span>
        <span className="mono">{rung}</span> <span className="meaning">{t(MEANING[rung])}</span>
      </span>
      <span className="mono when">
        {reached === undefined ? t(isBlocked ? "rung_waits" : "rung_to_come") : clockText(Date.parse(reached.at))}
      </span>
    </li>
  );
}
