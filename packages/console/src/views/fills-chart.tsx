/** Fill prices with a mark for each fill, orders as lines at their limits, and realised profit below, on the market's own time. */
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
import type { BotOrder } from "../answers/bot-page.ts";
import { useConsole } from "../context.ts";
import { scaled, toFloat } from "../numbers.ts";
import { profitLine } from "../profit-line.ts";
import { colourOf, onColours } from "../theme.ts";
import { OrderLines } from "./bot/chart/order-lines.ts";
import { momentsOf, orderLines } from "./bot/chart/order-marks.ts";

/** Beyond this the marks are drawn smaller, so that the price stays visible. */
const MANY_FILLS = 80;

type Start = Parameters<typeof profitLine>[1];
type Drawing = {
  readonly chart: IChartApi;
  readonly price: ISeriesApi<"Line">;
  readonly profit: ISeriesApi<"Baseline">;
  readonly marks: ISeriesMarkersPluginApi<Time>;
  /** Without a line of its own: it gives the axes the moments and prices of orders. */
  readonly moments: ISeriesApi<"Line">;
  readonly orders: OrderLines;
  /** How much was drawn; the view follows only while it grows. */
  points: number;
};

type Drawn = {
  readonly fills: readonly Fill[];
  readonly start: Start;
  /** None where they are not to be seen. */
  readonly orders: readonly BotOrder[];
};

export function FillsChart({ fills, start, orders }: Drawn): JSX.Element {
  const { t } = useConsole();
  const place = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | null>(null);
  useEffect(() => {
    if (place.current === null) return;
    const made = makeDrawing(place.current);
    drawing.current = made;
    const forget = onColours(() => {
      paint(made);
      draw(made, latest.current);
    });
    return () => {
      forget();
      made.chart.remove();
      drawing.current = null;
    };
  }, []);
  const latest = useRef({ fills, start, orders });
  useEffect(() => {
    latest.current = { fills, start, orders };
    if (drawing.current !== null) draw(drawing.current, latest.current);
  }, [fills, start, orders]);
  return <div className="chart" ref={place} role="figure" aria-label={t("chart")} data-testid="chart" />;
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
  const moments = chart.addSeries(LineSeries, {
    lineVisible: false,
    pointMarkersVisible: false,
    crosshairMarkerVisible: false,
    lastValueVisible: false,
    priceLineVisible: false,
  });
  const orders = new OrderLines();
  moments.attachPrimitive(orders);
  const made: Drawing = { chart, price, profit, marks: createSeriesMarkers(price, []), moments, orders, points: 0 };
  paint(made);
  return made;
}

/** Colours come from the style sheet, so that the chart is legible in whatever scheme the page has. */
function paint({ chart, price, profit }: Drawing): void {
  const [good, bad] = [colourOf("--buy"), colourOf("--sell")];
  chart.applyOptions({
    layout: {
      background: { color: "transparent" },
      textColor: colourOf("--dim"),
      panes: { separatorColor: colourOf("--line") },
    },
    grid: { horzLines: { color: colourOf("--line") } },
  });
  price.applyOptions({ color: colourOf("--accent") });
  profit.applyOptions({
    topLineColor: good,
    topFillColor1: "transparent",
    topFillColor2: "transparent",
    bottomLineColor: bad,
    bottomFillColor1: "transparent",
    bottomFillColor2: "transparent",
  });
}

function draw(drawing: Drawing, { fills, start, orders }: Drawn): void {
  const { chart, price, profit, marks } = drawing;
  const [buy, sell] = [colourOf("--buy"), colourOf("--sell")];
  const priced = fills[0]?.fill.price ?? orders.find((order) => order.price !== null)?.price ?? "0";
  const digits = Math.min(8, scaled(priced).digits);
  const priceFormat = { type: "price", precision: digits, minMove: 10 ** -digits } as const;
  price.applyOptions({ priceFormat });
  drawing.moments.applyOptions({ priceFormat });
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
  const lines = orderLines(
    orders,
    fills.map(({ fill }) => toFloat(fill.price)),
  );
  drawing.moments.setData(momentsOf(lines).map(([second, value]) => ({ time: second as UTCTimestamp, value })));
  drawing.orders.show(lines, { buy, sell, refused: colourOf("--warn") });
  const count = fills.length + orders.length;
  if (drawing.points !== count) chart.timeScale().fitContent();
  drawing.points = count;
}

/** The last of each second, in order: the chart has no finer time. */
function perSecond<T>(items: readonly T[], at_us: (of: T) => number): readonly (readonly [UTCTimestamp, T])[] {
  const last = new Map<number, T>();
  for (const item of items) last.set(Math.floor(at_us(item) / 1_000_000), item);
  return [...last].toSorted(([a], [b]) => a - b).map(([second, item]) => [second as UTCTimestamp, item]);
}
