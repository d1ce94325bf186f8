/** What the operations of flows work with. */
import type { PackLibrary } from "../packs/library.ts";
import type { FlowEngine } from "./engine.ts";
import type { FlowSources } from "./sources.ts";

export type FlowDeps = {
  readonly sources: FlowSources;
  readonly engine: FlowEngine;
  readonly library: Pick<PackLibrary, "verify">;
  readonly max_concurrent: number;
};
