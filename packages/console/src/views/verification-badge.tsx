/** Tells whether this browser could verify the log, not whether the server says so. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import type { Translate } from "../i18n.ts";
import { verifyLog } from "../verify/log-verifier.ts";

export function VerificationBadge(props: { readonly t: Translate }): JSX.Element {
  const { t } = props;
  const verdict = useQuery({
    queryKey: ["log-verdict"],
    queryFn: verifyLog,
    refetchInterval: 5_000,
  });
  if (verdict.data === undefined)
    return (
      <span className="badge dim" data-testid="log-badge">
        {t("verifying")}
      </span>
    );
  if (verdict.data.kind === "broken") {
    return (
      <span className="badge bad" data-testid="log-badge" title={verdict.data.problem}>
        {t("broken")}: {verdict.data.problem}
      </span>
    );
  }
  const { size, remembered, origin } = verdict.data;
  return (
    <span
      className="badge good"
      data-testid="log-badge"
      title={`${t("verified_detail", { size, remembered })}\n${origin}`}
    >
      {t("verified")} · {size}
    </span>
  );
}
