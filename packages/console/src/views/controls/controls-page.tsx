/** Everything that restrains bots, and the acts that one may do about it. */
import type { JSX } from "react";
import { useMay } from "../../may.ts";
import { BreakGlassPanel } from "./break-glass-panel.tsx";
import { DriftPanel } from "./drift-panel.tsx";
import { GatesPanel } from "./gates-panel.tsx";
import { HoldsPanel } from "./holds-panel.tsx";
import { KillSwitchPanel } from "./kill-switch-panel.tsx";

export function ControlsPage(): JSX.Element {
  const may = useMay();
  return (
    <>
      <KillSwitchPanel />
      <HoldsPanel />
      <GatesPanel />
      {may.ask("drift.list") && <DriftPanel />}
      {may.ask("break_glass.list") && <BreakGlassPanel />}
    </>
  );
}
