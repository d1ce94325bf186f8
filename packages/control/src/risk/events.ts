/** What the audit log is told of capital. */
import type { EventDraft } from "@rumi/operations";
import { money, type Room } from "./model.ts";

export function allocationEvent(room: Room, bot_id: string, capital: bigint): EventDraft {
  return {
    action: "capital.allocated",
    resource_type: "bot",
    resource_id: bot_id,
    outcome: "SUCCESS",
    details: {
      pool_id: room.pool_id,
      currency: room.account.currency,
      capital: money(capital),
      previous: room.own === null ? null : money(room.own),
    },
  };
}
