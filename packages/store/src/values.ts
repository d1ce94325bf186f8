/**
 * The one place where values meet a database: what may go in, and one shape for what comes out.
 *
 * Invariants
 * - Integers are exact: at or above 2^53 they are refused in both directions (conformance.ts).
 * - Text is kept code unit by code unit; nobody normalises it. NUL and lone surrogates are refused,
 *   because PostgreSQL cannot hold them and both stores must take the same values.
 */
import { failure, FailureError, type Failure } from "@rumi/kernel";

export type SqlValue = string | number | Uint8Array | null;

/** Why this parameter cannot be stored, or undefined when it can. */
export function parameterProblem(value: unknown): string | undefined {
  if (value === null || value instanceof Uint8Array) return undefined;
  if (typeof value === "number")
    return Number.isSafeInteger(value) ? undefined : `the number ${value} is not a whole number below 2^53`;
  if (typeof value === "string") {
    if (value.includes("\u0000")) return "a text holds the character NUL";
    return value.isWellFormed() ? undefined : "a text holds a lone surrogate";
  }
  return `a ${typeof value} is no value of the store`;
}

/** The first parameter that cannot be stored, as a failure; undefined when all can. */
export function parametersFailure(parameters: readonly unknown[]): Failure | undefined {
  for (const value of parameters) {
    const problem = parameterProblem(value);
    if (problem !== undefined) return unstorable(problem);
  }
  return undefined;
}

export function unstorable(problem: string): Failure {
  return failure("RUMI-STO-005", { problem });
}

/** The parameters, checked; throws `FailureError` RUMI-STO-005. */
export function checkedParameters(parameters: readonly unknown[]): readonly SqlValue[] {
  const unfit = parametersFailure(parameters);
  if (unfit !== undefined) throw new FailureError(unfit);
  return parameters as readonly SqlValue[];
}

/** One column as every reader sees it; throws `FailureError` RUMI-STO-005 for an integer of 2^53 and above. */
export function columnValue(value: unknown): SqlValue {
  if (typeof value === "bigint") return columnValue(Number(value));
  if (typeof value === "number") {
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      throw new FailureError(unstorable(`the stored number ${value} is not below 2^53`));
    return value;
  }
  if (value === null || typeof value === "string") return value;
  if (value instanceof Uint8Array) return value.constructor === Uint8Array ? value : new Uint8Array(value);
  throw new FailureError(unstorable(`a column holds a ${typeof value}`));
}
