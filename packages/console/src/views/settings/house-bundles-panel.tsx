/** Support bundles: what somebody who helps may be given; no secret is in them. Begun here for the whole home. */
import { useState, type JSX } from "react";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { BundleRows, useBundles, useMakeBundle } from "../bundles/bundle-rows.tsx";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { RunbookLink } from "../runbook-link.tsx";

export function HouseBundlesPanel(): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const [question, setQuestion] = useState<Question | null>(null);
  const bundles = useBundles(null);
  const make = useMakeBundle(null);
  return (
    <Panel
      title={t("bundles")}
      name="bundles"
      problem={bundles.error}
      line="rumi support_bundles list"
      aside={
        <span className="end row-head">
          <RunbookLink page="docs/runbooks/support-bundles.md" />
          {may.tighten("support_bundles.create") && (
            <button type="button" onClick={() => setQuestion(make(t("ask_house_bundle")))}>
              {t("make_bundle")}
            </button>
          )}
        </span>
      }
    >
      {bundles.data?.length === 0 && <p className="empty">{t("house_no_bundles")}</p>}
      <BundleRows bundles={bundles.data ?? []} testId="house-bundles" />
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}
