/** Paths of this server that a pack answers on, and those that it wanted and did not get, with the reason. */
import type { JSX } from "react";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";

export function RoutesPanel({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const table = useOfPacks(["routes"], (of) => of.routes());
  const own = (table.data?.routes ?? []).filter(({ pack_id }) => pack_id === packId);
  const problems = (table.data?.problems ?? []).filter(({ pack_id }) => pack_id === packId);
  return (
    <Panel
      title={t("routes")}
      name="routes"
      problem={table.error}
      aside={
        may.ask("routes.reload") && (
          <button
            type="button"
            className="end"
            onClick={() =>
              ask({
                title: t("ask_reload_routes"),
                detail: t("reload_routes_means"),
                tone: "primary",
                line: (reason) => commandText("routes reload", [], { reason }),
                onYes: calls.reloadRoutes,
              })
            }
          >
            {t("read_again")}
          </button>
        )
      }
    >
      {table.data !== undefined && own.length + problems.length === 0 && <p className="empty">{t("routes_teach")}</p>}
      <ul className="rows" data-testid="routes">
        {own.map(({ method, path, flow_id, description, timeout }) => (
          <li key={`${method} ${path}`} data-testid="route">
            <div className="row-head">
              <strong className="mono wrap">
                {method} {path}
              </strong>
              <a href={hrefOf({ kind: "flows", name: flow_id, run: null })}>{flow_id}</a>
              <span className="dim small">{t("at_most_seconds", { seconds: timeout })}</span>
            </div>
            {description !== "" && <div className="wrap">{description}</div>}
          </li>
        ))}
        {problems.map(({ method, path, error_code, error, suggestion }) => (
          <li key={`${error_code} ${method} ${path}`} data-testid="route-problem">
            <strong className="mono bad">{error_code}</strong> {error}
            <div>
              <strong>{t("next_step")}:</strong> {suggestion}
            </div>
          </li>
        ))}
      </ul>
      <CopyLine line={commandText("routes list")} />
      {dialog}
    </Panel>
  );
}
