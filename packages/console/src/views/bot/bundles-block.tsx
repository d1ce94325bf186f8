/** Support bundles of the bot, and having one made; each names the hash that the audit log keeps. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";

const STATE_TONE = { REQUESTED: "info", READY: "good", FAILED: "bad", REMOVED: "dim" } as const;

export function BundlesBlock({ botId }: { readonly botId: string }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const bundles = useQuery({
    queryKey: ["bundles", botId],
    queryFn: async () => (await api.bundlesOf(botId)).bundles,
    refetchInterval: 5_000,
  });
  return (
    <div>
      <h3>
        {t("bundles")}{" "}
        {may.tighten("support_bundles.create") && (
          <button
            type="button"
            className="quiet"
            onClick={() =>
              setQuestion({
                title: t("ask_bundle", { bot: botId }),
                tone: "primary",
                onYes: (wish) => api.makeBundle(botId, wish),
                onDone: () => void queries.invalidateQueries({ queryKey: ["bundles"] }),
              })
            }
          >
            {t("make_bundle")}
          </button>
        )}
      </h3>
      {bundles.data?.length === 0 && <p className="dim">{t("no_bundles")}</p>}
      <ul className="rows" data-testid="bundles">
        {(bundles.data ?? []).map(({ bundle_id, state, reason, created_at, manifest_sha256, path }) => (
          <li key={bundle_id}>
            <div className="row-head">
              <Badge tone={STATE_TONE[state]} text={state} />
              <span className="wrap">{reason}</span>
              <span className="mono dim end">{dayText(created_at)}</span>
            </div>
            <div className="mono dim digest" title={path ?? bundle_id}>
              {manifest_sha256 ?? bundle_id}
            </div>
          </li>
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </div>
  );
}
