/** A command whose audit event cannot be written is refused: what cannot be proven is not done. */
import { type Failure, failure } from "@rumi/kernel";

/** Keeps the store's own code where it names the cause (e.g. the disk is full). */
export function auditFailure(of: Failure | undefined, operation: string): Failure {
  if (of === undefined) return failure("RUMI-CMD-011", { operation }, { reasonCode: "AUDIT_UNAVAILABLE" });
  return { ...of, reasonCode: of.reasonCode ?? "AUDIT_UNAVAILABLE" };
}
