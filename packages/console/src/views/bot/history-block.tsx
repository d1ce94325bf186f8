/** What states the bot was in, who moved it and why, newest first; each line is an event of the log. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { hrefOf } from "../../page.ts";
import { dayText } from "../../time.ts";
import { CopyLine } from "../copy-line.tsx";
import { ProblemNote } from "../panel.tsx";
import { Reason } from "./reason.tsx";

export function HistoryBlock({ botId }: { readonly botId: string }): JSX.Element {
  const { api, t } = useConsole();
  const history = useQuery({
    queryKey: ["bot", botId, "history"],
    queryFn: async () =>
      (await api.findEvents({ action: "bot.state.transition", resource_type: "bot", resource_id: botId }, null)).events,
    refetchInterval: 10_000,
  });
  const word = (value: unknown): string => (typeof value === "string" ? value : "");
  return (
    <div>
      <h3>{t("state_history")}</h3>
      {history.error !== null && <ProblemNote problem={history.error} t={t} />}
      {history.data?.length === 0 && <p className="dim">{t("no_history")}</p>}
      <ol className="rows tight" tabIndex={0} aria-label={t("state_history")} data-testid="history">
        {(history.data ?? []).map(({ event_id, occurred_at, actor, details }) => (
          <li key={event_id}>
            <div className="row-head">
              <span className="mono">
                {word(details["from"])} → <strong>{word(details["to"])}</strong>
              </span>
              <span className="mono dim end">{dayText(occurred_at)}</span>
            </div>
            {word(details["reason_code"]) !== "" && (
              <div className="wrap">
                <Reason code={word(details["reason_code"])} tone="dim" look="brief" />
              </div>
            )}
            <div className="dim wrap">
              {actor} {word(details["reason"])}{" "}
              {word(details["trace_id"]) !== "" && (
                <a href={hrefOf({ kind: "trace", id: word(details["trace_id"]) })}>{t("trace")}</a>
              )}
            </div>
          </li>
        ))}
      </ol>
      <CopyLine
        line={commandText("audit events", [], {
          resource_type: "bot",
          resource_id: botId,
          action: "bot.state.transition",
        })}
      />
    </div>
  );
}
