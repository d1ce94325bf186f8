/**
 * Write Rumi strategies in TypeScript. `docs/strategy-typescript.md` is the guide.
 *
 * A strategy is a class and one line, `serve(MyStrategy);`. `rumi strategy build` makes one script of it, which runs in an
 * engine of its own: the language's own objects and nothing else, no `Date`, no `Math.random`, no promises' jobs.
 */
export { type Config, decimal, Refusal } from "./refusal.ts";
export { Context, type OrderWish, type RiskContext } from "./context.ts";
export type { StrategyEvent } from "./events.ts";
export { packIntegers, unpackIntegers } from "./integers.ts";
export { Random } from "./random.ts";
export { serve } from "./serve.ts";
export type { RestoredState, Strategy, StrategyClass } from "./strategy.ts";
export * from "./generated/constants.ts";
export {
  AGGRESSOR,
  BOOK_ACTION,
  CONFIG_APPLY,
  EXECUTION_REPORT,
  HEALTH,
  KILL_SWITCH,
  LIQUIDITY,
  LOG_LEVEL,
  ORDER_TYPE,
  RISK_HINT,
  RUN_MODE,
  SAFETY_MODE,
  SEVERITY,
  SHUTDOWN_REASON,
  SIDE,
  TIME_IN_FORCE,
} from "./generated/header.ts";
export type { Instrument } from "./generated/input.ts";
