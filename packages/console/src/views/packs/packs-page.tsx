/** Packs: all of them, those that wait for a person first; imports on their way; and one with everything about it. */
import type { JSX } from "react";
import type { PackRow } from "../../answers/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { ImportPanel } from "./import-panel.tsx";
import { PackDetail } from "./pack-detail.tsx";
import { isWaiting, useOfPacks, usePackCalls, waitingFirst } from "./pack-queries.ts";
import { PackBadge } from "./pack-words.tsx";
import "../../styles/work.css";

export function PacksPage({ name }: { readonly name: string | null }): JSX.Element {
  return name === null ? (
    <>
      <PacksPanel />
      <ImportPanel />
    </>
  ) : (
    <PackDetail key={name} packId={name} />
  );
}

function PacksPanel(): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const packs = useOfPacks(["rows"], async (of) => (await of.packs()).packs.toSorted(waitingFirst));
  const waiting = (packs.data ?? []).filter(isWaiting).length;
  const scan = (): void =>
    ask({
      title: t("ask_scan"),
      detail: t("scan_means"),
      tone: "primary",
      line: (reason) => commandText("packs scan", [], { reason }),
      onYes: calls.scan,
    });
  return (
    <Panel
      title={t("packs")}
      name="pack-list"
      problem={packs.error}
      aside={
        <>
          {waiting > 0 && <Badge tone="warn" text={t("packs_pending", { count: waiting })} />}
          {may.ask("packs.scan") && (
            <button type="button" className="end" onClick={scan}>
              {t("scan")}
            </button>
          )}
        </>
      }
    >
      {packs.data?.length === 0 && (
        <div className="empty" data-testid="no-packs">
          <p>{t("packs_teach")}</p>
          <CopyLine line="rumi packs new my-pack --template full --output-dir made" />
          <p>{t("packs_teach_import")}</p>
        </div>
      )}
      <ul className="rows" data-testid="pack-rows">
        {(packs.data ?? []).map((pack) => (
          <Row key={pack.pack_id} pack={pack} />
        ))}
      </ul>
      <CopyLine line={commandText("packs list")} />
      {dialog}
    </Panel>
  );
}

function Row({ pack }: { readonly pack: PackRow }): JSX.Element {
  return (
    <li data-testid="pack-row" data-id={pack.pack_id}>
      <div className="row-head">
        <a href={hrefOf({ kind: "packs", name: pack.pack_id })}>
          <strong>{pack.display_name ?? pack.pack_id}</strong>
        </a>
        <span className="mono dim">{pack.version ?? ""}</span>
        <PackBadge state={pack.state} />
      </div>
      <div className="mono dim digest" title={pack.digest ?? ""}>
        {pack.pack_id} · {pack.digest ?? "–"}
      </div>
      {pack.strategies.length > 0 && (
        <div className="dim wrap">
          {pack.strategies.map((one) => `${one.strategy_id} ${one.strategy_version} (${one.runtime_kind})`).join(" · ")}
        </div>
      )}
      {pack.note !== null && <div className="warn wrap">{pack.note}</div>}
    </li>
  );
}
