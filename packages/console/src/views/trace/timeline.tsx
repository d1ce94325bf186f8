/** The chain of a trace as a line of time: what is in the log beside what only the journals keep. */
import type { JSX } from "react";
import type { Trace } from "../../answers/runs.ts";
import { useConsole } from "../../context.ts";
import { clockText } from "../../time.ts";
import { momentsOf, type Moment } from "../../trace-line.ts";

/** The beginning and the end of a long one; the middle is in the lists below. */
const AT_EACH_END = 60;

export function Timeline({ trace }: { readonly trace: Trace }): JSX.Element {
  const { t } = useConsole();
  const all = momentsOf(trace);
  const left = all.length - 2 * AT_EACH_END;
  const [head, tail] = left > 0 ? [all.slice(0, AT_EACH_END), all.slice(-AT_EACH_END)] : [all, []];
  if (all.length === 0) return <p className="empty">{t("trace_empty")}</p>;
  return (
    <div className="timeline" tabIndex={0} role="group" aria-label={t("trace")} data-testid="timeline">
      <ol>
        {head.map((moment) => (
          <MomentRow key={moment.key} moment={moment} from_ms={all[0]?.at_ms ?? 0} />
        ))}
      </ol>
      {left > 0 && <p className="dim">{t("and_more", { count: left })}</p>}
      <ol>
        {tail.map((moment) => (
          <MomentRow key={moment.key} moment={moment} from_ms={all[0]?.at_ms ?? 0} />
        ))}
      </ol>
    </div>
  );
}

function MomentRow({ moment, from_ms }: { readonly moment: Moment; readonly from_ms: number }): JSX.Element {
  const { at_ms, kind, words, log_index, isBad } = moment;
  return (
    <li className={`moment ${kind} ${isBad ? "bad" : ""}`} data-kind={kind}>
      <span className="mono dim" title={new Date(at_ms).toISOString()}>
        {clockText(at_ms)} <span className="after">+{((at_ms - from_ms) / 1_000).toFixed(3)} s</span>
      </span>
      <span className="mono what">{kind}</span>
      <span className="mono wrap">{words}</span>
      <span className="mono dim end">{log_index === null ? "" : `#${log_index}`}</span>
    </li>
  );
}
