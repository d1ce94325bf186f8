/**
 * What differs from what was decided. Most of it settles by itself, as its rule says; where it is of so many bots that the
 * brake holds it, an administrator looks and lets it through.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Drift } from "../../answers/inbox.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { rumiLine } from "../../rumi-line.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { RunbookLink } from "../runbook-link.tsx";

const EVERY_MS = 10_000;

export function DriftPanel(): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const drift = useQuery({ queryKey: ["drift"], queryFn: api.openDrift, refetchInterval: EVERY_MS });
  const [question, setQuestion] = useState<Question | null>(null);
  const rows = drift.data?.drift ?? [];
  const held = drift.data?.brake.bots ?? [];
  const release = (): void =>
    setQuestion({
      title: t("ask_drift_release", { count: held.length }),
      detail: held.join(", "),
      tone: "danger",
      line: (reason) => rumiLine("drift release", { reason }),
      onYes: (wish) => api.releaseDrift(wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["drift"] }),
    });
  return (
    <Panel
      title={t("drift")}
      name="drift"
      problem={drift.error}
      line="rumi drift list --open"
      aside={
        <span className="end">
          <RunbookLink page="docs/runbooks/drift.md" />
        </span>
      }
    >
      {held.length > 0 && (
        <div className="refusal row-head" data-testid="drift-brake">
          <Badge tone="bad" look="filled" text={t("drift_braked", { count: held.length })} />
          {may.dangerous("drift.release") && (
            <button type="button" className="danger end" onClick={release}>
              {t("drift_release")}
            </button>
          )}
        </div>
      )}
      {drift.data !== undefined && rows.length === 0 && <p className="empty">{t("no_drift")}</p>}
      <ul className="rows" data-testid="drift">
        {rows.map((row) => (
          <DriftRow key={row.drift_key} row={row} />
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

function DriftRow({ row }: { readonly row: Drift }): JSX.Element {
  const { drift_class, bot_id, state, expected, found, detected_at } = row;
  return (
    <li>
      <div className="row-head">
        <Badge tone={state === "braked" ? "bad" : "warn"} text={state} />
        <a href={hrefOf({ kind: "bots", bot: bot_id })}>
          <strong>{bot_id}</strong>
        </a>
        <span className="mono">{drift_class}</span>
        <span className="mono dim end">{dayText(detected_at)}</span>
      </div>
      <div className="mono wrap">
        {found} ≠ {expected}
      </div>
    </li>
  );
}
