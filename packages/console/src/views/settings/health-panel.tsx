/** Whether the program is well, in which environment, and which boxes its runners have for strategies. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import { useMe } from "../../may.ts";
import { useLogVerdict } from "../../queries.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { Panel } from "../panel.tsx";

const HEALTH_TONE = { UP: "good", DEGRADED: "warn", DOWN: "bad", UNKNOWN: "bad" } as const;

export function HealthPanel(): JSX.Element {
  const { api, t } = useConsole();
  const health = useQuery({ queryKey: ["health"], queryFn: api.health, refetchInterval: 5_000, retry: false });
  const runners = useQuery({
    queryKey: ["runners"],
    queryFn: async () => (await api.runnersSeen()).runners,
    refetchInterval: 5_000,
  });
  const verdict = useLogVerdict().data;
  const status = health.isError ? "UNKNOWN" : health.data?.status;
  return (
    <Panel title={t("house_health")} name="health" problem={health.error ?? runners.error} line="rumi health">
      <dl className="facts" data-testid="house">
        <div>
          <dt>{t("health")}</dt>
          <dd>{status !== undefined && <Badge tone={HEALTH_TONE[status]} text={status} testId="house-health" />}</dd>
        </div>
        <div>
          <dt>{t("environment")}</dt>
          <dd className="mono">{useMe().data?.environment ?? t("unknown")}</dd>
        </div>
        <div>
          <dt>{t("audit")}</dt>
          <dd className="mono">{verdict?.kind === "verified" ? verdict.origin : t("unknown")}</dd>
        </div>
      </dl>
      <h3>{t("house_runners")}</h3>
      {runners.data?.length === 0 && <p className="empty">{t("house_no_runners")}</p>}
      <ul className="rows" data-testid="runners">
        {(runners.data ?? []).map(({ runner_id, state, isolation, instances, last_seen_at }) => (
          <li key={runner_id}>
            <div className="row-head">
              <strong className="mono">{runner_id}</strong>
              <Badge tone={state === "connected" ? "good" : "bad"} text={state} />
              <span className="dim">
                {t("instances")} {instances}
              </span>
              <span className="mono dim end">{dayText(last_seen_at)}</span>
            </div>
            <div className="pair">
              {isolation.map(({ level, mechanism, available, reason }) => (
                <Badge
                  key={`${level} ${mechanism}`}
                  tone={available ? "good" : "dim"}
                  text={`${available ? "✓" : "–"} ${level} ${mechanism}`}
                  title={reason ?? ""}
                />
              ))}
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
