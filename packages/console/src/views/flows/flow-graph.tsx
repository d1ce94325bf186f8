/**
 * The steps of a flow as a drawing and as a list. The list says everything that the drawing does, so whoever does not see the
 * drawing misses nothing; a state is a colour, a sign and a word.
 */
import type { JSX } from "react";
import type { FlowStep, StepState, TracedStep } from "../../answers/flows.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { Badge, type Tone } from "../badge.tsx";
import { ScrollX } from "../scroll-x.tsx";
import { layoutOf, type Layout, type Placed } from "./graph-layout.ts";

export const STEP: Readonly<Record<StepState, readonly [Tone, Word, string]>> = {
  running: ["info", "step_running", "▶"],
  waiting: ["warn", "step_waiting", "?"],
  done: ["good", "step_done", "✓"],
  failed: ["bad", "step_failed", "✕"],
  skipped: ["dim", "step_skipped", "–"],
};
const SIZE = { width: 168, height: 46, gap_x: 46, gap_y: 16, top: 22, edge: 4 } as const;
const NAME_CHARACTERS = 19;

export function FlowGraph(props: {
  readonly steps: readonly FlowStep[];
  readonly phases: readonly string[];
  /** Of a run; nothing where only the flow is shown. */
  readonly traced?: readonly TracedStep[];
}): JSX.Element {
  const { t } = useConsole();
  const { steps, phases, traced } = props;
  const came = new Map((traced ?? []).map((one) => [one.path, one]));
  const layout = layoutOf(steps, phases);
  return (
    <>
      <ScrollX label={t("graph")}>
        <Drawing layout={layout} came={came} />
      </ScrollX>
      <ol className="steps" data-testid="steps" aria-label={t("steps")}>
        {steps.map((step) => (
          <Line key={step.id} step={step} came={came.get(step.id)} isRun={traced !== undefined} />
        ))}
        {(traced ?? [])
          .filter(({ path }) => path.includes("/"))
          .map((one) => (
            <li key={one.path} className="row-head inner" data-path={one.path}>
              <span className="mono">{one.path}</span>
              <Came came={one} />
            </li>
          ))}
      </ol>
    </>
  );
}

function Line(props: {
  readonly step: FlowStep;
  readonly came: TracedStep | undefined;
  readonly isRun: boolean;
}): JSX.Element {
  const { t } = useConsole();
  const { step, came, isRun } = props;
  const { id, type, phase, depends_on, conditional, calls } = step;
  return (
    <li className="row-head" data-path={id}>
      <strong className="mono">{id}</strong>
      {came !== undefined ? <Came came={came} /> : isRun && <span className="dim small">{t("step_not_reached")}</span>}
      <span className="dim small wrap">
        {type} · {t("phase")} {phase}
        {depends_on.length > 0 && ` · ${t("behind", { steps: depends_on.join(", ") })}`}
        {conditional && ` · ${t("conditional")}`}
        {calls !== null && ` · ${calls}`}
      </span>
    </li>
  );
}

function Came({ came }: { readonly came: TracedStep }): JSX.Element {
  const { t } = useConsole();
  const [tone, word] = STEP[came.state];
  return (
    <>
      <Badge tone={tone} text={t(word)} testId="step-state" />
      {came.duration_ms !== null && <span className="mono dim">{durationText(came.duration_ms)}</span>}
      {came.error !== null && <span className="bad small wrap">{came.error}</span>}
    </>
  );
}

function Drawing(props: {
  readonly layout: Layout<FlowStep>;
  readonly came: ReadonlyMap<string, TracedStep>;
}): JSX.Element {
  const { layout, came } = props;
  const { nodes, edges, columns, rows, phases } = layout;
  const width = columns * (SIZE.width + SIZE.gap_x) - SIZE.gap_x + 2 * SIZE.edge;
  const height = SIZE.top + rows * (SIZE.height + SIZE.gap_y);
  const at = new Map(nodes.map((node) => [node.step.id, node]));
  return (
    <svg
      className="graph"
      width={Math.max(width, 0)}
      height={height}
      viewBox={`0 0 ${Math.max(width, 1)} ${Math.max(height, 1)}`}
      aria-hidden="true"
      data-testid="graph"
    >
      {phases.map(({ phase, column }) => (
        <text key={phase} className="phase" x={xOf(column)} y={13}>
          {phase}
        </text>
      ))}
      {edges.map(({ from, to }) => (
        <Arrow key={`${from} ${to}`} from={at.get(from)} to={at.get(to)} />
      ))}
      {nodes.map((node) => (
        <Node key={node.step.id} node={node} came={came.get(node.step.id)} />
      ))}
    </svg>
  );
}

const xOf = (column: number): number => SIZE.edge + column * (SIZE.width + SIZE.gap_x);
const yOf = (row: number): number => SIZE.top + row * (SIZE.height + SIZE.gap_y);

function Arrow(props: {
  readonly from: Placed<FlowStep> | undefined;
  readonly to: Placed<FlowStep> | undefined;
}): JSX.Element | null {
  const { from, to } = props;
  if (from === undefined || to === undefined) return null;
  const [x1, y1] = [xOf(from.column) + SIZE.width, yOf(from.row) + SIZE.height / 2];
  const [x2, y2] = [xOf(to.column) - 1, yOf(to.row) + SIZE.height / 2];
  const bend = Math.max(18, (x2 - x1) / 2);
  return (
    <g className="arrow">
      <path d={`M ${x1} ${y1} C ${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 5} ${y2}`} />
      <path className="head" d={`M ${x2} ${y2} l -7 -4 v 8 z`} />
    </g>
  );
}

function Node(props: { readonly node: Placed<FlowStep>; readonly came: TracedStep | undefined }): JSX.Element {
  const { node, came } = props;
  const { id, type, conditional } = node.step;
  const [tone, , sign] = came === undefined ? (["dim", "", ""] as const) : STEP[came.state];
  const name = id.length > NAME_CHARACTERS ? `${id.slice(0, NAME_CHARACTERS - 1)}…` : id;
  return (
    <g
      className={`node ${came === undefined ? "" : tone} ${conditional ? "conditional" : ""}`}
      transform={`translate(${xOf(node.column)} ${yOf(node.row)})`}
      data-path={id}
      data-state={came?.state ?? "none"}
    >
      <title>{`${id} (${type})`}</title>
      <rect width={SIZE.width} height={SIZE.height} rx={8} />
      <text className="name" x={12} y={20}>
        {node.order}. {name}
      </text>
      <text className="type" x={12} y={36}>
        {type}
      </text>
      <text className="sign" x={SIZE.width - 12} y={20} textAnchor="end">
        {sign}
      </text>
    </g>
  );
}

export function durationText(ms: number): string {
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(1)} s`;
}
