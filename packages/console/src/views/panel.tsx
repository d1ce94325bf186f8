/** A titled part of the page that keeps its place whatever happens inside: no answer, a wrong one, a crash. */
import { Component, type JSX, type ReactNode } from "react";
import { ShapeError } from "../answers/shape.ts";
import { RefusedError } from "../api.ts";
import { useConsole } from "../context.ts";
import type { Translate } from "../i18n.ts";
import { CopyLine } from "./copy-line.tsx";

export function Panel(props: {
  readonly title: string;
  readonly name: string;
  /** Beside the title. */
  readonly aside?: ReactNode;
  readonly problem?: Error | null;
  /** The same on the command line. */
  readonly line?: string;
  readonly children: ReactNode;
}): JSX.Element {
  const { t } = useConsole();
  const { title, name, aside, problem = null, line, children } = props;
  return (
    <section aria-label={title} className={`panel panel-${name}`} data-testid={`panel-${name}`}>
      <div className="panel-head">
        <h2>{title}</h2>
        {problem !== null && <ProblemNote problem={problem} t={t} />}
        {aside}
      </div>
      <Boundary t={t}>{children}</Boundary>
      {line !== undefined && <CopyLine line={line} testId="panel-line" />}
    </section>
  );
}

/** One line that says what went wrong; the last good answer stays on the page below it. */
export function ProblemNote(props: { readonly problem: Error; readonly t: Translate }): JSX.Element {
  const { problem, t } = props;
  const [title, detail] =
    problem instanceof RefusedError
      ? [problem.refusal.error_code, `${problem.refusal.error} ${problem.refusal.suggestion}`]
      : problem instanceof ShapeError
        ? [t("problem_shape"), problem.message]
        : [t("problem_network"), problem.message];
  return (
    <span className="problem bad" role="status" title={detail} data-testid="problem">
      <strong>{title}</strong> {detail}
    </span>
  );
}

type BoundaryProps = { readonly t: Translate; readonly children: ReactNode };

/** What a part of the page throws stays inside that part. */
export class Boundary extends Component<BoundaryProps, { readonly problem: Error | null }> {
  override state: { readonly problem: Error | null } = { problem: null };

  static getDerivedStateFromError(problem: unknown): { readonly problem: Error } {
    return { problem: problem instanceof Error ? problem : new Error(String(problem)) };
  }

  override render(): ReactNode {
    const { problem } = this.state;
    const { t, children } = this.props;
    if (problem === null) return children;
    return (
      <div className="refusal" role="alert" data-testid="crash">
        <strong className="bad">{t("problem_crash")}</strong>
        <span className="mono">{problem.message}</span>
        <button type="button" onClick={() => this.setState({ problem: null })}>
          {t("try_again")}
        </button>
      </div>
    );
  }
}
