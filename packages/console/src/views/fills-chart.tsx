/** Fill prices with a mark for each fill, and realised profit below, on the market's own time. */
import {
  BaselineSeries,
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
import type { Fill } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import { scaled, toFloat } from "../numbers.ts";
import { profitLine } from "../profit-line.ts";

/** Beyond this the marks are drawn smaller, so that the price stays visible. */
const MANY_FILLS = 80;

type Start = Parameters<typeof profitLine>[1];
type Drawing = {
  readonly chart: IChartApi;
  readonly price: ISeriesApi<"Line">;
  readonly profit: ISeriesApi<"Baseline">;
  readonly marks: ISeriesMarkersPluginApi<Time>;
  /** How much was drawn; the view follows only while it grows. */
  points: number;
};

export function FillsChart(props: { readonly fills: readonly Fill[]; readonly start: Start }): JSX.Element {
  const { t } = useConsole();
  const { fills, start } = props;
  const place = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | null>(null);
  useEffect(() => {
    if (place.current === null) return;
    const made = makeDrawing(place.current);
    drawing.current = made;
    const scheme = window.matchMedia("(prefers-color-scheme: light)");
    const recolour = (): void => {
      paint(made);
      draw(made, latest.current);
    };
    scheme.addEventListener("change", recolour);
    return () => {
      scheme.removeEventListener("change", recolour);
      made.chart.remove();
      drawing.current = null;
    };
  }, []);
  const latest = useRef({ fills, start });
  useEffect(() => {
    latest.current = { fills, start };
    if (drawing.current !== null) draw(drawing.current, latest.current);
  }, [fills, start]);
  return <div className="chart" ref={place} role="img" aria-label={t("chart")} data-testid="chart" />;
}

function makeDrawing(place: HTMLElement): Drawing {
  const chart = createChart(place, {
    autoSize: true,
    layout: { fontSize: 11, fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { vertLines: { visible: false } },
    timeScale: { timeVisible: true, secondsVisible: true, borderVisible: false },
    rightPriceScale: { borderVisible: false },
  });
  const price = chart.addSeries(LineSeries, { lineWidth: 2, priceLineVisible: false });
  const profit = chart.addSeries(
    BaselineSeries,
    { lineWidth: 2, baseValue: { type: "price", price: 0 }, priceLineVisible: false },
    1,
  );
  const [upper, lower] = chart.panes();
  upper?.setStretchFactor(3);
  lower?.setStretchFactor(2);
  const made: Drawing = { chart, price, profit, marks: createSeriesMarkers(price, []), points: 0 };
  paint(made);
  return made;
}

/** Colours come from the style sheet, so that the chart is legible in whatever scheme the page has. */
function paint({ chart, price, profit }: Drawing): void {
  const [good, bad] = [colour("--buy"), colour("--sell")];
  chart.applyOptions({
    layout: {
      background: { color: "transparent" },
      textColor: colour("--dim"),
      panes: { separatorColor: colour("--line") },
    },
    grid: { horzLines: { color: colour("--line") } },
  });
  price.applyOptions({ color: colour("--accent") });
  profit.applyOptions({
    topLineColor: good,
    topFillColor1: "transparent",
    topFillColor2: "transparent",
    bottomLineColor: bad,
    bottomFillColor1: "transparent",
    bottomFillColor2: "transparent",
  });
}

function draw(drawing: Drawing, { fills, start }: { readonly fills: readonly Fill[]; readonly start: Start }): void {
  const { chart, price, profit, marks } = drawing;
  const [buy, sell] = [colour("--buy"), colour("--sell")];
  const digits = Math.min(8, scaled(fills[0]?.fill.price ?? "0").digits);
  price.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits } });
  price.setData(
    perSecond(fills, ({ event_time_us }) => event_time_us).map(([time, { fill }]) => ({
      time,
      value: toFloat(fill.price),
    })),
  );
  marks.setMarkers(
    perSecond(fills, ({ event_time_us }) => event_time_us).map(([time, { fill }]): SeriesMarker<Time> => ({
      time,
      position: fill.side === "buy" ? "belowBar" : "aboveBar",
      shape: fill.side === "buy" ? "arrowUp" : "arrowDown",
      color: fill.side === "buy" ? buy : sell,
      size: fills.length > MANY_FILLS ? 0.5 : 1,
    })),
  );
  const points = profitLine(
    fills.map(({ event_time_us, fill }) => ({ ...fill, at_us: event_time_us })),
    start,
  );
  profit.setData(
    perSecond(points, ({ at_us }) => at_us).map(([time, { realised }]) => ({
      time,
      value: toFloat(realised),
    })),
  );
  if (drawing.points !== fills.length) chart.timeScale().fitContent();
  drawing.points = fills.length;
}

/** The last of each second, in order: the chart has no finer time. */
function perSecond<T>(items: readonly T[], at_us: (of: T) => number): readonly (readonly [UTCTimestamp, T])[] {
  const last = new Map<number, T>();
  for (const item of items) last.set(Math.floor(at_us(item) / 1_000_000), item);
  return [...last].toSorted(([a], [b]) => a - b).map(([second, item]) => [second as UTCTimestamp, item]);
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
