/** A strategy's first call of a life: saved state in the schema it knows, its configuration and where its keys go on. */
import type { JsonObject } from "@rumi/kernel";
import type { StrategyFault } from "../strategy/strategy.ts";
import { type Caller, strategyFault } from "./calls.ts";
import type { MachineOptions } from "./machine-options.ts";

/** Version 0 is no state at all. */
export type SavedState = { readonly version: number; readonly state: Uint8Array };

/** The length of what it put out, or why it cannot begin; another schema's state goes through its migration first. */
export function beginStrategy(
  caller: Caller,
  options: MachineOptions,
  from: SavedState,
  config: JsonObject,
  next_intent_key: number,
): number | StrategyFault {
  const { stateSchemaVersion, mode, identity, seed, instruments, stateBytesMax, strategy } = options;
  let { version, state } = from;
  if (version !== 0 && version !== stateSchemaVersion) {
    const migrated = caller.migrateState(version, state, stateBytesMax);
    if ("reason_code" in migrated) return { ...migrated, reason_code: "M.STATE.INCOMPATIBLE" };
    ({ version, state } = migrated);
    if (version !== stateSchemaVersion)
      return { kind: "output", reason_code: "M.STATE.INCOMPATIBLE", detail: `it migrated to version ${version}` };
  }
  const length = caller.init({
    identity,
    mode,
    seed,
    instruments,
    config,
    next_intent_key,
    state_version: version,
    state,
  });
  return length < 0 ? strategyFault(strategy, length, "on_init") : length;
}
