/** What must never be, by name. */
export const VIOLATIONS = {
  two_holders: "Something left a runner under an epoch that is not the newest.",
  order_twice: "An order left again although nobody had said that it did not arrive.",
  live_unconfirmed: "A bot became live, or traded, without the command or the confirmation that this needs.",
  audit_log: "The log does not verify, or is no continuation of what it was.",
  audit_unexplained: "State is other than what the audit events say.",
  command_twice: "A command had two outcomes, or none that its answer fits.",
  not_quiet: "A bot that was proven stopped sent an order.",
  not_settled: "Long after the last fault something still waits.",
  defect: "Production code broke one of its own invariants.",
} as const;
export type ViolationKind = keyof typeof VIOLATIONS;

export class Violation extends Error {
  readonly kind: ViolationKind;
  constructor(kind: ViolationKind, what: string) {
    super(`${kind}: ${what}`);
    this.kind = kind;
  }
}
