/** Coded refusals, and exact decimals out of a configuration. */
import { STATUS } from "./generated/constants.ts";

/** Thrown by a strategy that refuses; `status` is one of STATUS. */
export class Refusal extends Error {
  readonly status: number;
  constructor(text: string, status: number = STATUS.strategy_error) {
    super(text);
    this.status = status;
  }
}

/** The configuration, complete and validated by the host. Decimals are strings; see `decimal`. */
export type Config = Readonly<Record<string, string | number | boolean>>;

/** "12.50" as a whole number scaled by 10^digits. Refuses what is malformed, too fine or too large. */
export function decimal(text: unknown, digits: number): number {
  const parts = typeof text === "string" ? /^(-?)(\d+)(?:\.(\d*))?$/.exec(text) : null;
  const fraction = parts?.[3]?.replace(/0+$/, "") ?? "";
  if (parts === null || fraction.length > digits)
    throw new Refusal(`not a decimal of ${digits} digits: ${String(text)}`, STATUS.config_refused);
  const value = Number(`${parts[2] ?? ""}${fraction.padEnd(digits, "0")}`);
  if (!Number.isSafeInteger(value)) throw new Refusal(`too large: ${String(text)}`, STATUS.config_refused);
  return parts[1] === "-" && value !== 0 ? -value : value;
}
