/** The bot's instances: health, promised and measured service, breaker, and why intents were refused. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import type { Instance } from "../../answers/answers.ts";
import type { Counted } from "../../answers/runs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { useInstances } from "../../queries.ts";
import { Badge, type Tone } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Reason } from "./reason.tsx";

type Slo = NonNullable<Instance["slo"]>;

const SLO_TONE: Readonly<Record<Slo["level"], Tone>> = { none: "good", adjust: "warn", degrade: "warn", halt: "bad" };
const HEALTH_WORD = { healthy: "why_healthy", degraded: "why_degraded", halted: "why_halted" } as const;
/** What a promise is written in. */
const UNIT: Readonly<Record<string, string>> = {
  p95_latency_us: "µs",
  drop_rate_ppm: "ppm",
  cpu_seconds_per_minute: "s/min",
};

export function InstancesBlock({ botId }: { readonly botId: string }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const instances = (useInstances().data ?? []).filter(({ bot_id }) => bot_id === botId);
  const look = useQuery({
    queryKey: ["inspect", botId],
    queryFn: () => api.inspect(botId),
    enabled: may.ask("instances.inspect") && instances.length > 0,
    refetchInterval: 5_000,
    retry: false,
  });
  const reasons = [...(look.data?.faults ?? []), ...(look.data?.discarded ?? [])];
  return (
    <div>
      <h3>{t("instances")}</h3>
      {instances.length === 0 && <p className="dim">{t("no_instances")}</p>}
      <ul className="rows" data-testid="instances">
        {instances.map((instance) => (
          <InstanceRow key={instance.instance_id} instance={instance} />
        ))}
      </ul>
      {reasons.length > 0 && <Reasons reasons={reasons} />}
      {instances.length > 0 && <CopyLine line={commandText("inspect", [botId])} />}
    </div>
  );
}

function InstanceRow({ instance }: { readonly instance: Instance }): JSX.Element {
  const { t } = useConsole();
  const { instance_id, phase, health_state, reason_code, runbook, trace_id, slo, breaker, orders_open } = instance;
  return (
    <li data-testid={`instance-${instance_id}`}>
      <div className="row-head">
        <strong className="mono">{instance_id}</strong>
        <span className="mono dim">
          {phase} · {health_state ?? t("unknown")} · {t("orders_open")} {orders_open}
        </span>
        <span className="dim small">{t(health_state === null ? "unknown_state" : HEALTH_WORD[health_state])}</span>
        {trace_id !== null && (
          <a className="end" href={hrefOf({ kind: "trace", id: trace_id })} data-testid="trace-link">
            {t("trace")}
          </a>
        )}
      </div>
      {reason_code !== null && (
        <div className="wrap">
          <Reason code={reason_code} page={runbook} />
        </div>
      )}
      <div className="row-head">
        {slo === null || Object.keys(slo.promised).length === 0 ? (
          <span className="dim">{t("slo_none")}</span>
        ) : (
          <>
            <Badge
              tone={SLO_TONE[slo.level]}
              look={slo.level === "none" ? "outline" : "filled"}
              text={slo.level === "none" ? t("slo_kept") : t("slo_step", { step: slo.level })}
              title={slo.reason_code ?? ""}
              testId="slo"
            />
            <span className="mono dim">{Object.keys(slo.promised).map((name) => measuredText(name, slo))}</span>
          </>
        )}
        {breaker !== null && (
          <Badge
            tone={breaker.state === "open" ? "bad" : "good"}
            look={breaker.state === "open" ? "filled" : "outline"}
            text={`${t("breaker")} ${breaker.state}${breaker.mode === null ? "" : ` · ${breaker.mode}`}`}
            title={[breaker.trigger, breaker.reason_code, t("trips", { count: breaker.trips })]
              .filter((word) => word !== null)
              .join(" · ")}
            testId="breaker"
          />
        )}
      </div>
      {breaker?.state === "open" && breaker.reason_code !== null && (
        <div className="wrap">
          <Reason code={breaker.reason_code} tone="bad" />
        </div>
      )}
      {slo !== null && slo.level !== "none" && slo.reason_code !== null && slo.reason_code !== reason_code && (
        <div className="wrap">
          <Reason code={slo.reason_code} />
        </div>
      )}
    </li>
  );
}

function measuredText(name: string, { promised, measured }: Slo): string {
  return `${name} ${Math.round(measured[name] ?? 0)} / ${promised[name] ?? "–"} ${UNIT[name] ?? ""} `;
}

function Reasons({ reasons }: { readonly reasons: readonly Counted[] }): JSX.Element {
  const { t } = useConsole();
  return (
    <>
      <h3>{t("reasons")}</h3>
      <ul className="rows tight" data-testid="reasons">
        {reasons.map(({ reason, count, runbook }) => (
          <li key={reason} className="wrap">
            <span className="mono dim">×{count}</span> <Reason code={reason} page={runbook} />
          </li>
        ))}
      </ul>
    </>
  );
}
