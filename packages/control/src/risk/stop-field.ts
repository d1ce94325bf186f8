/** Stop conditions as a bot's version has them, and whether what is stored is sound. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { STOP_LIMITS, type StopConditions } from "@rumi/runtime";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { CLOSED } from "../shared/fields.ts";

/** What a passed item of the preflight says beside PASS. */
export type Noted = { readonly note: string };

const Amount = (description: string) =>
  Type.Optional(Type.String({ pattern: "^\\d{1,15}(\\.\\d{1,8})?$", description }));
const Rate = (description: string) =>
  Type.Optional(
    Type.Object(
      {
        count: Type.Integer({ minimum: 0, maximum: STOP_LIMITS.count }),
        within_us: Type.Integer({ minimum: 1, maximum: STOP_LIMITS.within_us, description: "Event time." }),
      },
      { ...CLOSED, description },
    ),
  );

export const StopConditionsField = Type.Object(
  {
    max_loss: Amount("Profit and loss since its run began may fall this far below nothing, fees included."),
    max_drawdown: Amount("… and this far below the highest it has been."),
    max_exposure: Amount("What its positions are worth together, long and short added."),
    max_rejections: Rate("Orders that the venue refused."),
    max_order_rate: Rate("Orders and amendments that passed the gate."),
  },
  { ...CLOSED, description: "What ends the bot by itself; each at its limit is still allowed." },
);

/** Of a bot's stored version; older ones may hold anything. Error RUMI-RSK-008. */
export function soundConditions(bot_id: string, stored: unknown): Result<StopConditions, Failure> {
  if (stored === undefined) return ok({});
  if (Value.Check(StopConditionsField, stored)) return ok(stored as StopConditions);
  const [first] = [...Value.Errors(StopConditionsField, stored)];
  const problem = `${first?.path === "" || first === undefined ? "stop_conditions" : first.path} is not as it has to be`;
  return err(failure("RUMI-RSK-008", { bot_id, problem }, { reasonCode: "L.STOP_CONDITION.INVALID" }));
}

/** What a start's report says of them. */
export function notedConditions(conditions: StopConditions): Noted {
  const told = Object.entries(conditions).map(([name, limit]) =>
    typeof limit === "string" ? `${name} ${limit}` : `${name} ${limit.count} in ${limit.within_us} us`,
  );
  return { note: told.length === 0 ? "no stop conditions" : told.join(", ") };
}
