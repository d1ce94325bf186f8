/** The chain of any id that a person holds: who commanded, what ran, what it wished, what became of it. */
import { useQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Trace } from "../../answers/runs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { goTo } from "../../page.ts";
import { dayText } from "../../time.ts";
import { Whole } from "../outlook.tsx";
import { Panel } from "../panel.tsx";
import { Timeline } from "./timeline.tsx";

const LINKS = [
  ["commands", "commands"],
  ["runs", "runs"],
  ["intents", "kind_intent"],
  ["orders", "kind_order"],
  ["fills", "kind_fill"],
] as const satisfies readonly (readonly [keyof Trace, Word])[];
const SHOWN = 20;

export function TracePage({ id }: { readonly id: string }): JSX.Element {
  const { api, t } = useConsole();
  const [typed, setTyped] = useState(id);
  const trace = useQuery({ queryKey: ["trace", id], queryFn: () => api.trace(id), enabled: id !== "" });
  return (
    <Panel
      title={t("trace")}
      name="trace"
      problem={trace.error}
      {...(id === "" ? {} : { line: commandText("trace", [id]) })}
    >
      <form
        className="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          goTo({ kind: "trace", id: typed.trim() });
        }}
      >
        <input
          className="mono wide"
          value={typed}
          aria-label={t("trace_id")}
          placeholder={t("trace_id")}
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit">{t("show")}</button>
      </form>
      {trace.data !== undefined && (
        <div data-testid="trace">
          <Timeline trace={trace.data} />
          {LINKS.map(([kind, word]) => (
            <Link key={kind} title={t(word)} rows={trace.data[kind]} />
          ))}
          <details>
            <summary>
              {t("audit")} <span className="mono dim">{trace.data.events.length}</span>
            </summary>
            <ul className="rows tight">
              {trace.data.events.map(({ event_id, log_index, action, actor, occurred_at }) => (
                <li key={event_id} className="row-head mono">
                  <span className="dim">{log_index}</span> {action}
                  <span className="dim">{actor}</span>
                  <span className="dim end">{dayText(occurred_at)}</span>
                </li>
              ))}
            </ul>
          </details>
        </div>
      )}
    </Panel>
  );
}

function Link(props: {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}): JSX.Element {
  const { title, rows } = props;
  return (
    <details open={rows.length > 0 && rows.length <= 3}>
      <summary>
        {title} <span className="mono dim">{rows.length}</span>
      </summary>
      <ol className="rows">
        {rows.slice(0, SHOWN).map((row, at) => (
          <li key={at}>
            <Whole of={row} />
          </li>
        ))}
      </ol>
    </details>
  );
}
