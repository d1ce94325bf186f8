/** Support bundles of the bot, and having one made. */
import { useState, type JSX } from "react";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { BundleRows, useBundles, useMakeBundle } from "../bundles/bundle-rows.tsx";
import { CopyLine } from "../copy-line.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";

export function BundlesBlock({ botId }: { readonly botId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const [question, setQuestion] = useState<Question | null>(null);
  const bundles = useBundles(botId);
  const make = useMakeBundle(botId);
  return (
    <div>
      <h3>
        {t("bundles")}{" "}
        {may.tighten("support_bundles.create") && (
          <button type="button" className="quiet" onClick={() => setQuestion(make(t("ask_bundle", { bot: botId })))}>
            {t("make_bundle")}
          </button>
        )}
      </h3>
      {bundles.data?.length === 0 && <p className="dim">{t("no_bundles")}</p>}
      <BundleRows bundles={bundles.data ?? []} testId="bundles" />
      <CopyLine line={commandText("support_bundles list", [], { bot_id: botId })} />
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </div>
  );
}
