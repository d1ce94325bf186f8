/** Whether a kind of strategy can be boxed on this machine, judged from what the runner reports. */
import type { StrategyDescriptor } from "@rumi/abi";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { IsolationFact } from "./runners/tables.ts";

/** The runner lists interpreters as facts of level `interpreter`, mechanisms by their level (L1 jail, L2 Wasm, L3 container). */
export function isolationFor(
  facts: readonly IsolationFact[],
  bot_id: string,
  descriptor: Pick<StrategyDescriptor, "runtime_kind">,
  isolation: "any" | "strict",
): Result<null, Failure> {
  if (facts.length === 0) return ok(null); // nothing reported: the runner itself will judge at the start
  switch (descriptor.runtime_kind) {
    case "rust_wasm":
    case "typescript":
      return ok(null); // Wasm is part of the program
    case "python":
    case "rust_native": {
      const interpreter = facts.find((fact) => fact.mechanism === "python3");
      if (descriptor.runtime_kind === "python" && interpreter?.available === false)
        return missing(bot_id, "python3", interpreter.reason);
      const boxes = facts.filter(
        (fact) => (fact.level === "L1" || fact.level === "L3") && fact.mechanism !== "python3",
      );
      if (boxes.some((fact) => fact.available) || (boxes.length === 0 && isolation === "any")) return ok(null);
      return missing(
        bot_id,
        "a process jail (bubblewrap, Landlock self-jail or a container engine)",
        boxes.map((fact) => `${fact.mechanism}: ${fact.reason ?? "unavailable"}`).join("; "),
      );
    }
  }
}

function missing(bot_id: string, needs: string, problem: string | null): Result<never, Failure> {
  return err(
    failure(
      "RUMI-BOT-020",
      { bot_id, needs, problem: problem ?? "not found" },
      { reasonCode: "M.ISOLATION.UNAVAILABLE" },
    ),
  );
}
