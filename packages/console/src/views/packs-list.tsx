/** Packs, those that wait for a person first; an approval names exactly the bytes that it approves. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Pack } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import { useMay } from "../may.ts";
import { Badge, type Tone } from "./badge.tsx";
import { Panel } from "./panel.tsx";
import { ReasonDialog, type Question } from "./reason-dialog.tsx";

const PACK_TONE: Readonly<Record<string, Tone>> = {
  approved: "good",
  pending: "warn",
  modified: "warn",
  rejected: "bad",
  invalid: "bad",
};

export function PacksList(): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const packs = useQuery({
    queryKey: ["packs"],
    queryFn: async () => (await api.packs()).packs.toSorted(waitingFirst),
    refetchInterval: 10_000,
  });
  const ask = (pack: Pack, verdict: "approve" | "reject"): void => {
    const { pack_id, version } = pack;
    setQuestion({
      title: t("ask_pack", { what: t(verdict), pack: pack_id, version: version ?? "" }),
      detail: t("ask_pack_detail", {
        digest: pack.digest ?? "?",
        strategies: pack.strategies.map(({ strategy_id }) => strategy_id).join(", "),
      }),
      tone: verdict === "approve" ? "primary" : "danger",
      onYes: (wish) => api.judgePack(pack_id, verdict, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["packs"] }),
    });
  };
  const waiting = (packs.data ?? []).filter(isWaiting).length;
  return (
    <Panel
      title={t("packs")}
      name="packs"
      problem={packs.error}
      aside={waiting === 0 ? undefined : <Badge tone="warn" text={t("packs_pending", { count: waiting })} />}
    >
      {packs.data?.length === 0 && <p className="empty">{t("no_packs")}</p>}
      <ul className="rows" data-testid="packs">
        {(packs.data ?? []).map((pack) => (
          <li key={pack.pack_id}>
            <div className="row-head">
              <strong>{pack.display_name ?? pack.pack_id}</strong>
              <span className="mono dim">{pack.version ?? ""}</span>
              <Badge tone={PACK_TONE[pack.state] ?? "dim"} text={pack.state} />
              {isWaiting(pack) && (
                <span className="row-actions end">
                  {may.ask("packs.approve") && (
                    <button type="button" className="primary" onClick={() => ask(pack, "approve")}>
                      {t("approve")}
                    </button>
                  )}
                  {may.ask("packs.reject") && (
                    <button type="button" className="danger" onClick={() => ask(pack, "reject")}>
                      {t("reject")}
                    </button>
                  )}
                </span>
              )}
            </div>
            <div className="mono dim digest" title={pack.digest ?? ""}>
              {pack.digest ?? "–"}
            </div>
            <div className="dim wrap">
              {pack.strategies
                .map(
                  ({ strategy_id, strategy_version, runtime_kind }) =>
                    `${strategy_id} ${strategy_version} (${runtime_kind})`,
                )
                .join(" · ")}
            </div>
            {pack.note !== null && <div className="warn wrap">{pack.note}</div>}
          </li>
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

function isWaiting({ state }: Pack): boolean {
  return state === "pending" || state === "modified";
}

function waitingFirst(a: Pack, b: Pack): number {
  return Number(isWaiting(b)) - Number(isWaiting(a)) || a.pack_id.localeCompare(b.pack_id);
}
