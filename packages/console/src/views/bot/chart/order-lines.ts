/** Draws orders on a chart: a line at the limit for as long as it stood, a cross where it was refused. */
import {
  LineStyle,
  type IChartApiBase,
  type IPrimitivePaneRenderer,
  type IPrimitivePaneView,
  type ISeriesApi,
  type ISeriesPrimitive,
  type SeriesAttachedParameter,
  type SeriesType,
  type UTCTimestamp,
} from "lightweight-charts";
import type { OrderLine } from "./order-marks.ts";

export type OrderColours = { readonly buy: string; readonly sell: string; readonly refused: string };

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];
type Utils = Parameters<IPrimitivePaneRenderer["draw"]>[1];
type Context = CanvasRenderingContext2D;

const STYLE = { resting: LineStyle.Solid, done: LineStyle.Solid, taken_back: LineStyle.Dashed } as const;
/** Half of a cross, and the least that a line is long, so that an order of one moment is seen. */
const MARK_PX = 4;

export class OrderLines implements ISeriesPrimitive {
  #lines: readonly OrderLine[] = [];
  #colours: OrderColours = { buy: "", sell: "", refused: "" };
  #place: { readonly chart: IChartApiBase; readonly series: ISeriesApi<SeriesType> } | null = null;
  #update: () => void = () => undefined;
  readonly #views: readonly IPrimitivePaneView[] = [
    { zOrder: () => "bottom", renderer: () => ({ draw: (target, utils) => this.#draw(target, utils) }) },
  ];

  attached({ chart, series, requestUpdate }: SeriesAttachedParameter): void {
    this.#place = { chart, series };
    this.#update = requestUpdate;
  }

  detached(): void {
    this.#place = null;
    this.#update = () => undefined;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.#views;
  }

  show(lines: readonly OrderLine[], colours: OrderColours): void {
    this.#lines = lines;
    this.#colours = colours;
    this.#update();
  }

  #draw(target: Target, utils: Utils): void {
    const place = this.#place;
    if (place === null) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const scale = place.chart.timeScale();
      for (const line of this.#lines) {
        const from = scale.timeToCoordinate(line.from as UTCTimestamp);
        const until = line.until === null ? mediaSize.width : scale.timeToCoordinate(line.until as UTCTimestamp);
        const y = place.series.priceToCoordinate(line.price);
        if (from === null || until === null || y === null) continue;
        if (line.look === "refused") this.#cross(context, from, y);
        else this.#stroke(context, utils, { from, until: Math.max(until, from + MARK_PX), y, line, look: line.look });
      }
    });
  }

  #stroke(
    context: Context,
    utils: Utils,
    of: {
      readonly from: number;
      readonly until: number;
      readonly y: number;
      readonly line: OrderLine;
      readonly look: keyof typeof STYLE;
    },
  ): void {
    context.lineWidth = of.look === "resting" ? 2 : 1;
    context.strokeStyle = this.#colours[of.line.side];
    utils?.setLineStyle(context, STYLE[of.look]);
    context.beginPath();
    context.moveTo(of.from, of.y);
    context.lineTo(of.until, of.y);
    context.stroke();
  }

  #cross(context: Context, x: number, y: number): void {
    context.lineWidth = 2;
    context.strokeStyle = this.#colours.refused;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x - MARK_PX, y - MARK_PX);
    context.lineTo(x + MARK_PX, y + MARK_PX);
    context.moveTo(x - MARK_PX, y + MARK_PX);
    context.lineTo(x + MARK_PX, y - MARK_PX);
    context.stroke();
  }
}
