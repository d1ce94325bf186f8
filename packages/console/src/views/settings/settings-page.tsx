/** The house itself: where it stands, whether it is well, by which rules it goes, and how it is set up. */
import type { JSX } from "react";
import { useMay } from "../../may.ts";
import { GuardrailsPanel } from "./guardrails-panel.tsx";
import { HealthPanel } from "./health-panel.tsx";
import { HouseBundlesPanel } from "./house-bundles-panel.tsx";
import { PoliciesPanel } from "./policies-panel.tsx";
import { SetupPanel } from "./setup-panel.tsx";

export function SettingsPage(): JSX.Element {
  const may = useMay();
  return (
    <>
      <HealthPanel />
      <SetupPanel />
      {may.ask("policies.show") && <PoliciesPanel />}
      {may.ask("guardrails.show") && <GuardrailsPanel />}
      {may.ask("support_bundles.list") && <HouseBundlesPanel />}
    </>
  );
}
