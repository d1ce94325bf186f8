/** What must never be, by name. */
export const VIOLATIONS = {
  two_holders: "Something left a runner under an epoch that is not the newest.",
  order_twice: "An order left again although nobody had said that it did not arrive.",
  live_unconfirmed: "A bot became live, or traded, without the command or the confirmation that this needs.",
  audit_log: "The log does not verify, or is no continuation of what it was.",
  audit_unexplained: "State is other than what the audit events say.",
  command_twice: "A command had two outcomes, or none that its answer fits.",
  not_quiet: "A bot that was proven stopped sent an order.",
  false_proof: "A stop was attested while an order of its run was open, or a bot called proven with any open.",
  risk_under_hold: "Risk grew under a hold, a kill rule or a safety mode that was committed before.",
  gate_ignored: "A bot was started although a required gate did not pass.",
  strong_uncovered: "A strong operation was done outside a break-glass session.",
  one_person: "One person alone confirmed what takes two.",
  not_killed: "An order left a runner long after its bot was blocked.",
  spool: "A tightening that was promised without the log got lost, or was carried out other than once.",
  bulk_outside: "A bulk commanded a bot that is not in its list, or one after its abort.",
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
