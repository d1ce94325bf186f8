/** Reading and changing the safety mode; tightening passes every stage that could hold it up. */
import { ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type SafetyMode } from "@rumi/operations";
import { write } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { countLiveBots } from "../bots/tables.ts";
import { RISK_PHRASE } from "../challenges/model.ts";
import { spooledWord, type Tightened } from "../emergency/spool.ts";
import {
  clearLatch,
  insertLatch,
  INTERLOCKS_ID,
  readLatches,
  trippedEvent,
  type LatchRow,
  type OwedLatches,
} from "../interlocks/tables.ts";
import { CLOSED, CommandIdField, EVERYONE, ReasonField } from "../shared/fields.ts";
import { feed } from "../shared/sql.ts";
import { isTightening, judgeSafetyChange, SAFETY_SET } from "./model.ts";
import { readSafety, safetyView, type SafetyRow, type SafetyTables } from "./tables.ts";
import { SafetyAnswer } from "./answers.ts";

export function safetyDeclarations(spool: Tightened, owed: OwedLatches): readonly Declaration[] {
  return [getSafety(spool), setSafety(owed)];
}

const getSafety = (spool: Tightened): Declaration =>
  defineQuery({
    name: "safety.show",
    summary: "The safety mode in force",
    http: { method: "GET", path: "/api/safety" },
    input: Type.Object({}, CLOSED),
    output: SafetyAnswer,
    permission: EVERYONE,
    read: async (reader, _input, { store }) => ok(viewInForce(await readSafety(reader, store), spool)),
  });

/** With `spooled` where a mode is in force that the log could not take yet. */
function viewInForce(row: SafetyRow, { mode: modeOf, waiting }: Tightened) {
  const mode = modeOf(row.mode as SafetyMode);
  const entry = waiting.find(({ operation, input }) => operation === "safety.set" && input["mode"] === mode);
  if (mode === row.mode || entry === undefined) return safetyView(row);
  const { reason, by, at } = spooledWord(entry);
  return { ...safetyView(row), mode, reason, activated_by: by, activated_at: at, spooled: true };
}

type SafetyFacts = {
  readonly row: SafetyRow;
  readonly live: number;
  readonly latches: readonly LatchRow[];
  /** Latches that the interlocks have not put on record yet, where it is they who ask. */
  readonly owed: readonly LatchRow[];
};

const setSafety = (owed: OwedLatches): Declaration =>
  defineOperation({
    name: SAFETY_SET,
    summary: "Change the safety mode; tightening is always possible",
    http: { method: "POST", path: "/api/safety/set" },
    input: Type.Object(
      {
        command_id: CommandIdField,
        mode: Type.Union([Type.Literal("NORMAL"), Type.Literal("SAFE"), Type.Literal("EMERGENCY_STOP")]),
        reason: ReasonField,
      },
      CLOSED,
    ),
    output: SafetyAnswer,
    key: "command_id",
    emergency: true,
    permission: ["operator", "admin"],
    // Loosening takes a confirmed challenge instead; SAFE must not lock itself in.
    safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
    risk: ({ mode }, { row }: SafetyFacts) => (isTightening(row.mode as SafetyMode, mode) ? "tighten" : "increase"),
    danger: ({ mode }, { row, latches }) =>
      isTightening(row.mode as SafetyMode, mode)
        ? { kind: "none" }
        : {
            kind: "confirm",
            requires: ["phrase"],
            phrase: RISK_PHRASE,
            base: {
              mode: row.mode,
              generation: row.generation,
              ...(latches.length === 0 ? {} : { latches: latches.map(({ latch_id }) => latch_id).join(" ") }),
            },
            // What an interlock latched is cleared inside a break-glass session, and by nothing else.
            ...(latches.length === 0 ? {} : { strong: true as const }),
          },
    target: () => ({ resource_type: "safety", resource_id: "all" }),
    gates: [],
    load: async (reader, _input, { store, principal }): Promise<SafetyFacts> => ({
      row: await readSafety(reader, store),
      live: await countLiveBots(reader, store),
      latches: await readLatches(reader, store),
      owed: principal.id === INTERLOCKS_ID ? [...owed.values()] : [],
    }),
    diff: ({ row }, { mode }) => [{ field: "mode", before: row.mode, after: mode }],
    preview: ({ row, live, latches }, { mode }) => ({
      ...(latches.length === 0 ? {} : { latched_by: latches.map(({ reason }) => reason) }),
      from: row.mode,
      to: mode,
      since: safetyView(row).activated_at,
      live_bots: live,
    }),
    decide: ({ row, latches, owed: waiting }, { mode, reason }, context) => {
      const verdict = judgeSafetyChange(row.mode as SafetyMode, mode, context.approval_id);
      if (verdict === "unchanged")
        return ok({ writes: [], events: [], outbox: [], data: { ...safetyView(row), changed: false } });
      const db = context.store.builder<SafetyTables>();
      const cleared = verdict === "loosened" ? latches : [];
      // What the interlocks stop for is latched by the commit that stops.
      const latched = waiting.filter(({ rule_id }) => !latches.some((latch) => latch.rule_id === rule_id));
      const next: SafetyRow = {
        state_id: context.newId(),
        current: 1,
        generation: row.generation + 1,
        mode,
        reason,
        activated_by: context.principal.id,
        activated_at: context.now,
        resolved_at: null,
      };
      return ok({
        writes: [
          write(
            db
              .updateTable("safety_state")
              .set({ current: 0, resolved_at: context.now })
              .where("state_id", "=", row.state_id)
              .where("current", "=", 1),
            1,
          ),
          write(db.insertInto("safety_state").values(next), 1),
          ...latched.map((latch) => insertLatch(context.store, latch)),
          ...cleared.map((latch) => clearLatch(context.store, latch, context.principal.id, context.now)),
          feed(context.store, "safety", "safety", safetyView(next), context.now),
        ],
        events: [
          {
            action: "safety.transition",
            resource_type: "safety",
            resource_id: "all",
            outcome: "SUCCESS",
            details: { from: row.mode, to: mode, state_id: next.state_id },
          },
          ...latched.map(trippedEvent),
          ...cleared.map(({ latch_id, rule_id }) => ({
            action: "interlock.cleared",
            resource_type: "interlock",
            resource_id: rule_id,
            outcome: "SUCCESS" as const,
            details: { latch_id, rule_id },
          })),
        ],
        outbox: [],
        data: { ...safetyView(next), changed: true },
      });
    },
  });
