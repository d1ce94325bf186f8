/**
 * A flow together with the flows that it calls: what one run needs, fixed when the run is asked for. Pure.
 *
 * Invariants (model.test.ts "sources"): no flow calls itself, by whatever way; no run is nested deeper than its limit; each flow is
 * looked at once, however many steps call it.
 */
import { canonicalJson, err, failure, ok, sha256Hex, type Failure, type Json, type Result } from "@rumi/kernel";
import { FLOW_LIMITS } from "./limits.ts";
import type { Flow } from "./model.ts";

export type FlowClosure = {
  /** Of all definitions that the run may reach. */
  readonly digest: string;
  readonly flows: Readonly<Record<string, Flow>>;
};

export function closureOf(
  flow: Flow,
  path: string,
  find: (flow_id: string) => Flow | undefined,
): Result<FlowClosure, Failure> {
  const flows = new Map<string, Flow>();
  /** Of flows that were looked at: how deep they and what they call are nested. */
  const heights = new Map<string, number>();
  const tooMuch = (problem: string): Result<never, Failure> => err(failure("RUMI-FLOW-011", { path, problem }));
  const heightOf = (one: Flow, above: readonly string[]): Result<number, Failure> => {
    const way = [...above, one.flow_id];
    if (above.includes(one.flow_id)) return tooMuch(`it calls itself: ${way.join(" → ")}`);
    const known = heights.get(one.flow_id);
    if (known !== undefined) return ok(known);
    if (way.length > FLOW_LIMITS.subflow_depth + 1)
      return tooMuch(`it is nested more than ${FLOW_LIMITS.subflow_depth} deep: ${way.join(" → ")}`);
    flows.set(one.flow_id, one);
    if (flows.size > FLOW_LIMITS.closure_flows)
      return tooMuch(`it reaches more than ${FLOW_LIMITS.closure_flows} flows`);
    let below = 0;
    for (const step of one.steps) {
      if (step.type !== "flow") continue;
      const called = find(step.flow_id);
      const field = `${one.flow_id}: ${step.id}`;
      if (called === undefined)
        return err(failure("RUMI-FLOW-007", { path, field, problem: `there is no flow ${step.flow_id}` }));
      const height = heightOf(called, way);
      if (!height.ok) return height;
      below = Math.max(below, height.value);
    }
    heights.set(one.flow_id, below + 1);
    return ok(below + 1);
  };
  const height = heightOf(flow, []);
  if (!height.ok) return height;
  if (height.value > FLOW_LIMITS.subflow_depth + 1)
    return tooMuch(`it is nested more than ${FLOW_LIMITS.subflow_depth} deep`);
  const all = Object.fromEntries(flows);
  return ok({ digest: `sha256:${sha256Hex(canonicalJson(all as unknown as Json))}`, flows: all });
}
