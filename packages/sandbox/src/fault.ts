/**
 * What ended a call inside an isolated strategy: the strategy's fault, told as a value.
 *
 * A box that faulted is dead until it is reset or spawned again: its memory may be half-written.
 */
export type BoxFaultKind =
  /** Spent its fuel; the same input spends the same fuel on every machine. */
  | "fuel"
  /** A Wasm trap: panic, division by zero, out of bounds. */
  | "trap"
  /** Recursion used up the stack. */
  | "stack"
  /** Returned a pointer that is outside its memory or not 8-byte aligned. */
  | "pointer"
  /** Did not answer in time and was killed. */
  | "deadline"
  /** The process ended by itself: exit code or signal. */
  | "exit"
  /** Announced a frame above the cap and was killed. */
  | "frame"
  /** The host has no address space for a new memory: no fault of the strategy. */
  | "memory";

export type BoxFault = {
  readonly kind: BoxFaultKind;
  /** The operator's word, `M.SANDBOX.*`. */
  readonly reason_code: string;
  readonly detail: string;
  readonly exit_code?: number | null;
  readonly signal?: string | null;
};

export const FAULT_REASONS: Readonly<Record<BoxFaultKind, string>> = {
  fuel: "M.SANDBOX.FUEL_EXHAUSTED",
  trap: "M.SANDBOX.TRAP",
  stack: "M.SANDBOX.STACK_OVERFLOW",
  pointer: "M.SANDBOX.BAD_POINTER",
  deadline: "M.SANDBOX.DEADLINE",
  exit: "M.SANDBOX.PROCESS_EXIT",
  frame: "M.SANDBOX.FRAME_TOO_LARGE",
  memory: "M.SANDBOX.ADDRESS_SPACE",
};

export function boxFault(
  kind: BoxFaultKind,
  detail: string,
  exit: Pick<BoxFault, "exit_code" | "signal"> = {},
): BoxFault {
  return { kind, reason_code: FAULT_REASONS[kind], detail, ...exit };
}
