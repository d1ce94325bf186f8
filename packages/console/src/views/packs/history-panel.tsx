/** What was done with a pack, as the log says it: by whom, when, which bytes. */
import type { JSX } from "react";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { dayText } from "../../time.ts";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useOfPacks } from "./pack-queries.ts";

export function HistoryPanel({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const events = useOfPacks(["history", packId], async (of) =>
    // The wishes themselves are in the log as well; here is what came of them.
    (await of.history("pack", packId)).filter(({ action }) => action.startsWith("pack.")),
  );
  return (
    <Panel title={t("history")} name="pack-history" problem={events.error}>
      {events.data?.length === 0 && <p className="empty">{t("nothing_yet")}</p>}
      <ul className="rows" data-testid="pack-history">
        {(events.data ?? []).map(({ event_id, action, actor, outcome, occurred_at, details }) => (
          <li key={event_id}>
            <div className="row-head">
              <span className="mono">{action}</span>
              {outcome !== "SUCCESS" && <span className="bad small">{outcome}</span>}
              <span className="dim small">{actor}</span>
              <time className="dim small end" dateTime={occurred_at}>
                {dayText(occurred_at)}
              </time>
            </div>
            {typeof details["digest"] === "string" && (
              <div className="mono dim digest" title={details["digest"]}>
                {details["digest"]}
              </div>
            )}
            {typeof details["reason"] === "string" && <div className="wrap">{details["reason"]}</div>}
          </li>
        ))}
      </ul>
      <CopyLine line={commandText("audit events", [], { resource_type: "pack", resource_id: packId })} />
    </Panel>
  );
}
