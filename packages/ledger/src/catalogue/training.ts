/**
 * Training: that it began and ended, and what was rehearsed. Each rehearsed kind is that of the real event under a name of its
 * own, with `training` in its details: nobody who looks for the real one finds it.
 */
import { ACCESS_KINDS } from "./access.ts";
import { COMMAND_KINDS } from "./commands.ts";
import { defineKinds, type EventKind, NOTABLE, USUAL } from "./kind.ts";
import { flag, instant, listOf, optional, text, uuid } from "./schema.ts";

const REHEARSED = {
  "controlplane.command.requested": COMMAND_KINDS["controlplane.command.requested"],
  "controlplane.command.applied": COMMAND_KINDS["controlplane.command.applied"],
  "controlplane.command.denied": COMMAND_KINDS["controlplane.command.denied"],
  "controlplane.command.resumed": COMMAND_KINDS["controlplane.command.resumed"],
  "controlplane.command.duplicate_suppressed": COMMAND_KINDS["controlplane.command.duplicate_suppressed"],
  "controlplane.command.dry_run": COMMAND_KINDS["controlplane.command.dry_run"],
  "dangerous_op.challenge": COMMAND_KINDS["dangerous_op.challenge"],
  "dangerous_op.approve": COMMAND_KINDS["dangerous_op.approve"],
  "dangerous_op.confirm": COMMAND_KINDS["dangerous_op.confirm"],
  "dangerous_op.reject": COMMAND_KINDS["dangerous_op.reject"],
  "dangerous_op.expire": COMMAND_KINDS["dangerous_op.expire"],
  "change.proposed": COMMAND_KINDS["change.proposed"],
  "change.approved": COMMAND_KINDS["change.approved"],
  "change.committed": COMMAND_KINDS["change.committed"],
  "change.rejected": COMMAND_KINDS["change.rejected"],
  "change.withdrawn": COMMAND_KINDS["change.withdrawn"],
  "change.expired": COMMAND_KINDS["change.expired"],
  "break_glass.opened": ACCESS_KINDS["break_glass.opened"],
  "break_glass.ended": ACCESS_KINDS["break_glass.ended"],
  "break_glass.reviewed": ACCESS_KINDS["break_glass.reviewed"],
} as const satisfies Readonly<Record<string, EventKind>>;

const marked = { training: flag, session_id: optional(uuid) } as const;
type Marked<Kind extends EventKind> = Omit<Kind, "details"> & { readonly details: Kind["details"] & typeof marked };
type Rehearsed = {
  readonly [Name in keyof typeof REHEARSED as `training.${Name}`]: Marked<(typeof REHEARSED)[Name]>;
};

export const TRAINING_KINDS = {
  ...defineKinds({
    "training.started": {
      category: "permission",
      severity: NOTABLE,
      retention: "standard",
      details: { session_id: uuid, principals: listOf(text(256), 100), ends_at: instant },
    },
    "training.ended": {
      category: "permission",
      severity: USUAL,
      retention: "standard",
      details: { principals: listOf(text(256), 100) },
    },
  }),
  ...(Object.fromEntries(
    Object.entries(REHEARSED).map(([name, kind]) => [
      `training.${name}`,
      { ...kind, retention: "standard", details: { ...kind.details, ...marked } },
    ]),
  ) as unknown as Rehearsed),
} as const;
