/** From this browser, or from a folder or an archive on the program's machine, to staging, and from there into place; nothing runs by that. */
import { useState, type JSX } from "react";
import type { StagedPack } from "../../answers/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { goTo } from "../../page.ts";
import { dayText } from "../../time.ts";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { DryRun } from "./dry-run.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";
import { bytesText, DiffList } from "./pack-words.tsx";
import { UploadForm } from "./upload-form.tsx";

export function ImportPanel(): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const imports = useOfPacks(["staged"], (calls) => calls.staged());
  const staged = imports.data?.staged;
  return (
    <Panel title={t("imports")} name="imports" problem={imports.error}>
      {imports.data !== undefined && may.ask("packs.upload") && <UploadForm limit={imports.data.upload_limit_bytes} />}
      {may.ask("packs.import") && <ImportForm />}
      {staged?.length === 0 && <p className="empty">{t("imports_teach")}</p>}
      <ul className="rows" data-testid="staged-packs">
        {(staged ?? []).map((one) => (
          <Staged key={one.staging_id} staged={one} />
        ))}
      </ul>
      <CopyLine line={commandText("packs staged")} />
    </Panel>
  );
}

function ImportForm(): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const [path, setPath] = useState("");
  const isPath = path.startsWith("/");
  return (
    <>
      <form
        className="inline-form"
        data-testid="import-form"
        onSubmit={(event) => {
          event.preventDefault();
          ask({
            title: t("ask_import"),
            detail: (
              <>
                <p>{t("import_means")}</p>
                <p className="mono wrap">{path}</p>
              </>
            ),
            tone: "primary",
            line: (reason) => commandText("packs import", [], { path, reason }),
            onYes: (wish) => calls.import(path, wish),
            onDone: () => setPath(""),
          });
        }}
      >
        <label className="grow">
          {t("import_path")}
          <input
            className="mono wide"
            value={path}
            maxLength={4_096}
            placeholder="/srv/packs/my-pack.rumipack"
            spellCheck={false}
            aria-invalid={path !== "" && !isPath}
            onChange={(event) => setPath(event.target.value)}
          />
        </label>
        <button type="submit" className="primary" disabled={!isPath}>
          {t("import")}
        </button>
      </form>
      {dialog}
    </>
  );
}

function Staged({ staged }: { readonly staged: StagedPack }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { staging_id, pack_id, version, installed_version } = staged;
  const apply = (): void =>
    ask({
      title: t("ask_apply", { pack: pack_id, version }),
      detail: (
        <DryRun name={`apply ${staging_id}`} ask={() => calls.dryRun("POST", "/api/packs/apply", { staging_id })} />
      ),
      tone: "primary",
      line: (reason) => commandText("packs apply", [], { staging_id, reason }),
      onYes: (wish) => calls.apply(staging_id, wish),
      onDone: () => goTo({ kind: "packs", name: pack_id }),
    });
  return (
    <li data-testid="staged-pack" data-id={pack_id}>
      <div className="row-head">
        <strong>{pack_id}</strong>
        <span className="mono">{installed_version === null ? version : `${installed_version} → ${version}`}</span>
        <span className="dim small">
          {t("files", { count: staged.files })} · {bytesText(staged.bytes)} · {dayText(staged.imported_at)}
        </span>
        {may.ask("packs.apply") && (
          <button type="button" className="primary end" onClick={apply}>
            {t("put_in_place")}
          </button>
        )}
      </div>
      <div className="mono dim digest" title={staged.digest}>
        {staged.digest}
      </div>
      <div className="mono dim wrap">{staged.origin}</div>
      <DiffList diff={staged.permission_diff} />
      {dialog}
    </li>
  );
}
