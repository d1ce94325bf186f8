/**
 * Whether a strategy's contract is one that this very program can host (L-48). Pure.
 *
 * How to think: an approval outlives programs. What an older or newer one read and approved is read once more, as strictly
 * as on the first day, by the program that shall run it: runtime kind and ABI, the contracts of events and intents, the
 * form of the configuration. What then fits is compared with the bot: its configuration (judgeConfig), its state (the
 * admission, which begins with it).
 *
 * Invariant (compatibility.test.ts): what this program cannot read is refused where a bot is made, updated and started.
 */
import { parseDescriptor, type StrategyDescriptor } from "@rumi/abi";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";

/** A descriptor never changes, so that one reading of it is enough. */
const read = new WeakMap<StrategyDescriptor, Result<null, Failure>>();

export function judgeCompatibility(descriptor: StrategyDescriptor): Result<null, Failure> {
  const known = read.get(descriptor);
  if (known !== undefined) return known;
  const judged = judge(descriptor);
  read.set(descriptor, judged);
  return judged;
}

function judge(descriptor: StrategyDescriptor): Result<null, Failure> {
  const parsed = parseDescriptor(descriptor);
  if (parsed.ok) return ok(null);
  const { params, code } = parsed.error;
  return err(
    failure(
      "RUMI-BOT-084",
      {
        strategy_id: descriptor.strategy_id,
        strategy_version: descriptor.strategy_version,
        field: String(params["field"] ?? params["path"] ?? "descriptor"),
        problem: String(params["problem"] ?? code),
      },
      { reasonCode: "L.COMPATIBILITY.REFUSED", cause: parsed.error },
    ),
  );
}
