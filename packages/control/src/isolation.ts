/** Whether a strategy can be boxed on this machine as its bot asks, judged from what the runners report. */
import type { StrategyDescriptor } from "@rumi/abi";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { chooseBox, type IsolationWish } from "@rumi/runtime";
import type { IsolationFact } from "./runners/tables.ts";

/** A runner lists interpreters as facts of level `interpreter`, mechanisms by their level (L1 jail, L2 Wasm, L3 container). */
export function isolationFor(
  facts: readonly IsolationFact[],
  bot_id: string,
  { runtime_kind }: Pick<StrategyDescriptor, "runtime_kind">,
  wish: IsolationWish,
): Result<null, Failure> {
  const refused = (needs: string, problem: string): Result<never, Failure> =>
    err(failure("RUMI-BOT-020", { bot_id, needs, problem }, { reasonCode: "M.ISOLATION.UNAVAILABLE" }));
  const inProcess = runtime_kind === "python" || runtime_kind === "rust_native";
  // Nothing reported: the runner itself will judge at the start.
  if (inProcess && facts.length === 0) return ok(null);
  const interpreter = facts.find((fact) => fact.mechanism === "python3");
  if (runtime_kind === "python" && interpreter?.available === false)
    return refused("python3", interpreter.reason ?? "not found");
  const box = chooseBox(runtime_kind, wish, facts);
  return box.ok ? ok(null) : refused(box.error.needs, box.error.problem);
}
