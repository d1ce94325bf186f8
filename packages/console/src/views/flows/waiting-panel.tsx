/** What runs of flows ask people, all of them. */
import type { JSX } from "react";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import "../../styles/work.css";
import { ApprovalRows } from "./approval-rows.tsx";
import { useOfFlows } from "./flow-queries.ts";

export function WaitingPanel(): JSX.Element {
  const { t } = useConsole();
  const approvals = useOfFlows(["approvals"], async (of) => (await of.approvals()).approvals);
  return (
    <Panel
      title={t("flow_approvals")}
      name="flow-approvals"
      problem={approvals.error}
      aside={(approvals.data ?? []).length > 0 && <Badge tone="warn" text={String(approvals.data?.length)} />}
    >
      {approvals.data?.length === 0 && <p className="empty">{t("no_flow_approvals")}</p>}
      <ApprovalRows approvals={approvals.data ?? []} linked />
      <CopyLine line={commandText("flows approvals", [], { state: "open" })} />
    </Panel>
  );
}
