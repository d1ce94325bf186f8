/** Fill prices of the chosen bot with a mark for each fill, on the recording's own time. */
import { useQuery } from "@tanstack/react-query";
import {
  LineSeries,
  createChart,
  createSeriesMarkers,
  type IChartApi,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useRef, type JSX } from "react";
import type { Api, Fill } from "../api.ts";
import type { Translate } from "../i18n.ts";

type Drawing = {
  readonly chart: IChartApi;
  readonly line: ISeriesApi<"Line">;
  readonly marks: ISeriesMarkersPluginApi<Time>;
};

export function ProfitChart(props: {
  readonly api: Api;
  readonly t: Translate;
  readonly botId: string | null;
}): JSX.Element {
  const { api, t, botId } = props;
  const place = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | null>(null);
  const fills = useQuery({
    queryKey: ["fills", api, botId],
    enabled: botId !== null,
    queryFn: () =>
      api.get<{ readonly fills: readonly Fill[] }>(
        `/api/fills?bot_id=${encodeURIComponent(botId ?? "")}&limit=200&order=newest`,
      ),
  });
  useEffect(() => {
    if (place.current === null || botId === null) return;
    const style = getComputedStyle(document.documentElement);
    const chart = createChart(place.current, {
      autoSize: true,
      layout: {
        background: { color: "transparent" },
        textColor: style.getPropertyValue("--dim"),
        fontSize: 11,
      },
      grid: {
        vertLines: { visible: false },
        horzLines: { color: style.getPropertyValue("--line") },
      },
      timeScale: { timeVisible: true, secondsVisible: true, borderVisible: false },
      rightPriceScale: { borderVisible: false },
    });
    const line = chart.addSeries(LineSeries, {
      color: style.getPropertyValue("--accent").trim(),
      lineWidth: 2,
    });
    drawing.current = { chart, line, marks: createSeriesMarkers(line, []) };
    return () => {
      chart.remove();
      drawing.current = null;
    };
  }, [botId]);
  useEffect(() => {
    if (drawing.current !== null && fills.data !== undefined)
      draw(drawing.current, fills.data.fills);
  }, [fills.data]);
  return (
    <section aria-label="chart">
      <h2>{botId === null ? t("fills") : t("profit_over_time", { bot: botId })}</h2>
      {botId === null ? (
        <p className="empty">{t("choose_bot")}</p>
      ) : (
        <div className="chart" ref={place} data-testid="chart" />
      )}
    </section>
  );
}

function draw({ line, marks, chart }: Drawing, fills: readonly Fill[]): void {
  const bySecond = new Map<number, Fill>();
  for (const fill of fills) bySecond.set(Math.floor(Date.parse(fill.event_time) / 1_000), fill);
  const seconds = [...bySecond.keys()].sort((a, b) => a - b);
  line.setData(
    seconds.map((second) => ({
      time: second as UTCTimestamp,
      value: Number(bySecond.get(second)?.price),
    })),
  );
  marks.setMarkers(
    seconds.map((second): SeriesMarker<Time> => {
      const isBuy = bySecond.get(second)?.side === "buy";
      return {
        time: second as UTCTimestamp,
        position: isBuy ? "belowBar" : "aboveBar",
        shape: isBuy ? "arrowUp" : "arrowDown",
        color: isBuy ? "#34d399" : "#f87171",
      };
    }),
  );
  chart.timeScale().fitContent();
}
