/** Flows: their files, their runs, what an operator may do with them. */
import type { Reconciler } from "../packs/reconciler.ts";
import type { FlowEngine } from "./engine.ts";
import type { FlowSources } from "./sources.ts";

export { createBlocks, type BlockDeps, type BlockHome, type Blocks, type Boxes } from "./blocks.ts";
export { checkFlows } from "./check.ts";
export { createFlowEngine, type EngineDeps, type FlowEngine } from "./engine.ts";
export { tellsRunOnly } from "./events.ts";
export { FLOW_LIMITS } from "./limits.ts";
export { flowDeclarations } from "./operations.ts";
export type { FlowDeps } from "./deps.ts";
export { flowSources, LEGACY_WARNING, type FlowFolders, type FlowSources } from "./sources.ts";
export {
  createStepCalls,
  type CallKernel,
  type CallStepOf,
  type KernelCall,
  type StepCallDeps,
} from "./steps/calls.ts";
export { createModifierAudit } from "./modifiers/audit.ts";
export { scheduleReconciler, type RunDue, type ScheduleDeps } from "./schedule/reconciler.ts";
export { createScripts, type Scripts } from "./steps/scripts.ts";
export { TARGET_MIGRATIONS } from "./steps/targets.ts";
export { FLOW_MIGRATIONS } from "./migrations.ts";

/** Flows are read before the first of their runs goes on. */
export function flowReconciler(sources: FlowSources, engine: FlowEngine): Reconciler {
  return {
    name: "flows",
    run: async () => {
      await sources.recent();
      await engine.resume();
    },
  };
}
