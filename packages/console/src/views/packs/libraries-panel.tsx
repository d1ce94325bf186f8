/** Lists of Python libraries that a pack brings, what became of each, and the scripts that ran when it was approved. */
import { useState, type JSX } from "react";
import { INSTALLING, type Libraries } from "../../answers/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";
import { CandidateBadge } from "./pack-words.tsx";
import { Standing } from "./standing.tsx";

/** An installation is looked at while it goes on. */
const EVERY_MS = 2_000;

export function LibrariesPanel({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const libraries = useOfPacks(["libraries"], async (of) => (await of.libraries()).requests, { every_ms: EVERY_MS });
  const records = useOfPacks(["records", packId], async (of) => (await of.records(packId)).records);
  const own = (libraries.data ?? []).filter(({ pack_id }) => pack_id === packId);
  return (
    <Panel
      title={t("libraries")}
      name="libraries"
      problem={libraries.error ?? records.error}
      aside={
        may.ask("pip.scan") && (
          <button
            type="button"
            className="end"
            onClick={() =>
              ask({
                title: t("ask_scan_libraries"),
                detail: t("scan_libraries_means"),
                tone: "primary",
                line: (reason) => commandText("pip scan", [], { reason }),
                onYes: (wish) => calls.scanFor("pip", wish),
              })
            }
          >
            {t("scan")}
          </button>
        )
      }
    >
      {libraries.data !== undefined && own.length === 0 && <p className="empty">{t("libraries_teach")}</p>}
      <ul className="rows" data-testid="libraries">
        {own.map((one) => (
          <Row key={one.candidate_key} libraries={one} />
        ))}
      </ul>
      {(records.data ?? []).length > 0 && (
        <>
          <h3>{t("scripts")}</h3>
          <ul className="plain small" data-testid="scripts">
            {(records.data ?? []).map(({ lib, file, state, error, executed_at }) => (
              <li key={lib}>
                <span className="mono">{file}</span> <strong>{state}</strong> {dayText(executed_at)}
                {error !== null && <span className="bad"> {error}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      <CopyLine line={commandText("pip requests")} />
      {dialog}
    </Panel>
  );
}

function Row({ libraries }: { readonly libraries: Libraries }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const [isChoosing, setIsChoosing] = useState(false);
  const { candidate_key: key, status, packages, note } = libraries;
  const isInstalling = note === INSTALLING;
  const judge = (act: "reject" | "unblock"): void =>
    ask({
      title: t(`ask_libraries_${act}`, { what: libraries.path }),
      detail: t(`handler_${act}_means`),
      tone: act === "reject" ? "danger" : "primary",
      line: (reason) => commandText(`pip ${act}`, [key], { reason }),
      onYes: (wish) => calls.judgeLibraries(key, act, wish),
    });
  return (
    <li data-testid="library-list" data-id={libraries.path}>
      <div className="row-head">
        <strong className="mono">{libraries.path}</strong>
        {isInstalling ? (
          <Badge tone="info" text={t("installing")} testId="candidate-state" />
        ) : (
          <CandidateBadge {...libraries} />
        )}
        <span className="row-actions end">
          {status === "pending" && may.ask("pip.approve") && (
            <button type="button" className="primary" onClick={() => setIsChoosing(!isChoosing)}>
              {t("install")}
            </button>
          )}
          {status === "pending" && may.tighten("pip.reject") && (
            <button type="button" className="danger" onClick={() => judge("reject")}>
              {t("reject")}
            </button>
          )}
          {status === "blocked" && may.ask("pip.unblock") && (
            <button type="button" onClick={() => judge("unblock")}>
              {t("unblock")}
            </button>
          )}
        </span>
      </div>
      {isInstalling && <progress className="long" aria-label={t("installing")} data-testid="installing" />}
      {isChoosing && status === "pending" && <InstallForm libraries={libraries} onClose={() => setIsChoosing(false)} />}
      <div className="mono wrap">{packages.map(({ name, version }) => `${name}==${version}`).join("  ")}</div>
      <div className="mono dim digest" title={libraries.sha256}>
        sha256 {libraries.sha256}
      </div>
      {libraries.environment !== null && (
        <div className="mono dim digest" title={libraries.environment}>
          {t("environment_digest")} {libraries.environment}
        </div>
      )}
      {!isInstalling && <Standing candidate={libraries} kind="pip_candidate" />}
      {dialog}
    </li>
  );
}

function InstallForm(props: { readonly libraries: Libraries; readonly onClose: () => void }): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { libraries, onClose } = props;
  const { candidate_key: key, packages } = libraries;
  const [allow_sdist, setAllowSdist] = useState(false);
  const [index, setIndex] = useState("");
  const index_url = index.trim() === "" ? null : index.trim();
  return (
    <>
      <form
        className="inline-form"
        data-testid="install-form"
        onSubmit={(event) => {
          event.preventDefault();
          ask({
            title: t("ask_install", { count: packages.length, pack: libraries.pack_id }),
            detail: t("install_means"),
            tone: "primary",
            line: (reason) =>
              commandText("pip approve", [key], { allow_sdist: String(allow_sdist), index_url, reason }),
            onYes: (wish) => calls.installLibraries(key, { allow_sdist, index_url }, wish),
            onDone: onClose,
          });
        }}
      >
        <label className="grow">
          {t("index_url")}
          <input
            className="mono wide"
            value={index}
            placeholder="https://pypi.org/simple"
            spellCheck={false}
            onChange={(event) => setIndex(event.target.value)}
          />
        </label>
        <label className="check">
          <input type="checkbox" checked={allow_sdist} onChange={(event) => setAllowSdist(event.target.checked)} />
          {t("allow_sdist")}
        </label>
        <button type="submit" className="primary">
          {t("install")}
        </button>
        <button type="button" onClick={onClose}>
          {t("cancel")}
        </button>
      </form>
      {dialog}
    </>
  );
}
