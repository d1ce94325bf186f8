/** What waits for a person's word: what is dangerous, what was proposed, what was staged, and what asks elsewhere. */
import { lazy, Suspense, type JSX } from "react";
import { useChallenges, useChanges } from "../../control-queries.ts";
import { useMay } from "../../may.ts";
import { ElsewherePanel } from "./elsewhere-panel.tsx";
import { JudgedPanel } from "./judged-panel.tsx";
import { ofChallenge, ofChange } from "./judged.ts";
import { StagedPanel } from "./staged-panel.tsx";

/** Comes with the pages of flows. */
const WaitingPanel = lazy(() => import("../flows/waiting-panel.tsx").then((page) => ({ default: page.WaitingPanel })));

export function ApprovalsPage({ id }: { readonly id: string | null }): JSX.Element {
  const may = useMay();
  const challenges = useChallenges();
  const changes = useChanges();
  return (
    <>
      <JudgedPanel kind="challenges" rows={challenges.data?.map(ofChallenge)} problem={challenges.error} named={id} />
      {may.ask("changes.list") && (
        <JudgedPanel kind="changes" rows={changes.data?.map(ofChange)} problem={changes.error} named={id} />
      )}
      {may.ask("intents.staged") && <StagedPanel />}
      {may.ask("flows.approvals") && (
        <Suspense fallback={null}>
          <WaitingPanel />
        </Suspense>
      )}
      <ElsewherePanel />
    </>
  );
}
