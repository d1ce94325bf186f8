/** Tells whether this browser could verify the log, not whether the server says so. */
import type { JSX } from "react";
import { useConsole } from "../context.ts";
import { useLogVerdict } from "../queries.ts";
import { Badge } from "./badge.tsx";

export function VerificationBadge(): JSX.Element {
  const { t } = useConsole();
  const { data: verdict } = useLogVerdict();
  const testId = "log-badge";
  if (verdict === undefined) return <Badge tone="dim" text={t("verifying")} testId={testId} />;
  switch (verdict.kind) {
    case "verified": {
      const { size, remembered, origin, instead_of } = verdict;
      const title = `${t("verified_detail", { size, remembered })}\n${origin}`;
      if (instead_of !== null)
        return <Badge tone="warn" look="filled" text={t("log_other")} title={title} testId={testId} />;
      return <Badge tone="good" text={`${t("verified")} · ${size}`} title={title} testId={testId} />;
    }
    case "broken":
      return (
        <Badge
          tone="bad"
          look="filled"
          text={`${t("broken")}: ${verdict.problem}`}
          title={verdict.problem}
          testId={testId}
        />
      );
    case "empty":
      return <Badge tone="dim" text={t("log_empty")} testId={testId} />;
    case "unsupported":
      return <Badge tone="warn" text={t("log_unsupported")} title={verdict.problem} testId={testId} />;
    case "unreachable":
      return <Badge tone="warn" text={t("log_unreachable")} title={verdict.problem} testId={testId} />;
  }
}
