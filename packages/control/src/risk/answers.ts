/** What pools of capital and stop conditions answer. Money is a decimal string. */
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN } from "../shared/answers.ts";

export const PoolAnswer = Type.Object(
  {
    pool_id: Type.String(),
    venue: Type.String(),
    account: Type.String(),
    currency: Type.String(),
    size: nullable(Type.String()),
    balance: Type.String(),
    balance_source: Type.String(),
    allocated: Type.String(),
    free: Type.String(),
    state: Type.Union(["covered", "short"].map((word) => Type.Literal(word))),
  },
  OPEN,
);
const UnknownPool = Type.Object(
  { pool_id: Type.String(), state: Type.Literal("unknown"), problem: Type.String() },
  { ...OPEN, description: "Its account's balance is not known now." },
);
export const PoolsAnswer = Type.Object({ pools: Type.Array(Type.Union([PoolAnswer, UnknownPool])) }, OPEN);
export const AllocationsAnswer = Type.Object(
  {
    pool_id: Type.String(),
    allocations: Type.Array(Type.Object({ bot_id: Type.String(), capital: Type.String() }, OPEN)),
    next_cursor: CursorField,
  },
  OPEN,
);

const stops = {
  bot_id: Type.String(),
  state: Type.Union(["watching", "tripped", "acknowledged"].map((word) => Type.Literal(word))),
  tripped: nullable(Type.Object({ at: InstantField }, OPEN)),
  acknowledged_by: nullable(Type.String()),
  acknowledged_at: nullable(InstantField),
  seen: nullable(Type.Object({ rejections: CountField, orders: CountField }, OPEN)),
} as const;
export const StopsAnswer = Type.Object({ ...stops, conditions: AnythingField }, OPEN);
export const AcknowledgedStopsAnswer = Type.Object({ ...stops, changed: Type.Boolean() }, OPEN);
