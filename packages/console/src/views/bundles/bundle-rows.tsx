/**
 * Support bundles: what each is, how old, how large, under which hash, and the archive to be taken away.
 *
 * What is saved was hashed here first and is the archive that the list names; another one is not saved.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Bundle } from "../../answers/bundles.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { shownDecimal } from "../../numbers.ts";
import { saveFile } from "../../save-file.ts";
import { dayText, remainingText } from "../../time.ts";
import { useNow } from "../../use-now.ts";
import { received } from "../../verify/digest.ts";
import { Badge, type Tone } from "../badge.tsx";
import type { Question } from "../reason-dialog.tsx";
import { RunbookLink } from "../runbook-link.tsx";
import { TroubleBox, troubleOf, type Trouble } from "../trouble-box.tsx";

const TONE: Readonly<Record<Bundle["state"], Tone>> = {
  REQUESTED: "info",
  READY: "good",
  FAILED: "bad",
  REMOVED: "dim",
};
const EVERY_MS = 5_000;
const WHILE_MADE_MS = 700;

export function useBundles(botId: string | null) {
  const { api } = useConsole();
  return useQuery({
    queryKey: ["bundles", botId ?? ""],
    queryFn: async () => (await api.bundles(botId)).bundles,
    refetchInterval: ({ state }) =>
      state.data?.some((one) => one.state === "REQUESTED") === true ? WHILE_MADE_MS : EVERY_MS,
  });
}

/** The question that begins one. */
export function useMakeBundle(botId: string | null): (title: string) => Question {
  const { api } = useConsole();
  const queries = useQueryClient();
  return (title) => ({
    title,
    tone: "primary",
    line: (reason) => commandText("support_bundles create", [], { bot_id: botId, reason }),
    onYes: (wish) => api.makeBundle(botId, wish),
    onDone: () => void queries.invalidateQueries({ queryKey: ["bundles"] }),
  });
}

export function BundleRows(props: { readonly bundles: readonly Bundle[]; readonly testId: string }): JSX.Element {
  return (
    <ul className="rows" data-testid={props.testId}>
      {props.bundles.map((bundle) => (
        <Row key={bundle.bundle_id} bundle={bundle} />
      ))}
    </ul>
  );
}

function Row({ bundle }: { readonly bundle: Bundle }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const { state, bot_id, reason, requested_by, created_at, archive_bytes, archive_sha256, failure, path } = bundle;
  return (
    <li data-testid="bundle" data-state={state}>
      <div className="row-head">
        <Badge tone={TONE[state]} text={state} />
        <span>{bot_id ?? t("scope_all")}</span>
        <span className="dim wrap">{reason}</span>
        <span className="mono dim end" title={created_at}>
          <Age since={created_at} />
        </span>
      </div>
      {state === "REQUESTED" && (
        <div className="row-head small" role="status" data-testid="bundle-progress">
          <progress className="long" aria-label={t("bundle_made")} /> {t("bundle_made")}
        </div>
      )}
      {archive_sha256 !== null && (
        <div className="mono dim wrap" title={path ?? ""}>
          {t("bytes", { count: shownDecimal(String(archive_bytes ?? 0), 0) })}
          {bundle.manifest !== null && ` · ${t("files", { count: bundle.manifest.files.length })}`} · sha256{" "}
          {archive_sha256}
        </div>
      )}
      <div className="mono dim wrap">{requested_by}</div>
      {failure !== null && (
        <div className="refusal">
          <span className="mono bad">{failure.error_code}</span> {failure.error} <strong>{t("next_step")}:</strong>{" "}
          {failure.suggestion} <RunbookLink page="docs/runbooks/support-bundles.md" />
        </div>
      )}
      {state === "REMOVED" && <p className="dim small">{t("bundle_removed")}</p>}
      {state === "READY" && may.ask("support_bundles.archive") && <TakeAway bundle={bundle} />}
    </li>
  );
}

function Age({ since }: { readonly since: string }): JSX.Element {
  const { t } = useConsole();
  const now = useNow();
  return (
    <>
      {dayText(since)} · {t("ago", { time: remainingText(now - Date.parse(since)) })}
    </>
  );
}

type Taken =
  | { readonly kind: "taking" | "saved" }
  | { readonly kind: "other"; readonly found: string }
  | { readonly kind: "failed"; readonly trouble: Trouble };

function TakeAway({ bundle }: { readonly bundle: Bundle }): JSX.Element {
  const { api, t } = useConsole();
  const [taken, setTaken] = useState<Taken | null>(null);
  const { bundle_id, archive_sha256 } = bundle;
  const take = async (): Promise<void> => {
    setTaken({ kind: "taking" });
    try {
      const archive = await api.bundleArchive(bundle_id);
      const found = await received(archive.archive_base64, [archive_sha256 ?? "", archive.archive_sha256]);
      if (found.kind === "other") return setTaken(found);
      saveFile(`rumi-bundle-${bundle_id}.zip`, found.bytes, "application/zip");
      setTaken({ kind: "saved" });
    } catch (problem) {
      setTaken({ kind: "failed", trouble: troubleOf(problem) });
    }
  };
  return (
    <>
      <div className="row-head">
        <button type="button" disabled={taken?.kind === "taking"} onClick={() => void take()} data-testid="take-bundle">
          {t("download")}
        </button>
        <span role="status" data-testid="bundle-taken">
          {taken?.kind === "taking" && (
            <>
              <progress aria-label={t("bundle_taking")} /> {t("bundle_taking")}
            </>
          )}
          {taken?.kind === "saved" && <span className="good">✓ {t("bundle_checked")}</span>}
          {taken?.kind === "other" && (
            <span className="bad wrap">
              ✗ {t("bundle_other")} <span className="mono">{taken.found}</span>
            </span>
          )}
        </span>
      </div>
      {taken?.kind === "failed" && <TroubleBox trouble={taken.trouble} onLeave={() => undefined} />}
    </>
  );
}
