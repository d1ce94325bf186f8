import type { JSX } from "react";
import type { Refusal } from "../api.ts";
import type { Translate } from "../i18n.ts";

/** A refusal with its code and its next step; it stays until the person closes it. */
export function RefusalBox(props: {
  readonly refusal: Refusal;
  readonly t: Translate;
  readonly onClose: () => void;
}): JSX.Element {
  const { refusal, t, onClose } = props;
  const runbook = refusal.details?.["runbook"];
  return (
    <div className="refusal" role="alert">
      <strong className="bad">{t("refused")}</strong>
      <span className="mono">
        {refusal.error_code}
        {refusal.reason_code === undefined ? "" : ` · ${refusal.reason_code}`}
      </span>
      <span>{refusal.error}</span>
      <span className="dim">
        {t("next_step")}: {refusal.suggestion}
      </span>
      {typeof runbook === "string" && (
        <span className="mono dim">
          {t("runbook")}: {runbook}
        </span>
      )}
      <button type="button" onClick={onClose} aria-label="close">
        ×
      </button>
    </div>
  );
}
