/** Where the bot comes from: the exact bytes that it ran, who approved them, and out of which source they were made. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { ProblemNote } from "../panel.tsx";

export function LineageBlock({ botId }: { readonly botId: string }): JSX.Element {
  const { api, t } = useConsole();
  const lineage = useQuery({ queryKey: ["bot", botId, "lineage"], queryFn: () => api.lineage(botId) });
  return (
    <div>
      <h3>{t("lineage")}</h3>
      {lineage.error !== null && <ProblemNote problem={lineage.error} t={t} />}
      <ul className="rows tight" tabIndex={0} aria-label={t("lineage")} data-testid="lineage">
        {(lineage.data?.packs ?? []).map(
          ({ pack_id, digest, pack_version, current, approved_by, approved_at, source }) => (
            <li key={digest}>
              <div className="row-head">
                <strong>
                  {pack_id} {pack_version ?? ""}
                </strong>
                <Badge tone={current ? "good" : "dim"} text={t(current ? "approved_now" : "approved_before")} />
                {approved_at !== null && <span className="mono dim end">{dayText(approved_at)}</span>}
              </div>
              <div className="mono dim digest" title={digest}>
                {digest}
              </div>
              <div className="dim wrap">
                {[approved_by, source?.repository, source?.commit]
                  .filter((word) => typeof word === "string")
                  .join(" · ")}
              </div>
            </li>
          ),
        )}
      </ul>
      <CopyLine line={commandText("bots lineage", [botId])} />
    </div>
  );
}
