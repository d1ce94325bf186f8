/** What waits for a person's word. */
import type { JSX } from "react";
import { useMay } from "../../may.ts";
import { ChallengesPanel } from "./challenges-panel.tsx";
import { StagedPanel } from "./staged-panel.tsx";

export function ApprovalsPage(): JSX.Element {
  const may = useMay();
  return (
    <>
      <ChallengesPanel />
      {may.ask("intents.staged") && <StagedPanel />}
    </>
  );
}
