/** One bot: what it is, what is believed about it, and what it earned. */
import { useQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { BotDetail as Detail, PackStatus } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import { isSecretField } from "../secrets.ts";
import { useMay } from "../may.ts";
import { useInstances, usePositions } from "../queries.ts";
import { dayText } from "../time.ts";
import { Badge } from "./badge.tsx";
import { AdmissionBlock } from "./bot/admission-block.tsx";
import { BundlesBlock } from "./bot/bundles-block.tsx";
import { ConfigForm } from "./bot/config-form.tsx";
import { InstancesBlock } from "./bot/instances-block.tsx";
import { StopsBlock } from "./bot/stops-block.tsx";
import { FillsChart } from "./fills-chart.tsx";
import { TriageBlock } from "./bot/triage-block.tsx";
import { Panel } from "./panel.tsx";

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
          <TriageBlock triage={detail.data.triage} />
          <FillsOfRun bot={detail.data} />
          <Facts bot={detail.data} />
          <Config bot={detail.data} />
          <div className="stack">
            <Conditions bot={detail.data} />
            <Versions bot={detail.data} />
          </div>
          <InstancesBlock botId={botId} />
          <StopsBlock botId={botId} />
          <div className="stack">
            <AdmissionBlock botId={botId} />
            {may.ask("support_bundles.list") && <BundlesBlock botId={botId} />}
          </div>
        </div>
      )}
    </Panel>
  );
}

function FillsOfRun({ bot }: { readonly bot: Detail }): JSX.Element {
  const { api, t } = useConsole();
  const { bot_id } = bot;
  const instance = useInstances().data?.find((one) => one.bot_id === bot_id);
  const run_id = bot.status.run_id ?? instance?.run_id ?? null;
  const positions = usePositions().data ?? [];
  const fills = useQuery({
    queryKey: ["fills", bot_id, run_id],
    enabled: run_id !== null,
    queryFn: () => api.fillsOfRun(bot_id, run_id ?? ""),
  });
  const instrument = bot.spec.instruments[0] ?? "";
  const last = positions.find((held) => held.bot_id === bot_id && held.instrument_id === instrument);
  const of = (fills.data?.fills ?? []).filter(({ fill }) => fill.instrument_id === instrument);
  return (
    <div className="chart-block">
      <h3>
        {t("chart")} <span className="mono dim">{instrument}</span>
      </h3>
      {of.length === 0 ? (
        <p className="chart empty">{fills.isFetching ? t("loading") : t("no_fills")}</p>
      ) : (
        <FillsChart
          fills={of}
          start={
            fills.data?.complete === false
              ? { kind: "unknown", last_quantity: last?.quantity ?? "0" }
              : { kind: "flat" }
          }
        />
      )}
      {fills.data?.complete === false && <p className="dim">{t("chart_partial")}</p>}
    </div>
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

function Config({ bot }: { readonly bot: Detail }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const [isEdited, setIsEdited] = useState(false);
  const { pack_id, strategy_id } = bot.spec.strategy;
  const pack = useQuery({
    queryKey: ["packs", pack_id],
    queryFn: () => api.packStatus(pack_id),
    retry: false,
  });
  const schema = schemaOf(pack.data, strategy_id);
  const fields = Object.entries(bot.spec.config);
  return (
    <div className="config-block">
      <h3>
        {t("config")}{" "}
        {!isEdited && may.ask("bots.config_apply") && (
          <button type="button" className="quiet" onClick={() => setIsEdited(true)}>
            {t("change")}
          </button>
        )}
      </h3>
      {isEdited && <ConfigForm bot={bot} onClose={() => setIsEdited(false)} />}
      <dl className="facts columns" data-testid="config">
        {fields.length === 0 && <div className="dim">–</div>}
        {fields.map(([name, value]) => (
          <div key={name}>
            <dt className="mono">{name}</dt>
            <dd className="mono">
              {isSecretField(name, schema?.[name]) ? (
                <span className="dim">{t("secret_value")}</span>
              ) : (
                <>
                  {typeof value === "string" ? value : JSON.stringify(value)}{" "}
                  <span className="dim">{schema?.[name]?.unit ?? ""}</span>
                </>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function schemaOf(pack: PackStatus | undefined, strategy_id: string) {
  const manifest = pack?.approved_manifest ?? pack?.manifest;
  return manifest?.strategies.find((one) => one.strategy_id === strategy_id)?.config_schema;
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
              <span className="mono dim">{reason}</span>
              <span className="mono dim end">{dayText(last_transition_time)}</span>
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
