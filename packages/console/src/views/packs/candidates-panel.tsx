/** Capability handlers that a pack brings: each is trusted by its content, rejected with a rest, blocked at the third time. */
import type { JSX } from "react";
import type { Candidate } from "../../answers/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";
import { CandidateBadge } from "./pack-words.tsx";
import { Standing } from "./standing.tsx";

export function CandidatesPanel({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const candidates = useOfPacks(["candidates"], async (of) => (await of.candidates()).requests);
  const own = (candidates.data ?? []).filter(({ pack_id }) => pack_id === packId);
  return (
    <Panel
      title={t("handlers")}
      name="candidates"
      problem={candidates.error}
      aside={
        may.ask("capability.scan") && (
          <button
            type="button"
            className="end"
            onClick={() =>
              ask({
                title: t("ask_scan_handlers"),
                detail: t("scan_handlers_means"),
                tone: "primary",
                line: (reason) => commandText("capability scan", [], { reason }),
                onYes: (wish) => calls.scanFor("capability", wish),
              })
            }
          >
            {t("scan")}
          </button>
        )
      }
    >
      {candidates.data !== undefined && own.length === 0 && <p className="empty">{t("handlers_teach")}</p>}
      <ul className="rows" data-testid="candidates">
        {own.map((one) => (
          <Row key={one.candidate_key} candidate={one} />
        ))}
      </ul>
      <CopyLine line={commandText("capability requests")} />
      {dialog}
    </Panel>
  );
}

function Row({ candidate }: { readonly candidate: Candidate }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { candidate_key: key, permission_id, status, sha256 } = candidate;
  const judge = (act: "approve" | "reject" | "unblock"): void =>
    ask({
      title: t(`ask_handler_${act}`, { what: candidate.handler_id }),
      detail: (
        <>
          <p>{t(`handler_${act}_means`)}</p>
          <p className="mono wrap">sha256 {sha256}</p>
        </>
      ),
      tone: act === "approve" ? "primary" : "danger",
      line: (reason) => commandText(`capability ${act}`, [key], { reason }),
      onYes: (wish) => calls.judgeCandidate(key, act, wish),
    });
  return (
    <li data-testid="candidate" data-id={candidate.handler_id}>
      <div className="row-head">
        <strong className="mono">{permission_id}</strong>
        <span className="mono dim">{candidate.handler_id}</span>
        <CandidateBadge {...candidate} />
        <span className="row-actions end">
          {status === "pending" && may.ask("capability.approve") && (
            <button type="button" className="primary" onClick={() => judge("approve")}>
              {t("trust")}
            </button>
          )}
          {status === "pending" && may.tighten("capability.reject") && (
            <button type="button" className="danger" onClick={() => judge("reject")}>
              {t("reject")}
            </button>
          )}
          {status === "blocked" && may.ask("capability.unblock") && (
            <button type="button" onClick={() => judge("unblock")}>
              {t("unblock")}
            </button>
          )}
        </span>
      </div>
      <div className="wrap">{candidate.description}</div>
      {candidate.risk !== "" && (
        <div className="warn wrap">
          {t("risk")}: {candidate.risk}
        </div>
      )}
      <div className="mono dim digest" title={sha256}>
        sha256 {sha256}
      </div>
      <Standing candidate={candidate} kind="capability_candidate" />
      {dialog}
    </li>
  );
}
