/** One bot: what it is, what is believed about it, and what it earned. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import type { BotDetail as Detail } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import { useMay } from "../may.ts";
import { useInstances } from "../queries.ts";
import { dayText } from "../time.ts";
import { Badge } from "./badge.tsx";
import { AdmissionBlock } from "./bot/admission-block.tsx";
import { BundlesBlock } from "./bot/bundles-block.tsx";
import { ChartBlock } from "./bot/chart-block.tsx";
import { ConfigBlock } from "./bot/config-block.tsx";
import { HistoryBlock } from "./bot/history-block.tsx";
import { InstancesBlock } from "./bot/instances-block.tsx";
import { IntentsBlock } from "./bot/intents-block.tsx";
import { LeaseBlock } from "./bot/lease-block.tsx";
import { LineageBlock } from "./bot/lineage-block.tsx";
import { Reason } from "./bot/reason.tsx";
import { StopsBlock } from "./bot/stops-block.tsx";
import { TriageBlock } from "./bot/triage-block.tsx";
import { Panel } from "./panel.tsx";
import "../styles/bot.css";

const CONDITION_TONE = { True: "good", False: "warn", Unknown: "bad" } as const;

export function BotDetail(props: { readonly botId: string; readonly onClose: () => void }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const { botId, onClose } = props;
  const detail = useQuery({
    queryKey: ["bot", botId],
    queryFn: () => api.bot(botId),
    refetchInterval: 5_000,
  });
  return (
    <Panel
      title={detail.data?.display_name ?? botId}
      name="detail"
      problem={detail.error}
      aside={
        <button type="button" className="quiet end" onClick={onClose} aria-label={t("close")}>
          ×
        </button>
      }
    >
      {detail.data === undefined ? (
        <p className="empty tall">{t("loading")}</p>
      ) : (
        <div className="detail-grid">
          <TriageBlock botId={botId} triage={detail.data.triage} />
          <ChartBlock bot={detail.data} />
          <Facts bot={detail.data} />
          {may.ask("intents.list") && <IntentsBlock botId={botId} />}
          {may.ask("leases.list") && <LeaseBlock botId={botId} />}
          <ConfigBlock bot={detail.data} />
          <div className="stack">
            <Conditions bot={detail.data} />
            <Versions bot={detail.data} />
          </div>
          <InstancesBlock botId={botId} />
          <StopsBlock botId={botId} />
          <HistoryBlock botId={botId} />
          {may.ask("bots.lineage") && <LineageBlock botId={botId} />}
          <div className="stack">
            <AdmissionBlock botId={botId} />
            {may.ask("support_bundles.list") && <BundlesBlock botId={botId} />}
          </div>
        </div>
      )}
    </Panel>
  );
}

function Facts({ bot }: { readonly bot: Detail }): JSX.Element {
  const { t } = useConsole();
  const instance = useInstances().data?.find((one) => one.bot_id === bot.bot_id);
  const { strategy, capital, isolation, instruments, venue } = bot.spec;
  const facts: readonly (readonly [string, string])[] = [
    [t("strategy"), `${strategy.pack_id} / ${strategy.strategy_id} ${strategy.strategy_version}`],
    [t("digest"), strategy.digest],
    [t("venue"), `${venue}: ${instruments.join(", ")}`],
    [t("capital"), capital],
    [
      t("isolation"),
      instance?.isolation == null ? isolation : `${instance.isolation.level} ${instance.isolation.mechanism}`,
    ],
    [t("run"), bot.status.run_id ?? instance?.run_id ?? "–"],
    [t("events_seen"), String(instance?.events_total ?? "–")],
    [t("orders_open"), String(instance?.orders_open ?? "–")],
    [t("created"), `${dayText(bot.created_at)} · ${bot.created_by}`],
  ];
  return (
    <div>
      <h3>{t("details")}</h3>
      <dl className="facts" data-testid="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="mono digest" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Conditions({ bot }: { readonly bot: Detail }): JSX.Element {
  const { t } = useConsole();
  return (
    <div>
      <h3>{t("conditions")}</h3>
      <ul className="rows tight" data-testid="conditions">
        {bot.conditions.map(({ type, status, reason, message, last_transition_time }) => (
          <li key={type} title={last_transition_time}>
            <div className="row-head">
              <Badge tone={CONDITION_TONE[status]} text={`${type} ${status}`} />
              <span className="mono dim end">{dayText(last_transition_time)}</span>
            </div>
            <div className="wrap">
              <Reason code={reason} tone={status === "True" ? "dim" : "warn"} />
            </div>
            {message !== "" && <div className="dim wrap">{message}</div>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Versions({ bot }: { readonly bot: Detail }): JSX.Element {
  const { t } = useConsole();
  return (
    <div>
      <h3>{t("versions")}</h3>
      <ul className="rows tight" data-testid="versions">
        {bot.versions.map(({ generation, version, created_at, created_by, reason }) => (
          <li key={generation}>
            <div className="row-head">
              <strong className="mono">{version}</strong>
              <span className="dim wrap">{reason}</span>
              <span className="mono dim end">
                {created_by} · {dayText(created_at)}
              </span>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}
