/** One pack: what it is, what it asks for, and everything that it was given, part by part. */
import type { JSX } from "react";
import type { WholePack } from "../../answers/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { goTo, hrefOf } from "../../page.ts";
import { dayText } from "../../time.ts";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { BoxesPanel } from "./boxes-panel.tsx";
import { CandidatesPanel } from "./candidates-panel.tsx";
import { DryRun } from "./dry-run.tsx";
import { GrantsPanel } from "./grants-panel.tsx";
import { HistoryPanel } from "./history-panel.tsx";
import { LibrariesPanel } from "./libraries-panel.tsx";
import { MeaningsPanel } from "./meanings-panel.tsx";
import { NetworkPanel } from "./network-panel.tsx";
import { isWaiting, useOfPacks, usePackCalls } from "./pack-queries.ts";
import { DiffList, PackBadge, packMeans } from "./pack-words.tsx";
import { PrivilegesPanel } from "./privileges-panel.tsx";
import { RoutesPanel } from "./routes-panel.tsx";
import { SecretsPanel } from "./secrets-panel.tsx";
import { StoresPanel } from "./stores-panel.tsx";
import { SupplyPanel } from "./supply-panel.tsx";
import { UnitsPanel } from "./units-panel.tsx";

export function PackDetail({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const pack = useOfPacks(["one", packId], (calls) => calls.pack(packId), { every_ms: 5_000 });
  const { data } = pack;
  return (
    <>
      <Panel
        title={data?.display_name ?? packId}
        name="pack"
        problem={pack.error}
        aside={
          <>
            {data !== undefined && <PackBadge state={data.state} />}
            <a className="end" href={hrefOf({ kind: "packs", name: null })}>
              {t("all_packs")}
            </a>
          </>
        }
      >
        {data !== undefined && <Summary pack={data} />}
      </Panel>
      {data !== undefined && (
        <>
          <CandidatesPanel packId={packId} />
          <GrantsPanel pack={data} />
          <NetworkPanel pack={data} />
          {may.ask("secrets.list") && <SecretsPanel pack={data} />}
          <LibrariesPanel packId={packId} />
          <StoresPanel packId={packId} />
          <BoxesPanel packId={packId} isApproved={data.state === "approved"} />
          <RoutesPanel packId={packId} />
          <UnitsPanel packId={packId} />
          <PrivilegesPanel packId={packId} />
          <MeaningsPanel packId={packId} />
          <SupplyPanel pack={data} />
          <HistoryPanel packId={packId} />
        </>
      )}
    </>
  );
}

function Summary({ pack }: { readonly pack: WholePack }): JSX.Element {
  const { t } = useConsole();
  const { pack_id, state } = pack;
  return (
    <div data-testid="pack-summary">
      <p className={state === "approved" ? "dim" : "warn"} data-testid="pack-means">
        {t(packMeans(state))}
      </p>
      {pack.note !== null && <p className="warn wrap">{pack.note}</p>}
      {pack.manifest !== null && pack.manifest.description !== null && (
        <p className="wrap">{pack.manifest.description}</p>
      )}
      <dl className="facts">
        <Fact name={t("pack_id")} text={pack_id} />
        <Fact name={t("pack_identity")} text={pack.pack_identity} />
        <Fact name={t("version")} text={pack.version} />
        <Fact name={t("digest")} text={pack.digest} />
        <Fact name={t("approved_digest")} text={pack.approved_digest} />
        <Fact
          name={t("approved_who")}
          text={
            pack.approved_by === null || pack.approved_at === null
              ? null
              : `${pack.approved_by} · ${dayText(new Date(pack.approved_at / 1_000).toISOString())}`
          }
        />
        <Fact name={t("source_dir")} text={pack.source_dir} />
        <Fact name={t("license")} text={pack.manifest?.license ?? null} />
      </dl>
      <Asks pack={pack} />
      <Acts pack={pack} />
      <CopyLine line={commandText("packs status", [pack_id])} />
    </div>
  );
}

/** A pack that was found modified was compared, not read: what it asks for now is known after a scan. */
function Asks({ pack }: { readonly pack: WholePack }): JSX.Element | null {
  const { t } = useConsole();
  const { state, digest, approved_digest, permission_diff: diff } = pack;
  if (state === "modified" && digest === approved_digest)
    return (
      <p className="warn" data-testid="diff-unseen">
        {t("diff_unseen")}
      </p>
    );
  if (!isWaiting(pack) && diff.added.length + diff.removed.length === 0) return null;
  return (
    <>
      <h3>{t(approved_digest === null ? "asks_for" : "diff")}</h3>
      <DiffList diff={diff} />
    </>
  );
}

function Acts({ pack }: { readonly pack: WholePack }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { pack_id, state } = pack;
  const path = `/api/packs/${encodeURIComponent(pack_id)}`;
  const judge = (verdict: "approve" | "reject"): void =>
    ask({
      title: t("ask_pack", { what: t(verdict), pack: pack_id, version: pack.version ?? "" }),
      detail:
        verdict === "approve" ? (
          <DryRun name={`approve ${pack_id}`} ask={() => calls.dryRun("POST", `${path}/approve`)} />
        ) : (
          t("reject_means")
        ),
      tone: verdict === "approve" ? "primary" : "danger",
      line: (reason) => commandText(`packs ${verdict}`, [pack_id], { reason }),
      onYes: (wish) => calls.judge(pack_id, verdict, wish),
    });
  const uninstall = (): void =>
    ask({
      title: t("ask_uninstall", { pack: pack_id }),
      detail: (
        <>
          <p>{t("uninstall_means")}</p>
          <DryRun name={`uninstall ${pack_id}`} ask={() => calls.dryRun("DELETE", path)} />
        </>
      ),
      tone: "danger",
      line: (reason) => commandText("packs uninstall", [pack_id], { reason }),
      onYes: (wish) => calls.uninstall(pack_id, wish),
      onDone: () => goTo({ kind: "packs", name: null }),
    });
  return (
    <div className="row-head acts" data-testid="pack-acts">
      {state !== "approved" && state !== "scanned" && may.ask("packs.approve") && (
        <button type="button" className="primary" onClick={() => judge("approve")}>
          {t("approve")}
        </button>
      )}
      {isWaiting(pack) && may.tighten("packs.reject") && (
        <button type="button" className="danger" onClick={() => judge("reject")}>
          {t("reject")}
        </button>
      )}
      {may.ask("packs.scan") && (
        <button
          type="button"
          onClick={() =>
            ask({
              title: t("ask_scan"),
              detail: t("scan_means"),
              tone: "primary",
              line: (reason) => commandText("packs scan", [], { reason }),
              onYes: calls.scan,
            })
          }
        >
          {t("scan")}
        </button>
      )}
      {may.ask("packs.uninstall") && (
        <button type="button" className="danger" onClick={uninstall}>
          {t("uninstall")}
        </button>
      )}
      {dialog}
    </div>
  );
}

export function Fact({ name, text }: { readonly name: string; readonly text: string | null }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="mono wrap">{text ?? "–"}</dd>
    </div>
  );
}
