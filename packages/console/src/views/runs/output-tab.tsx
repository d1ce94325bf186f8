/** What a run said, as it says it: its prompt first, errors marked as such; the end stays in sight until one scrolls away from it. */
import { useEffect, useRef, type JSX } from "react";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { Badge, type Tone } from "../badge.tsx";
import { ProblemNote } from "../panel.tsx";
import { useRunOutput, type Output } from "./run-output.ts";

const STATE = {
  connecting: ["dim", "connecting"],
  live: ["good", "connection_live"],
  ended: ["dim", "output_ended"],
  lost: ["bad", "connection_lost"],
} as const satisfies Readonly<Record<Output["state"], readonly [Tone, Word]>>;
/** So near to its end counts as being there. */
const NEAR_PIXELS = 24;

export function OutputTab({ runId }: { readonly runId: number }): JSX.Element {
  const { t } = useConsole();
  const { lines, dropped, state, problem } = useRunOutput(runId);
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    if (follows.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  const [tone, word] = STATE[state];
  return (
    <>
      <div className="row-head">
        <Badge tone={tone} text={t(word)} testId="output-state" />
        {problem !== null && <ProblemNote problem={problem} t={t} />}
        {dropped > 0 && <span className="dim">{t("log_cut", { count: dropped, run: runId })}</span>}
      </div>
      {lines.length === 0 && state === "ended" && <p className="empty">{t("output_nothing")}</p>}
      <pre
        ref={box}
        className="output"
        data-testid="output"
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={t("tab_output")}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          follows.current = scrollTop + clientHeight >= scrollHeight - NEAR_PIXELS;
        }}
      >
        {lines.map(({ stream, data }, at) => (
          // eslint-disable-next-line react/no-array-index-key -- lines have no other name
          <span key={dropped + at} className={stream === "stderr" ? "bad" : stream === "meta" ? "dim" : ""}>
            {stream === "meta" ? `${data}\n` : data}
          </span>
        ))}
      </pre>
    </>
  );
}
