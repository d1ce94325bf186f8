/** The stop ladder of the newest runs: which rungs stand, and what holds up the next one. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import { STOP_RUNGS, type Stop } from "../../answers/runs.ts";
import { useConsole } from "../../context.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";

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
      {stops.data?.length === 0 && <p className="dim">{t("no_stops")}</p>}
      <ul className="rows" data-testid="stops">
        {(stops.data ?? []).map((stop) => (
          <StopRow key={stop.run_id} stop={stop} />
        ))}
      </ul>
    </div>
  );
}

function StopRow({ stop }: { readonly stop: Stop }): JSX.Element {
  const { t } = useConsole();
  const { run_id, instance_id, mode, venue, epoch, proven, rungs, blocked } = stop;
  return (
    <li data-testid="stop">
      <div className="row-head">
        <Badge
          tone={proven ? "good" : "bad"}
          look={proven ? "outline" : "filled"}
          text={t(proven ? "stop_proven" : "stop_unproven")}
          testId="stop-proven"
        />
        <span className="mono dim">
          {instance_id} · {mode} · {venue} · {t("epoch")} {epoch}
        </span>
      </div>
      <ol className="ladder">
        {STOP_RUNGS.map((rung) => {
          const reached = rungs.find((one) => one.rung === rung);
          return (
            <li
              key={rung}
              className={reached !== undefined ? "good" : blocked?.rung === rung ? "bad" : "dim"}
              title={reached?.at ?? ""}
            >
              {rung}
            </li>
          );
        })}
      </ol>
      {blocked !== null && (
        <div className="wrap bad" data-testid="stop-blocked">
          {t("blocked_by", { rung: blocked.rung, why: blocked.why, since: dayText(blocked.since) })}
        </div>
      )}
      <div className="mono dim digest" title={run_id}>
        {run_id}
      </div>
    </li>
  );
}
